import Feed

/// The media behind a timeline's beginning: its tracks, with one sample of each that waits for its duration.
struct PlacedMedia: Sendable {
    typealias Output = RoomTimeline.Output

    /// A sample that waits this long for its successor goes out with an estimated duration.
    static let pendingLimit: Int64 = 1_000_000_000

    let options: RoomTimeline.Options
    var beginning: RoomTimeline.Beginning
    var tracks: [TrackTimeline] = []
    var indices: [TrackNumber: Int] = [:]
    /// Tracks that are left out, and said to be.
    var excluded: Set<TrackNumber> = []
    var counts = RecordingCounts()
    /// The position behind the last record that was taken.
    var position: UInt64
    var outputs: [Output] = []
    private(set) var roomTime: Int64 = .min
    var gaps = GapLog()
    private(set) var forms = FormLog()
    /// The tracks are of several participants, whose clocks drift apart.
    var hasManySources: Bool { tracks.contains { $0.info.participant != tracks[0].info.participant } }
    /// Silence that is still to come out, before anything else.
    var filling: Filling?

    init(options: RoomTimeline.Options, beginning: RoomTimeline.Beginning) {
        self.options = options
        self.beginning = beginning
        position = beginning.position
    }

    /// Goes on where `resume` was, with the tracks and entries that `known` says.
    /// - Returns: `nil` when the two do not match.
    init?(options: RoomTimeline.Options, resuming resume: ResumeState, _ known: [TimelineTrack]) {
        guard resume.tracks.count == known.count else { return nil }
        self.init(
            options: options,
            beginning: RoomTimeline.Beginning(
                epoch: resume.epoch, zero: resume.zero, position: resume.position, leftOut: resume.leftOut))
        for (track, state) in zip(known, resume.tracks) {
            let entry = Int(state.state.description) - 1
            guard track.entries.indices.contains(entry), let coding = SampleCoding.of(track.entries[entry]),
                Int64(track.timescale) == state.state.clock.timescale
            else { return nil }
            var placed = TrackTimeline(track, coding: coding, state: state.state)
            placed.resumesAt = state.resumesAt
            indices[track.info.number] = tracks.count
            tracks.append(placed)
        }
        counts = resume.counts
        gaps = resume.gaps
    }

    // MARK: Samples

    /// Makes `sample` the held one of its track, and gives out the one before it, whose duration is now known.
    ///
    /// A `gap` before it ends that one at `gap.end`, in ticks of the track.
    mutating func hold(_ sample: PlacedSample, state: TrackTimeline.State, behind gap: Opening?) {
        let index = sample.track
        if let last = tracks[index].pending?.sample {
            release(index, duration: max(1, (gap?.end ?? sample.time) &- last.time))
        }
        if let stated = gap?.stated {
            gaps.add(stated)
            outputs.append(.gap(stated))
        }
        filling = gap?.filling
        tracks[index].pending = TrackTimeline.Pending(sample: sample, arrival: roomTime)
        tracks[index].state = state
        // By its times alone, so that a later attempt that begins with this sample knows the same.
        guard gap == nil, let last = sample.before.clock.lastTime else { return }
        let duration = max(1, sample.time &- last)
        if duration <= tracks[index].timescale { tracks[index].state.lastDuration = duration }
    }

    /// What comes next, oldest first.
    mutating func pollOutput() -> Output? {
        if !outputs.isEmpty { return outputs.removeFirst() }
        return filling == nil ? nil : fill().map { .sample($0) }
    }

    private mutating func release(_ index: Int, duration: Int64, isEstimated: Bool = false) {
        guard var sample = tracks[index].pending.take()?.sample else { return }
        sample.duration = duration
        sample.isDurationEstimated = isEstimated
        forms.note(sample, of: tracks[index].track)
        outputs.append(.sample(sample))
    }

    /// Gives out the held sample of a track with an estimated duration.
    mutating func flush(_ index: Int) {
        release(index, duration: tracks[index].estimatedDuration, isEstimated: true)
    }

    mutating func takeHeld(_ index: Int) -> PlacedSample? {
        guard tracks[index].pending != nil else { return nil }
        flush(index)
        guard case .sample(let sample) = outputs.popLast() else { return nil }
        return sample
    }

    /// Undoes what `record` did, as far as it can be: it will be given to another.
    mutating func takeBack(_ record: Record) {
        for index in tracks.indices {
            guard let pending = tracks[index].pending, pending.sample.position == record.position else { continue }
            tracks[index].state = pending.sample.before
            tracks[index].pending = nil
            counts.unitsIn &-= 1
        }
        position = min(position, record.position)
    }

    // MARK: Time

    mutating func note(_ roomTime: Int64) { self.roomTime = max(self.roomTime, roomTime) }

    /// What comes from here on is of another feed.
    mutating func restart(_ beginning: RoomTimeline.Beginning, roomTime: Int64) {
        self.beginning = beginning
        position = beginning.position
        self.roomTime = roomTime
    }

    mutating func advance(to roomTime: Int64) {
        note(roomTime)
        for index in tracks.indices {
            guard let pending = tracks[index].pending else { continue }
            if self.roomTime &- pending.arrival >= Self.pendingLimit { flush(index) }
        }
    }

    /// When ``advance(to:)`` has something to do, in room time.
    var deadline: Int64? { tracks.compactMap { $0.pending.map { $0.arrival &+ Self.pendingLimit } }.min() }

    // MARK: The feed's events

    /// Everything before `position` was taken.
    mutating func pass(upTo position: UInt64) { self.position = max(self.position, position) }

    /// Of one track, more was taken.
    mutating func pass(_ track: TrackNumber, upTo position: UInt64) {
        if let index = indices[track] { tracks[index].resumesAt = max(tracks[index].resumesAt, position) }
    }

    mutating func apply(_ event: RoomEvent) {
        switch event {
        case .unpublished(let number): pause([number])
        case .left(let participant):
            pause(tracks.filter { $0.info.participant == participant }.map(\.info.number))
        case .missed(let from, let to):
            let count = to &- min(from, to)
            counts.unitsLost &+= Int64(clamping: count)
            outputs += [.missed(count: count), .warning(.unitsMissed(count))]
            for index in tracks.indices {
                tracks[index].state.gap = .missed
                tracks[index].state.needsKey = tracks[index].isVideo
            }
        case .clock, .joined, .published, .configuration, .anchored, .muted, .speaking, .layout: break
        }
    }

    /// The tracks of `numbers` end, for now: what is held of them goes out.
    mutating func pause(_ numbers: [TrackNumber]) {
        let paused = numbers.compactMap { indices[$0] }
        guard !paused.isEmpty else { return }
        for index in paused where tracks[index].pending != nil { flush(index) }
        outputs.append(.paused(paused))
    }

    // MARK: Going on later

    /// What a later attempt needs to go on behind what came out, without what is in `queue`.
    func resume(
        without queue: [PlacedSample], _ clocks: [ParticipantNumber: [RecordedRoom.SourceClock]]
    ) -> ResumeState {
        var state = ResumeState(epoch: beginning.epoch, zero: beginning.zero, position: safePosition(without: queue))
        state.leftOut = beginning.leftOut
        state.counts = counts
        state.gaps = gaps
        state.gaps.filled &-= Int64(queue.count { $0.isFill })
        state.counts.unitsIn &-= Int64(queue.count { !$0.isFill } + tracks.count { $0.pending != nil })
        let participants = Set(tracks.map(\.info.participant))
        state.clocks = clocks.filter { participants.contains($0.key) }
        state.tracks = tracks.map { track in
            let next = queue.first { $0.track == track.track.index } ?? track.pending?.sample
            return ResumeState.Track(
                id: UInt32(clamping: track.track.index + 1), info: track.info, identity: track.track.identity,
                state: next?.before ?? track.state,
                resumesAt: next?.position ?? max(position, track.resumesAt))
        }
        return state
    }

    /// The position before which all came out, but for what is in `queue`.
    func safePosition(without queue: [PlacedSample]) -> UInt64 {
        let held = tracks.compactMap { $0.pending?.sample.position } + queue.map(\.position)
        return held.min().map { min($0, position) } ?? position
    }
}
