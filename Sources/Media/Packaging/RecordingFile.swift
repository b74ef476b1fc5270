import Feed
import ISOBMFF
import Timing

/// The file that is being written: its tracks, the fragment that is being gathered, and what is to be done on disk.
///
/// Nothing is written before the first fragment; the head goes out with it.
struct RecordingFile: Sendable {
    typealias Output = MP4Recorder.Output

    /// A sample that waits this long for its successor is written with an estimated duration.
    static let pendingLimit: Int64 = 1_000_000_000
    /// A fragment is written after this much of room time even if it is not full.
    static let idleLimit: Int64 = 600_000_000

    let options: MP4Recorder.Options
    /// Nanoseconds since 1970 at room time 0, and the room time of the file's zero.
    private(set) var epoch: Int64
    private(set) var zero: Int64
    var movie: Movie
    var tracks: [TrackRecorder] = []
    var indices: [TrackNumber: Int] = [:]
    /// Tracks that are left out, and said to be.
    var excluded: Set<TrackNumber> = []
    var counts = RecordingCounts()
    /// The position behind the last record that was taken.
    var position: UInt64
    var outputs: [Output] = []
    private(set) var byteCount: UInt64 = 0
    private(set) var isActive = false
    private var builder = FragmentBuilder()
    private var sequenceNumber: UInt32 = 1
    private(set) var roomTime: Int64 = .min

    init(options: MP4Recorder.Options, epoch: Int64, zero: Int64, position: UInt64) {
        self.options = options
        self.epoch = epoch
        self.zero = zero
        self.position = position
        movie = Movie(creationTime: Movie.fileTime(unixNanoseconds: epoch &+ zero))
    }

    /// Goes on in `file`, which ended with `resume`.
    /// - Returns: `nil` when the two do not match.
    init?(adopting file: HybridFile, _ resume: ResumeState, options: MP4Recorder.Options) {
        self.init(options: options, epoch: resume.epoch, zero: resume.zero, position: resume.position)
        guard resume.tracks.count == file.movie.tracks.count else { return nil }
        for (index, track) in file.movie.tracks.enumerated() {
            let known = resume.tracks[index]
            let entryIndex = Int(known.state.description) - 1
            guard known.id == track.id, track.entries.indices.contains(entryIndex),
                let coding = SampleCoding.of(track.entries[entryIndex]),
                Int64(track.timescale) == known.state.clock.timescale
            else { return nil }
            var recorder = TrackRecorder(
                info: known.info, identity: known.identity, id: track.id, timescale: track.timescale,
                origin: track.origin, coding: coding,
                state: known.state)
            recorder.table = file.tables[index]
            recorder.resumesAt = known.resumesAt
            recorder.lastDuration = known.lastDuration
            tracks.append(recorder)
            indices[known.info.number] = index
        }
        movie = file.movie
        byteCount = file.byteCount
        sequenceNumber = file.nextSequenceNumber
        counts = resume.counts
    }

    var startedAt: WallTime { WallTime(nanoseconds: epoch &+ zero) }
    var isHeadWritten: Bool { byteCount > 0 }

    /// The position before which all is in the file.
    var safePosition: UInt64 { tracks.compactMap { $0.pending?.position }.min().map { min($0, position) } ?? position }

    // MARK: Samples

    /// Makes `pending` the held sample of track `index`, and writes the one before it, whose duration is now known.
    mutating func hold(_ pending: TrackRecorder.Pending, state: TrackRecorder.State, in index: Int, _ clocks: Clocks) {
        if let last = tracks[index].pending {
            let duration = max(1, pending.time &- last.time)
            tracks[index].lastDuration = duration
            commit(index, duration: duration, clocks)
        }
        if !isHeadWritten, builder.contains(trackID: tracks[0].id) { cut(clocks) }
        tracks[index].pending = pending
        tracks[index].state = state
    }

    typealias Clocks = [ParticipantNumber: RecordedRoom.SourceClock]

    private mutating func commit(_ index: Int, duration: Int64, _ clocks: Clocks) {
        guard let pending = tracks[index].pending else { return }
        let end = tracks[index].fileTime(pending.time &+ duration)
        let limit = options.fragmentDuration.nanoseconds
        if !builder.takes(
            trackID: tracks[index].id, description: pending.description, time: pending.time, upTo: end, limit: limit)
        {
            cut(clocks)
        }
        gather(index, duration: duration)
    }

    private mutating func gather(_ index: Int, duration: Int64) {
        guard var pending = tracks[index].pending.take() else { return }
        pending.sample.duration = UInt32(clamping: duration)
        builder.add(
            pending.sample, pending.bytes, trackID: tracks[index].id, description: pending.description,
            time: pending.time, from: tracks[index].fileTime(pending.time), at: roomTime)
    }

    /// Writes the held sample of a track with an estimated duration. A fragment must be cut behind it, since the next
    /// sample may begin elsewhere.
    private mutating func flush(_ index: Int, _ clocks: Clocks) {
        commit(index, duration: tracks[index].estimatedDuration, clocks)
    }

    /// The tracks of `numbers` end, for now: what is held of them is written.
    mutating func pause(_ numbers: [TrackNumber], _ clocks: Clocks) {
        let paused = numbers.compactMap { indices[$0] }.filter { tracks[$0].pending != nil }
        guard !paused.isEmpty else { return }
        for index in paused { flush(index, clocks) }
        cut(clocks)
    }

    // MARK: Time

    mutating func note(_ roomTime: Int64) { self.roomTime = max(self.roomTime, roomTime) }

    /// What comes from here on is of another feed.
    mutating func restart(epoch: Int64, zero: Int64, position: UInt64, roomTime: Int64) {
        (self.epoch, self.zero, self.position, self.roomTime) = (epoch, zero, position, roomTime)
    }

    mutating func advance(to roomTime: Int64, _ clocks: Clocks) {
        note(roomTime)
        let stalled = tracks.indices.filter {
            guard let pending = tracks[$0].pending else { return false }
            return !isHeadWritten || self.roomTime &- pending.arrival >= Self.pendingLimit
        }
        for index in stalled { flush(index, clocks) }
        guard !builder.isEmpty else { return }
        if !stalled.isEmpty || self.roomTime &- builder.openedAt >= Self.idleLimit { cut(clocks) }
    }

    /// When ``advance(to:_:)`` has something to do, in room time.
    var deadline: Int64? {
        var deadlines = tracks.compactMap { $0.pending.map { $0.arrival &+ Self.pendingLimit } }
        if !builder.isEmpty { deadlines.append(builder.openedAt &+ Self.idleLimit) }
        return deadlines.min()
    }

    // MARK: Writing

    /// Puts the movie's header in place, for a track or an entry that came new.
    /// - Returns: false when it does not fit.
    mutating func rewriteHead(_ changed: Movie) -> Bool {
        guard let write = HybridHead.rewrite(changed) else { return false }
        movie = changed
        if isHeadWritten { outputs.append(.patch(offset: write.offset, write.bytes)) }
        return true
    }

    /// Writes the fragment that was gathered.
    private mutating func cut(_ clocks: Clocks) {
        if !isHeadWritten, tracks[0].pending != nil, !builder.contains(trackID: tracks[0].id) {
            // The first fragment holds the frame that the file begins with.
            gather(0, duration: tracks[0].estimatedDuration)
        }
        var bytes = isHeadWritten ? [] : HybridHead.bytes(movie) ?? []
        let runs = builder.take()
        guard !runs.isEmpty else { return }
        let fragment = Fragment(sequenceNumber: sequenceNumber, runs: runs, resumeState: resume(clocks).encoded())
        let commit = byteCount &+ UInt64(bytes.count + Fragment.commitOffset)
        for (run, start) in zip(runs, fragment.write(into: &bytes)) {
            guard let index = tracks.firstIndex(where: { $0.id == run.trackID }) else { continue }
            tracks[index].table.append(run, at: byteCount &+ UInt64(start))
        }
        sequenceNumber &+= 1
        byteCount &+= UInt64(bytes.count)
        outputs += [.append(bytes), .patch(offset: commit, [Fragment.commitByte])]
        if !isActive {
            isActive = true
            outputs.append(.active(startedAt: startedAt))
        }
        outputs.append(.sync(position: safePosition))
    }

    private func resume(_ clocks: Clocks) -> ResumeState {
        var state = ResumeState(epoch: epoch, zero: zero, position: safePosition)
        state.counts = counts
        state.counts.unitsIn &-= Int64(tracks.count { $0.pending != nil })
        let participants = Set(tracks.map(\.info.participant))
        state.clocks = clocks.filter { participants.contains($0.key) }
        state.tracks = tracks.map {
            ResumeState.Track(
                id: $0.id, info: $0.info, identity: $0.identity, state: $0.pending?.before ?? $0.state,
                resumesAt: $0.pending?.position ?? max(position, $0.resumesAt), lastDuration: $0.lastDuration)
        }
        return state
    }

    /// Writes what is held, the final `moov`, and the seal.
    mutating func finish(_ clocks: Clocks) {
        for index in tracks.indices { flush(index, clocks) }
        cut(clocks)
        guard isHeadWritten else { return outputs.append(.finished(statistics)) }
        var final = movie
        for kind in [MovieTrack.Kind.video, .audio] {
            let first = tracks.indices.first { !tracks[$0].table.isEmpty && final.tracks[$0].kind == kind }
            for index in final.tracks.indices where final.tracks[index].kind == kind {
                final.tracks[index].isDefault = index == first
            }
        }
        var moov: [UInt8] = []
        final.writeFinal(tracks.map(\.table), into: &moov)
        let seal = HybridHead.seal(finalMovieAt: byteCount)
        byteCount &+= UInt64(moov.count)
        outputs += [
            .append(moov), .barrier, .patch(offset: seal.offset, seal.bytes), .sync(position: position),
            .finished(statistics),
        ]
    }

    var statistics: RecorderStatistics {
        var statistics = RecorderStatistics()
        statistics.unitsIn = counts.unitsIn
        statistics.unitsLost = counts.unitsLost
        statistics.unitsSkipped = counts.unitsSkipped
        statistics.timesRepaired = counts.timesRepaired
        statistics.byteCount = byteCount
        statistics.startedAt = isHeadWritten ? startedAt : nil
        statistics.tracks = tracks.map {
            let end = $0.table.isEmpty ? 0 : max(0, $0.fileTime($0.table.presentationEnd))
            return RecorderStatistics.Track(
                id: $0.info.id, frames: Int64($0.table.count), duration: .nanoseconds(end))
        }
        statistics.duration = statistics.tracks.map(\.duration).max() ?? .zero
        return statistics
    }
}

// MARK: The feed's events

extension RecordingFile {
    /// Everything before `position` was taken.
    mutating func pass(upTo position: UInt64) { self.position = max(self.position, position) }

    mutating func apply(_ event: RoomEvent, _ room: RecordedRoom) {
        switch event {
        case .unpublished(let number): pause([number], room.clocks)
        case .left(let participant):
            pause(tracks.filter { $0.info.participant == participant }.map(\.info.number), room.clocks)
        case .missed(let from, let to):
            counts.unitsLost &+= Int64(clamping: to &- min(from, to))
            outputs.append(.warning(.unitsMissed(to &- min(from, to))))
            for index in tracks.indices {
                tracks[index].state.isAfterGap = true
                tracks[index].state.needsKey = tracks[index].isVideo
            }
        case .clock, .joined, .published, .configuration, .anchored, .muted, .speaking, .layout: break
        }
    }
}
