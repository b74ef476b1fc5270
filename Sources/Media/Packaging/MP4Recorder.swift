public import Feed
public import ISOBMFF
import Timing

/// Writes a feed into one hybrid MP4 file (DESIGN section 4), without doing any I/O.
///
/// After **every** input the owner drains ``pollOutput()`` until it says `wait`. The file must be empty at the start, or,
/// for an adopted one, be cut to ``HybridFile/byteCount``.
public struct MP4Recorder: Sendable {
    /// What the finished file lists; those that lie outside of it are left out.
    public var chapters: [Chapter] = []
    private let options: Options
    private var timeline: RoomTimeline
    private var file: RecordingFile?
    private var isFull = false
    private var isOver = false
    /// While paused: up to where the feed was acknowledged, though nothing is written.
    private var passed: UInt64 = 0
    /// When the timeline wants to be called, in room time.
    private var due: Int64?
    private var outputs: [Output] = []

    /// Begins an empty file.
    public init(options: Options = Options()) {
        self.init(options: options, timeline: RoomTimeline(options: options.timeline))
    }

    private init(options: Options, timeline: RoomTimeline) {
        self.options = options
        self.timeline = timeline
    }

    /// Goes on in a file that an earlier attempt left. Subscribe from ``nextPosition``.
    /// - Returns: `nil` if the file holds no state of ours: begin anew.
    public init?(adopting file: HybridFile, options: Options = Options()) {
        guard let resume = ResumeState(decoding: file.resumeState),
            let tracks = resume.timelineTracks(of: file.movie),
            let timeline = RoomTimeline(resuming: resume, tracks: tracks, options: options.timeline)
        else { return nil }
        self.init(options: options, timeline: timeline)
        self.file = RecordingFile(adopting: file, tracks, resume, options: options)
    }

    /// The feed's position from which the file goes on: all before it is in the file. `nil` before the first fragment.
    public var nextPosition: UInt64? { timeline.safePosition }

    /// The feed whose position that is, by its epoch (nanoseconds since 1970).
    public var epoch: Int64? { timeline.beginning?.epoch }

    /// What was counted so far.
    public var statistics: RecorderStatistics {
        var statistics = file?.statistics ?? RecorderStatistics()
        let counts = timeline.counts
        statistics.unitsIn = counts.unitsIn
        statistics.unitsLost = counts.unitsLost
        statistics.unitsSkipped = counts.unitsSkipped
        statistics.timesRepaired = counts.timesRepaired
        statistics.take(timeline)
        return statistics
    }

    // MARK: Inputs

    /// Takes the next record of the feed. Records are given in order.
    public mutating func receive(_ record: Record) {
        guard !isOver else { return }
        timeline.receive(record)
        if !isFull { pump() }
    }

    /// Moves room time (nanoseconds) forward. Call it after each batch of records, and when `wait(until:)` is over:
    /// a first frame is not held back once this was called.
    public mutating func advance(to roomTime: Int64) {
        guard !isOver, !isFull else { return }
        timeline.advance(to: roomTime)
        pump()
        if file?.isHeadWritten == false, !isFull {
            timeline.flush()
            pump()
        }
        file?.advance(&timeline)
        takeOutputs()
        if timeline.isLeavingOut, let position = timeline.safePosition, position > passed {
            passed = position
            outputs.append(.sync(position: position))
        }
    }

    /// Writes what is there, and leaves out what comes until ``resume()``: the file plays as it stands.
    public mutating func pause() {
        guard !isOver, !isFull else { return }
        timeline.pause()
        pump()
    }

    /// Goes on with the next key frame, right behind what was written before the pause.
    public mutating func resume() { timeline.resume() }

    /// Is `full` at the next key frame, which begins the next part.
    public mutating func split() { timeline.split() }

    /// Ends the recording: writes what is held and turns the file into an ordinary MP4.
    public mutating func finish() {
        guard !isOver else { return }
        timeline.finish()
        pump()
        isOver = true
        file?.finish(&timeline, chapters: chapters)
        takeOutputs()
        outputs.append(.finished(statistics))
    }

    /// The recorder that goes on in the next file after `full`. It has taken what did not fit here.
    public func nextPart() -> MP4Recorder { MP4Recorder(options: options, timeline: timeline.next()) }

    // MARK: Outputs

    /// The next thing to do, oldest first. Call until it returns `wait`.
    public mutating func pollOutput() -> Output {
        if outputs.isEmpty, !isOver, !isFull { pump() }  // a next part has something to begin with
        if !outputs.isEmpty { return outputs.removeFirst() }
        if isOver || isFull { return .wait(until: nil) }
        return .wait(until: [due, file?.deadline].compactMap { $0 }.min())
    }

    private mutating func takeOutputs() {
        guard let made = file?.outputs, !made.isEmpty else { return }
        outputs += made
        file?.outputs.removeAll()
    }

    // MARK: From the timeline

    /// Takes all that the timeline has.
    private mutating func pump() {
        while true {
            switch timeline.pollOutput() {
            case .began(let beginning): file = RecordingFile(options: options, beginning)
            case .track(let track): if file?.add(track) == false { close(.headerReserve) }
            case .entry(let index, let entry): if file?.add(entry, to: index) == false { close(.headerReserve) }
            case .sample(let sample): file?.take(sample, &timeline)
            case .newEpoch: close(.newEpoch)
            case .split: close(.split)
            case .leftOut(let nanoseconds, let at):
                outputs.append(.leftOut(.nanoseconds(nanoseconds), at: .nanoseconds(at)))
            case .warning(let warning): outputs.append(.warning(warning))
            case .paused: file?.cut(&timeline)
            case .missed, .gap: break
            case .finished: return takeOutputs()
            case .wait(let until):
                due = until
                file?.cutIfDue(&timeline)
                return takeOutputs()
            }
            takeOutputs()
        }
    }

    private mutating func close(_ reason: FullReason) {
        guard !isFull else { return }
        isFull = true
        timeline.close()
        takeOutputs()
        outputs.append(.full(reason))
    }
}
