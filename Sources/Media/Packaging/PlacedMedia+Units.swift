import Feed
import ISOBMFF

/// From the feed's units to samples.
extension PlacedMedia {
    /// Stamps that jump this far from one unit to the next, and off the room's clock, are placed anew, in nanoseconds.
    private static let jumpLimit: Int64 = 5_000_000_000
    /// Media of a new anchor may lie over the old by this much before the whole source is moved, in milliseconds.
    private static let overlapLimit: Int64 = 100

    /// Bytes of all tracks' present configurations together, and of any later one, at most: any header holds them. Usual
    /// ones have some 50.
    static let configurationLimit = 4096

    mutating func take(_ unit: Unit, _ record: Record, _ room: inout RecordedRoom) {
        guard unit.rendition == 0, let published = room.tracks[unit.track] else { return }
        if let index = indices[unit.track], record.position < tracks[index].resumesAt { return }
        counts.unitsIn &+= 1
        guard let configuration = published.configurations[unit.configuration] else { return skip() }
        if indices[unit.track] == nil, !goOn(with: published, room) {
            guard unit.isKey || published.info.kind == .audio else { return skip() }
            guard canAdd(published, configuration, room) else { return }
            add(published, configuration, origin: nil, room)
        }
        guard let index = indices[unit.track] else { return }
        take(unit, record, index, configuration, &room)
    }

    private mutating func take(
        _ unit: Unit, _ record: Record, _ index: Int, _ configuration: Configuration, _ room: inout RecordedRoom
    ) {
        var next = tracks[index].state
        let publication = room.tracks[unit.track]?.publication ?? next.publication
        if next.publication != publication {
            next.publication = publication
            next.needsKey = tracks[index].isVideo
            next.gap = next.gap ?? .away
        }
        if next.needsKey, !unit.isKey { return skip(next, index) }
        if next.configuration != configuration.id {
            guard let coded = SampleCoding.of(configuration), coded.entry.isVideo == tracks[index].isVideo else {
                return skip(next, index)
            }
            guard describe(coded.entry, coded.coding, index, &next, at: record.time, &room) else {
                return leaveOut(next, index)
            }
            next.configuration = configuration.id
        }
        var bytes = unit.bytes
        switch tracks[index].coding.sample(of: unit.bytes) {
        case .dropped: return skip(next, index)
        case .sample(let sample): bytes = sample
        case .changed(let entry, let coding, let sample):
            guard describe(entry, coding, index, &next, at: record.time, &room) else { return leaveOut(next, index) }
            bytes = sample
        }
        next.needsKey = false
        let before = tracks[index].state
        guard let placed = place(unit, record, index, configuration, &next, &room) else { return }
        let opening = opening(before: placed.time, from: before, cause: next.gap, in: index)
        (next.gap, next.isGapStated) = (nil, false)
        if tracks[index].isVideo {
            let shown = placed.time &+ Int64(placed.compositionOffset)
            next.lastShown = max(next.lastShown ?? shown, shown)
        }
        let sample = PlacedSample(
            track: index, time: placed.time, compositionOffset: placed.compositionOffset,
            isSync: unit.isKey || !tracks[index].isVideo, description: next.description, bytes: bytes,
            position: record.position, before: before)
        hold(sample, state: next, behind: opening)
    }

    private mutating func skip() { counts.unitsSkipped &+= 1 }

    private mutating func skip(_ state: TrackTimeline.State, _ index: Int) {
        tracks[index].state = state
        skip()
    }

    /// Leaves out what comes, up to the next key frame.
    private mutating func leaveOut(_ state: TrackTimeline.State, _ index: Int) {
        var state = state
        state.needsKey = tracks[index].isVideo
        state.gap = state.gap ?? .missed
        skip(state, index)
    }

    // MARK: Tracks and entries

    /// Whether a track may stand here; whoever may not is named in a warning, once.
    mutating func canAdd(_ track: RecordedRoom.Track, _ configuration: Configuration, _ room: RecordedRoom) -> Bool {
        if excluded.contains(track.info.number) { return false }
        guard let entry = SampleCoding.of(configuration)?.entry else {
            leaveOut(.codec(configuration.codec.rawValue, room.name(of: track.info)), track.info.number)
            return false
        }
        guard tracks.count < options.maximumTracks else {
            leaveOut(.tooManyTracks(room.name(of: track.info), limit: options.maximumTracks), track.info.number)
            return false
        }
        let described = tracks.reduce(entry.configuration.count) { sum, track in
            sum + track.track.entries[Int(track.state.description) - 1].configuration.count
        }
        guard described <= Self.configurationLimit else {
            leaveOut(.tooLarge(room.name(of: track.info)), track.info.number)
            return false
        }
        return true
    }

    private mutating func leaveOut(_ warning: RecorderWarning, _ number: TrackNumber) {
        excluded.insert(number)
        outputs.append(.warning(warning))
    }

    /// Adds a track. `origin` is its time at the zero, `nil` where that need not be known.
    mutating func add(
        _ track: RecordedRoom.Track, _ configuration: Configuration, origin: Int64?, _ room: RecordedRoom
    ) {
        guard let (coding, entry) = SampleCoding.of(configuration) else { return }
        let timescale = coding.timescale
        let clock = SampleClock(timescale: Int64(timescale), frame: coding.frame)
        let isVideo = track.info.kind == .video
        // Sound may overlap the zero by a frame; another's picture may begin up to a second before it.
        let known = TimelineTrack(
            index: tracks.count, info: track.info,
            identity: room.participants[track.info.participant]?.identity ?? "", name: room.name(of: track.info),
            timescale: timescale,
            origin: origin ?? (isVideo ? Int64(timescale) : clock.frameTicks), entries: [entry])
        let state = TrackTimeline.State(
            clock: clock, description: 1,
            configuration: configuration.id, publication: track.publication, needsKey: isVideo)
        indices[track.info.number] = tracks.count
        tracks.append(TrackTimeline(known, coding: coding, state: state))
        outputs.append(.track(known))
    }

    /// Makes `entry` the one that decodes what comes, adding it to the track if it is new.
    /// - Returns: false when it may not be: it is too large, or the track changes too often.
    private mutating func describe(
        _ entry: SampleEntry, _ coding: SampleCoding, _ index: Int, _ state: inout TrackTimeline.State,
        at roomTime: Int64, _ room: inout RecordedRoom
    ) -> Bool {
        let known = tracks[index].track.entries.firstIndex(of: entry)
        if known.map({ UInt32($0 + 1) }) != state.description {
            guard entry.configuration.count <= Self.configurationLimit else {
                warnOfChanges(index, &room) { .largeConfiguration($0) }
                return false
            }
            let isNew = known == nil
            guard room.budgets[tracks[index].info.number, default: .init()].takes(isNew: isNew, at: roomTime) else {
                warnOfChanges(index, &room) { .tooManyChanges($0) }
                return false
            }
        }
        if let known {
            state.description = UInt32(known + 1)
        } else {
            tracks[index].track.entries.append(entry)
            state.description = UInt32(tracks[index].track.entries.count)
            outputs.append(.entry(index: index, entry))
        }
        tracks[index].coding = coding
        state.clock.frame = coding.frame
        return true
    }

    private mutating func warnOfChanges(
        _ index: Int, _ room: inout RecordedRoom, _ warning: (String) -> RecorderWarning
    ) {
        let info = tracks[index].info
        guard room.budgets[info.number]?.isSpent != true else { return }
        room.budgets[info.number, default: .init()].isSpent = true
        outputs.append(.warning(warning(room.name(of: info))))
    }

    // MARK: Times

    /// Places a unit on its track's time.
    /// - Returns: `nil` when it lies before the zero, or in what a pause left out.
    private mutating func place(
        _ unit: Unit, _ record: Record, _ index: Int, _ configuration: Configuration,
        _ state: inout TrackTimeline.State, _ room: inout RecordedRoom
    ) -> (time: Int64, compositionOffset: Int32)? {
        let scale = Int64(configuration.timescale)
        let isNew = anchor(unit, record, index, scale: scale, &state, &room)
        let isMoved = !isNew && correct(unit, record, index, configuration, &state, room)
        let mapped = state.clock.mapped(unit.dts) ?? 0
        let track = tracks[index]
        if state.clock.lastTime == nil {
            let isBefore = track.isVideo ? mapped < 0 : mapped <= track.track.origin &- state.clock.frameTicks
            if isBefore { return nil }
        }
        if state.gap == .pause, !track.isVideo, let end = state.clock.end, mapped < end &- state.clock.frameTicks / 2 {
            return nil  // heard before the picture that goes on
        }
        let placed = state.clock.place(unit.dts, isGap: isNew || state.gap != nil, isMoved: isMoved)
        if placed.wasRepaired {
            if counts.timesRepaired == 0 { outputs.append(.warning(.timesRepaired)) }
            counts.timesRepaired &+= 1
        }
        guard track.isVideo else { return (placed.time, 0) }
        let distance = SampleClock.scale(unit.pts &- unit.dts, from: scale, to: Int64(track.timescale))
        return (placed.time, Int32(clamping: mapped &+ distance &- placed.time))
    }

    /// Whether `stamp` by `offset` stands far from the room's time, which the feed gives with each unit.
    private func isFar(_ stamp: Int64, _ offset: Int64, from roomTime: Int64) -> Bool {
        abs(Double(stamp) + Double(offset) - Double(roomTime)) > Double(Self.jumpLimit)
    }

    /// Ties the source's stamps to the track's time if they are not yet, or no longer.
    /// - Returns: whether it did.
    private func anchor(
        _ unit: Unit, _ record: Record, _ index: Int, scale: Int64, _ state: inout TrackTimeline.State,
        _ room: inout RecordedRoom
    ) -> Bool {
        let track = tracks[index]
        let stamp = SampleClock.scale(unit.dts, from: scale, to: 1_000_000_000)
        let isFirst = state.clock.anchor == nil
        var clock = room.clock(of: track.info.participant, stamp: stamp, at: record.time)
        var anchor = state.clock.anchor
        if let known = anchor, known.generation == clock.generation, known.sourceScale == scale {
            let step = stamp &- SampleClock.scale(state.clock.lastStamp, from: scale, to: 1_000_000_000)
            guard isFar(stamp, clock.offset, from: record.time), abs(Double(step)) > Double(Self.jumpLimit) else {
                return false
            }
            clock.offset = record.time &- stamp
            clock.generation &+= 1
            anchor = nil
        }
        if isFar(stamp, clock.offset, from: record.time) {
            if let known = anchor, known.sourceScale == scale, let mapped = state.clock.mapped(unit.dts) {
                // Sent before another track of the source jumped: it stands where it stood.
                let offset = track.track.nanoseconds(at: mapped) &+ beginning.zero &+ beginning.leftOut &- stamp
                if !isFar(stamp, offset, from: record.time) { return false }
            }
            clock.offset = record.time &- stamp
            clock.generation &+= 1
        }
        var time = track.track.ticks(at: stamp &+ clock.offset &- beginning.zero &- beginning.leftOut)
        let isLeftOut = state.gap == .pause && !track.isVideo
        if let end = state.clock.end, !isLeftOut, time < end &- Int64(track.timescale) * Self.overlapLimit / 1000 {
            clock.offset &+= SampleClock.scale(end &- time, from: Int64(track.timescale), to: 1_000_000_000)
            time = end
        }
        let reorder = SampleClock.scale(unit.pts &- unit.dts, from: scale, to: Int64(track.timescale))
        if track.isVideo, let shown = track.shownUntil, time &+ reorder < shown {
            // Pictures of before are shown until then, though their decoding ended: the whole source follows them.
            let step = shown &- time &- reorder
            clock.offset &+= SampleClock.scale(step, from: Int64(track.timescale), to: 1_000_000_000)
            clock.generation &+= 1
            time &+= step
        }
        room.clocks[track.info.participant] = clock
        if !isFirst { state.gap = state.gap ?? .jump }
        state.clock.anchor = SampleClock.Anchor(
            generation: clock.generation, sourceScale: scale, stamp: unit.dts, time: time)
        return true
    }
}
