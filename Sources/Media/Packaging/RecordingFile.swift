import Feed
import ISOBMFF
import Timing

/// The file that is being written: its header, the fragment that is being gathered, and what is to be done on disk.
///
/// Nothing is written before the first fragment; the head goes out with it.
struct RecordingFile: Sendable {
    typealias Output = MP4Recorder.Output

    /// A fragment is written after this much of room time even if it is not full.
    static let idleLimit: Int64 = 600_000_000

    private struct Track: Sendable {
        var timeline: TimelineTrack
        var table = SampleTable()
        var id: UInt32 { UInt32(clamping: timeline.index + 1) }
    }

    private let options: MP4Recorder.Options
    private let startedAt: WallTime
    private var movie: Movie
    private var tracks: [Track] = []
    private(set) var byteCount: UInt64 = 0
    var outputs: [Output] = []
    private var isActive = false
    private var builder = FragmentBuilder()
    private var sequenceNumber: UInt32 = 1
    /// What is gathered must be written: what comes next may begin elsewhere.
    private var isCutDue = false

    init(options: MP4Recorder.Options, _ beginning: RoomTimeline.Beginning) {
        self.options = options
        startedAt = beginning.startedAt
        movie = Movie(creationTime: Movie.fileTime(unixNanoseconds: startedAt.nanoseconds))
    }

    /// Goes on in `file`, which ended with `resume` and has `tracks`.
    init(adopting file: HybridFile, _ tracks: [TimelineTrack], _ resume: ResumeState, options: MP4Recorder.Options) {
        self.options = options
        startedAt = WallTime(nanoseconds: resume.epoch &+ resume.zero)
        movie = file.movie
        self.tracks = zip(tracks, file.tables).map { Track(timeline: $0, table: $1) }
        byteCount = file.byteCount
        sequenceNumber = file.nextSequenceNumber
    }

    var isHeadWritten: Bool { byteCount > 0 }

    // MARK: Tracks and entries

    /// - Returns: false when the header has no room for it.
    mutating func add(_ track: TimelineTrack) -> Bool {
        let kind: MovieTrack.Kind = track.isVideo ? .video : .audio
        var changed = movie
        changed.tracks.append(
            MovieTrack(
                id: UInt32(clamping: track.index + 1), kind: kind, timescale: track.timescale, name: track.name,
                isDefault: !movie.tracks.contains { $0.kind == kind }, creationTime: movie.creationTime,
                entries: track.entries, origin: track.origin))
        guard rewriteHead(changed) else { return false }
        tracks.append(Track(timeline: track))
        return true
    }

    /// - Returns: false when the header has no room for it.
    mutating func add(_ entry: SampleEntry, to index: Int) -> Bool {
        guard movie.tracks.indices.contains(index) else { return true }
        var changed = movie
        changed.tracks[index].entries.append(entry)
        return rewriteHead(changed)
    }

    /// Puts the movie's header in place.
    private mutating func rewriteHead(_ changed: Movie) -> Bool {
        guard let write = HybridHead.rewrite(changed) else { return false }
        movie = changed
        if isHeadWritten { outputs.append(.patch(offset: write.offset, write.bytes)) }
        return true
    }

    // MARK: Samples

    mutating func take(_ sample: PlacedSample, _ timeline: inout RoomTimeline) {
        guard tracks.indices.contains(sample.track) else { return }
        let track = tracks[sample.track]
        let end = track.timeline.nanoseconds(at: sample.time &+ sample.duration)
        let limit = options.fragmentDuration.nanoseconds
        if !builder.takes(
            trackID: track.id, description: sample.description, time: sample.time, upTo: end, limit: limit)
        {
            cut(&timeline, before: sample)
        }
        gather(sample, at: timeline.roomTime)
        if sample.isDurationEstimated {
            isCutDue = true
        } else if !isHeadWritten, sample.track == 0 {
            cut(&timeline)  // the first frame, at once
        }
    }

    private mutating func gather(_ sample: PlacedSample, at roomTime: Int64) {
        let track = tracks[sample.track]
        let made = FragmentSample(
            duration: UInt32(clamping: sample.duration), size: UInt32(clamping: sample.bytes.count),
            compositionOffset: sample.compositionOffset, isSync: sample.isSync)
        builder.add(
            made, sample.bytes, trackID: track.id, description: sample.description, time: sample.time,
            from: track.timeline.nanoseconds(at: sample.time), at: roomTime)
    }

    // MARK: Time

    /// Writes what is gathered if what comes may begin elsewhere.
    mutating func cutIfDue(_ timeline: inout RoomTimeline) {
        if isCutDue { cut(&timeline) }
    }

    /// Writes what is gathered if it has waited long enough.
    mutating func advance(_ timeline: inout RoomTimeline) {
        if !builder.isEmpty, timeline.roomTime &- builder.openedAt >= Self.idleLimit { cut(&timeline) }
    }

    /// When ``advance(_:)`` has something to do, in room time.
    var deadline: Int64? { builder.isEmpty ? nil : builder.openedAt &+ Self.idleLimit }

    // MARK: Writing

    /// Writes the fragment that was gathered. `sample` came out of the timeline and is not in it.
    mutating func cut(_ timeline: inout RoomTimeline, before sample: PlacedSample? = nil) {
        if !isHeadWritten, !builder.contains(trackID: 1), let first = timeline.takeHeld(0) {
            gather(first, at: timeline.roomTime)  // the first fragment holds the frame that the file begins with
        }
        isCutDue = false
        var bytes = isHeadWritten ? [] : HybridHead.bytes(movie) ?? []
        let runs = builder.take()
        guard !runs.isEmpty, let resume = timeline.resume(without: sample) else { return }
        let fragment = Fragment(sequenceNumber: sequenceNumber, runs: runs, resumeState: resume.encoded())
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
        outputs.append(.sync(position: resume.position))
    }

    /// Writes what is gathered, the final `moov`, and the seal.
    mutating func finish(_ timeline: inout RoomTimeline, chapters: [Chapter]) {
        cut(&timeline)
        guard isHeadWritten else { return }
        var final = movie
        for kind in [MovieTrack.Kind.video, .audio] {
            let first = tracks.indices.first { !tracks[$0].table.isEmpty && final.tracks[$0].kind == kind }
            for index in final.tracks.indices where final.tracks[index].kind == kind {
                final.tracks[index].isDefault = index == first
            }
        }
        var moov: [UInt8] = []
        let end = statistics.duration.nanoseconds
        final.writeFinal(tracks.map(\.table), chapters: chapters.filter { 0..<max(1, end) ~= $0.time }, into: &moov)
        let seal = HybridHead.seal(finalMovieAt: byteCount)
        byteCount &+= UInt64(moov.count)
        let position = timeline.safePosition ?? 0
        outputs += [.append(moov), .barrier, .patch(offset: seal.offset, seal.bytes), .sync(position: position)]
    }

    /// What the file holds.
    var statistics: RecorderStatistics {
        var statistics = RecorderStatistics()
        statistics.byteCount = byteCount
        statistics.startedAt = isHeadWritten ? startedAt : nil
        statistics.tracks = tracks.map { track in
            let end = track.table.isEmpty ? 0 : track.timeline.nanoseconds(at: track.table.presentationEnd)
            return RecorderStatistics.Track(
                id: track.timeline.info.id, frames: Int64(track.table.count), duration: .nanoseconds(max(0, end)))
        }
        statistics.duration = statistics.tracks.map(\.duration).max() ?? .zero
        return statistics
    }
}
