import Feed
import ISOBMFF

/// From the feed's units to samples.
extension RecordingFile {
    /// What became of a record.
    enum Verdict: Equatable {
        case taken
        /// The header has no room for the track or the entry that it needs.
        case full
    }

    /// Stamps that jump this far from one unit to the next, and off the room's clock, are placed anew, in nanoseconds.
    private static let jumpLimit: Int64 = 5_000_000_000
    /// Media of a new anchor may lie over the old by this much before the whole source is moved, in milliseconds.
    private static let overlapLimit: Int64 = 100

    mutating func write(_ unit: Unit, _ record: Record, _ room: inout RecordedRoom) -> Verdict {
        guard unit.rendition == 0, let published = room.tracks[unit.track] else { return .taken }
        if let index = indices[unit.track], record.position < tracks[index].resumesAt { return .taken }
        let verdict = write(unit, of: published, record, &room)
        if verdict == .taken { counts.unitsIn &+= 1 }  // last: what is written meanwhile does not hold it
        return verdict
    }

    private mutating func write(
        _ unit: Unit, of published: RecordedRoom.Track, _ record: Record, _ room: inout RecordedRoom
    ) -> Verdict {
        guard let configuration = published.configurations[unit.configuration] else {
            counts.unitsSkipped &+= 1
            return .taken
        }
        if indices[unit.track] == nil, !goOn(with: published, room) {
            guard unit.isKey || published.info.kind == .audio else {
                counts.unitsSkipped &+= 1
                return .taken
            }
            guard canAdd(published, configuration, room) else { return .taken }
            guard add(published, configuration, origin: nil, room) else { return .full }
        }
        guard let index = indices[unit.track] else { return .taken }
        return take(unit, record, index, configuration, &room)
    }

    private mutating func take(
        _ unit: Unit, _ record: Record, _ index: Int, _ configuration: Configuration, _ room: inout RecordedRoom
    ) -> Verdict {
        var next = tracks[index].state
        if next.publication != room.tracks[unit.track]?.publication ?? next.publication {
            next.publication = room.tracks[unit.track]?.publication ?? next.publication
            next.needsKey = tracks[index].isVideo
            next.isAfterGap = true
        }
        if next.needsKey, !unit.isKey { return skip(next, index) }
        if next.configuration != configuration.id {
            guard let coded = SampleCoding.of(configuration), coded.entry.isVideo == tracks[index].isVideo else {
                return skip(next, index)
            }
            guard describe(coded.entry, coded.coding, index, &next) else { return .full }
            next.configuration = configuration.id
        }
        var bytes = unit.bytes
        switch tracks[index].coding.sample(of: unit.bytes) {
        case .dropped: return skip(next, index)
        case .sample(let sample): bytes = sample
        case .changed(let entry, let coding, let sample):
            guard describe(entry, coding, index, &next) else { return .full }
            bytes = sample
        }
        next.needsKey = false
        guard let placed = place(unit, record, index, configuration, &next, &room) else { return .taken }
        next.isAfterGap = false
        let sample = FragmentSample(
            duration: 0, size: UInt32(clamping: bytes.count), compositionOffset: placed.compositionOffset,
            isSync: unit.isKey || !tracks[index].isVideo)
        let pending = TrackRecorder.Pending(
            sample: sample, time: placed.time, description: next.description, bytes: bytes,
            position: record.position, arrival: roomTime, before: tracks[index].state)
        hold(pending, state: next, in: index, room.clocks)
        return .taken
    }

    private mutating func skip(_ state: TrackRecorder.State, _ index: Int) -> Verdict {
        counts.unitsSkipped &+= 1
        tracks[index].state = state
        return .taken
    }

    // MARK: Tracks and entries

    /// Whether a track may stand in this file; whoever may not is named in a warning, once.
    mutating func canAdd(_ track: RecordedRoom.Track, _ configuration: Configuration, _ room: RecordedRoom) -> Bool {
        if excluded.contains(track.info.number) { return false }
        if SampleCoding.of(configuration) == nil {
            leaveOut(.codec(configuration.codec.rawValue, room.name(of: track.info)), track.info.number)
            return false
        }
        guard tracks.count < options.maximumTracks else {
            leaveOut(.tooManyTracks(room.name(of: track.info), limit: options.maximumTracks), track.info.number)
            return false
        }
        return true
    }

    private mutating func leaveOut(_ warning: RecorderWarning, _ number: TrackNumber) {
        excluded.insert(number)
        outputs.append(.warning(warning))
    }

    /// Adds a track. `origin` is its time at the file's zero, `nil` where that need not be known.
    /// - Returns: false when the header has no room for it.
    mutating func add(
        _ track: RecordedRoom.Track, _ configuration: Configuration, origin: Int64?, _ room: RecordedRoom
    ) -> Bool {
        guard let (coding, entry) = SampleCoding.of(configuration) else { return true }
        let timescale = coding.timescale
        let frameTicks = coding.frameTicks(timescale: timescale)
        let kind: MovieTrack.Kind = track.info.kind == .video ? .video : .audio
        // Sound may overlap the zero by a frame; another's picture may begin up to a second before it.
        let origin = origin ?? (kind == .audio ? frameTicks : Int64(timescale))
        var changed = movie
        let id = UInt32(movie.tracks.count + 1)
        changed.tracks.append(
            MovieTrack(
                id: id, kind: kind, timescale: timescale, name: room.name(of: track.info),
                isDefault: !movie.tracks.contains { $0.kind == kind }, creationTime: movie.creationTime,
                entries: [entry], origin: origin))
        guard rewriteHead(changed) else { return false }
        let state = TrackRecorder.State(
            clock: SampleClock(timescale: Int64(timescale), frameTicks: frameTicks), description: 1,
            configuration: configuration.id, publication: track.publication, needsKey: kind == .video)
        indices[track.info.number] = tracks.count
        tracks.append(
            TrackRecorder(
                info: track.info, identity: room.participants[track.info.participant]?.identity ?? "", id: id,
                timescale: timescale, origin: origin, coding: coding, state: state))
        return true
    }

    /// Makes `entry` the one that decodes what comes, adding it to the header if it is new.
    /// - Returns: false when the header has no room for it.
    private mutating func describe(
        _ entry: SampleEntry, _ coding: SampleCoding, _ index: Int, _ state: inout TrackRecorder.State
    ) -> Bool {
        if let known = movie.tracks[index].entries.firstIndex(of: entry) {
            state.description = UInt32(known + 1)
        } else {
            var changed = movie
            changed.tracks[index].entries.append(entry)
            guard rewriteHead(changed) else { return false }
            state.description = UInt32(changed.tracks[index].entries.count)
        }
        tracks[index].coding = coding
        state.clock.frameTicks = coding.frameTicks(timescale: tracks[index].timescale)
        return true
    }

    // MARK: Times

    /// Places a unit on its track's time.
    /// - Returns: `nil` when it lies before the file's zero.
    private mutating func place(
        _ unit: Unit, _ record: Record, _ index: Int, _ configuration: Configuration,
        _ state: inout TrackRecorder.State, _ room: inout RecordedRoom
    ) -> (time: Int64, compositionOffset: Int32)? {
        let scale = Int64(configuration.timescale)
        let isNew = anchor(unit, record, index, scale: scale, &state, &room)
        let mapped = state.clock.mapped(unit.dts) ?? 0
        let track = tracks[index]
        if state.clock.lastTime == nil {
            let isBefore = track.isVideo ? mapped < 0 : mapped <= track.origin &- state.clock.frameTicks
            if isBefore { return nil }
        }
        let placed = state.clock.place(unit.dts, isGap: isNew || state.isAfterGap)
        if placed.wasRepaired {
            if counts.timesRepaired == 0 { outputs.append(.warning(.timesRepaired)) }
            counts.timesRepaired &+= 1
        }
        guard track.isVideo else { return (placed.time, 0) }
        let distance = SampleClock.scale(unit.pts &- unit.dts, from: scale, to: Int64(track.timescale))
        return (placed.time, Int32(clamping: mapped &+ distance &- placed.time))
    }

    /// Ties the source's stamps to the track's time if they are not yet, or no longer.
    /// - Returns: whether it did.
    private func anchor(
        _ unit: Unit, _ record: Record, _ index: Int, scale: Int64, _ state: inout TrackRecorder.State,
        _ room: inout RecordedRoom
    ) -> Bool {
        let track = tracks[index]
        let stamp = SampleClock.scale(unit.dts, from: scale, to: 1_000_000_000)
        var clock = room.clock(of: track.info.participant, stamp: stamp, at: record.time)
        var anchor = state.clock.anchor
        if let known = anchor, known.generation == clock.generation, known.sourceScale == scale {
            let step = stamp &- SampleClock.scale(state.clock.lastStamp, from: scale, to: 1_000_000_000)
            let isOff = abs(Double(stamp) + Double(clock.offset) - Double(record.time)) > Double(Self.jumpLimit)
            guard isOff, abs(Double(step)) > Double(Self.jumpLimit) else { return false }
            clock.offset = record.time &- stamp
            clock.generation &+= 1
            anchor = nil
        }
        var time = track.time(atFileTime: stamp &+ clock.offset &- zero)
        if let end = state.clock.end, time < end &- Int64(track.timescale) * Self.overlapLimit / 1000 {
            clock.offset &+= SampleClock.scale(end &- time, from: Int64(track.timescale), to: 1_000_000_000)
            time = end
        }
        room.clocks[track.info.participant] = clock
        state.clock.anchor = SampleClock.Anchor(
            generation: clock.generation, sourceScale: scale, stamp: unit.dts, time: time)
        return true
    }
}
