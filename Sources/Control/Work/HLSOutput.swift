import Assignments
import Feed
import ISOBMFF
import Log
import MediaLoop
import Packaging
import Storage
import Timing

/// Cuts a subscription into an HLS presentation: a folder with segments and playlists.
///
/// The segmenter says which files are to appear; they are written by the pool, one publication after another, and the feed
/// is acknowledged once they are durable. A later attempt goes on from the state in the folder: nothing is lost, no segment
/// changes, and the media sequence goes on.
final class HLSOutput: OutputRunner {
    struct Place {
        var root: String
        /// The folder, beneath the root.
        var path: String
    }

    private enum Phase: Equatable {
        /// A worker that is gone, as it seems, still writes into the folder; up to this instant.
        case waiting(until: Instant)
        case recording
        /// Unsubscribed; what the feed still held comes until it says that it ended, or until this instant.
        case draining(until: Instant)
        case sealing
        case ended
    }

    /// How long a stop waits for what the feed still holds.
    private static let drainLimit = Duration.seconds(5)
    /// How long a worker without a gateway may take to write what it has, and a little more.
    private static let waitLimit = Duration.seconds(12)
    /// A state of ours is not larger.
    private static let stateLimit = 256 << 20

    let subscription: UInt32
    var isEnded: Bool { phase == .ended }

    private let job: JobContext
    private let output: OutputAssignment
    private let place: Place
    private let options: HLSSegmenter.Options
    private let onChange: () -> Void
    private let onLimit: (String) -> Void
    private var phase = Phase.recording
    private var root: StorageRoot?
    /// Beneath the root, as it was made.
    private var folder = ""
    /// Held up to the last write of ours: what another worker's disk still has in hand must not land over it.
    private var lock: FolderLock?
    private var segmenter: HLSSegmenter
    private var state: OutputReport
    private var limit: RecordingLimit
    private var endState = OutputReport.State.complete
    /// Publications that wait for the disk, oldest first; the first is being written.
    private var queue: [HLSSegmenter.Publication] = []
    private var markers: [Marker] = []
    private var isFinished = false
    private var isPaused: Bool
    /// A stop came while it waited.
    private var mustStop = false
    /// What comes is left out: paused, or not yet gone on after it.
    private var isLeavingOut = false
    private var wake: Int64?
    /// The newest room time that was seen, and when.
    private var clock: (time: Int64, at: Instant)?

    init(
        _ output: OutputAssignment, _ place: Place, _ plan: HLSPlan, job: JobContext,
        onChange: @escaping () -> Void, onLimit: @escaping (String) -> Void
    ) {
        self.output = output
        self.place = place
        self.job = job
        self.onChange = onChange
        self.onLimit = onLimit
        options = HLSSegmenter.Options(
            selection: output.selection.forFeed,
            segmentDuration: .nanoseconds(Int64((min(max(plan.segmentSeconds, 1), 60) * 1e9).rounded())),
            window: plan.windowSegments)
        segmenter = HLSSegmenter(options: options)
        isPaused = job.assignment.isPaused
        subscription = job.worker.nextSubscription()
        state = OutputReport(id: output.id, state: .pending)
        limit = RecordingLimit(duration: job.assignment.durationSeconds.map { .seconds(max(0, $0)) })
    }

    var report: OutputReport {
        var report = state
        let statistics = segmenter.statistics
        report.durationSeconds = statistics.duration.inSeconds
        report.sizeBytes = Int64(clamping: statistics.byteCount)
        report.unitsIn = statistics.unitsIn
        report.unitsLost = statistics.unitsLost
        report.addGaps(of: statistics, from: .zero)
        report.addTracks(of: statistics, from: .zero)
        return report
    }

    // MARK: Inputs

    func start(at now: Instant) { begin(until: now + Self.waitLimit, adopts: true, at: now) }

    /// - Parameter adopts: false to leave a folder that somebody holds, and begin another.
    private func begin(until: Instant, adopts: Bool, at now: Instant) {
        do throws(StorageError) {
            let root = try job.worker.root(place.root)
            self.root = root
            let isLow = try job.worker.isLow(root, at: now)
            guard !isLow else { throw .full(path: root.path) }
            let (start, epoch) = try begin(in: root, adopts: output.adopts && adopts)
            phase = .recording
            state.location = "\(root.path)/\(folder)/\(HLSSegmenter.playlistName)"
            if let startedAt = segmenter.statistics.startedAt { becomeActive(startedAt) }
            // What a pause left out is not asked for again.
            job.subscribe(
                subscription, output, isDurable: true, start: isPaused ? .live : start, epoch: isPaused ? nil : epoch)
            pump(at: now)
            if mustStop { stop(at: now) }
            onChange()
        } catch .busy(_) where adopts {
            phase = .waiting(until: until)
        } catch {
            fail(error)
        }
    }

    /// Finds the folder that an earlier attempt left, or makes one.
    /// - Returns: from where in the feed it goes on.
    private func begin(in root: StorageRoot, adopts: Bool) throws(StorageError) -> (Subscribe.Start, epoch: Int64?) {
        let fresh = Beginning.start(without: output, job)
        guard adopts else {
            try makeFolder(in: root)
            return (fresh, nil)
        }
        do throws(StorageError) {
            lock = try root.lockFolder(place.path)
            let left = try root.read("\(place.path)/\(HLSSegmenter.stateName)", limit: Self.stateLimit)
            guard let adopted = HLSSegmenter(adopting: left, options: options) else {
                try makeFolder(in: root)
                return (fresh, nil)
            }
            folder = place.path
            segmenter = adopted
            mark(markers)
            guard let next = adopted.nextPosition else { return (fresh, nil) }
            return (.position(next), adopted.epoch)
        } catch .notFound {
            // Nothing was published yet. The folder is ours, unless somebody took it away.
            if lock == nil { try makeFolder(in: root) } else { folder = place.path }
            return (fresh, nil)
        }
    }

    private func makeFolder(in root: StorageRoot) throws(StorageError) {
        folder = try root.createFolder(place.path)
        lock = try root.lockFolder(folder)
    }

    func subscribed(from position: UInt64) {}

    func receive(_ record: Record, at now: Instant) {
        guard phase != .sealing, phase != .ended else { return }
        switch limit.judge(record, isLeftOut: isLeavingOut) {
        case .within: break
        case .behind: return
        case .over:
            onLimit("duration")
            return finish(at: now)
        }
        if state.state == .pending, case .unit = record.body {
            state.state = .starting
            onChange()
        }
        clock = (record.time, now)
        segmenter.receive(record)
    }

    func drained(at now: Instant) {
        if let clock { segmenter.advance(to: clock.time) }
        pump(at: now)
    }

    func tick(at now: Instant) {
        if case .waiting(let until) = phase {
            begin(until: until, adopts: now < until, at: now)
            return isPaused ? pause(at: now) : ()
        }
        if case .draining(let until) = phase, now >= until { return finish(at: now) }
        if phase == .recording, let root, (try? job.worker.isLow(root, at: now)) == true {
            return stopForSpace(at: now)
        }
        guard let wake, let clock, clock.time &+ (now - clock.at).nanoseconds >= wake else { return }
        segmenter.advance(to: clock.time &+ (now - clock.at).nanoseconds)
        pump(at: now)
    }

    func feedEnded(_ reason: EndReason, at now: Instant) {
        switch reason {
        case .fenced:  // another worker has the job, and the folder
            letGo()
            onChange()
        case .notFound where state.startedAt == 0 && phase == .recording:
            endState = .failed
            state.errorCode = "not_found"
            state.errorMessage = "The room does not hold what this output names."
            finish(at: now)
        case .roomClosed, .notFound, .unsubscribed: finish(at: now)
        }
    }

    func limit(to duration: Duration?) { limit.duration = duration }

    func stop(at now: Instant) {
        if case .waiting = phase { return mustStop = true }
        guard phase == .recording else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        phase = .draining(until: now + Self.drainLimit)
    }

    func remove(at now: Instant) {
        endState = .removed
        stop(at: now)
    }

    func pause(at now: Instant) {
        isPaused = true
        guard phase == .recording else { return }
        isLeavingOut = true
        segmenter.pause()
        pump(at: now)
    }

    func resume(at now: Instant) {
        isPaused = false
        segmenter.resume()
        if segmenter.epoch == nil { isLeavingOut = false }  // nothing that a pause could be cut out of
    }

    func split(at now: Instant) {
        if phase == .recording { segmenter.split() }
    }

    func mark(_ markers: [Marker]) {
        self.markers = markers
        segmenter.mark(markers.map { Chapter(time: Duration.seconds($0.atSeconds).nanoseconds, name: $0.name) })
    }

    /// Writes what is held; a later attempt goes on, so the playlists do not say that this is the end. One that was asked
    /// to end already does end.
    func seal(at now: Instant) {
        if case .draining = phase { return finish(at: now) }
        end(at: now) { $0.suspend() }
    }

    private func finish(at now: Instant) { end(at: now) { $0.finish() } }

    private func end(at now: Instant, _ end: (inout HLSSegmenter) -> Void) {
        guard phase != .sealing, phase != .ended else { return }
        if phase == .recording { job.worker.send(.unsubscribe(subscription: subscription)) }
        phase = .sealing
        end(&segmenter)
        pump(at: now)
    }

    // MARK: From the segmenter

    private func pump(at now: Instant) {
        guard phase != .ended else { return }
        while true {
            switch segmenter.pollOutput() {
            case .publish(let publication):
                // While the disk is busy with one publication, those behind it become one.
                if queue.count > 1 { queue[1] = queue[1].merged(with: publication) } else { queue.append(publication) }
                if queue.count == 1 { write() }
            case .warning(let warning):
                state.warnings.append(
                    ReportedWarning(code: warning.code, message: warning.message, remedy: warning.remedy))
                onChange()
            case .leftOut(let length, let at):
                isLeavingOut = false
                limit.leaveOut(length)
                state.pauses.append(LeftOutTime(atSeconds: at.inSeconds, seconds: length.inSeconds))
                onChange()
            case .finished:
                isFinished = true
                return endIfWritten()
            case .wait(let until): return wake = until
            }
        }
    }

    /// Hands the oldest publication to the pool.
    private func write() {
        guard let root, let publication = queue.first else { return }
        // Playlists are made again from the state, until the last ones, which stay as they are.
        let files = publication.files.map { file in
            WholeFile(
                path: "\(folder)/\(file.name)", bytes: file.bytes,
                isDurable: phase == .sealing || !file.name.hasSuffix(".m3u8"))
        }
        let removed = publication.removed.map { "\(folder)/\($0)" }
        job.worker.replace(files, removing: removed, in: root) { [weak self, lock] error in
            withExtendedLifetime(lock) { self?.written(error) }
        }
    }

    private func written(_ error: StorageError?) {
        guard phase != .ended, !queue.isEmpty else { return }
        if let error { return fail(error) }
        let done = queue.removeFirst()
        if let startedAt = done.startedAt { becomeActive(startedAt) }
        if let position = done.position {
            job.worker.send(.acknowledge(subscription: subscription, position: position, fence: job.fence))
        }
        write()
        endIfWritten()
    }

    private func becomeActive(_ startedAt: WallTime) {
        limit.start(at: startedAt)
        if state.startedAt == 0 { state.startedAt = startedAt.nanoseconds }
        state.state = .active
        onChange()
    }

    // MARK: Ends

    private func endIfWritten() {
        guard isFinished, queue.isEmpty, phase != .ended else { return }
        if state.startedAt == 0 {  // nothing was published: nothing is left behind
            if let root, !folder.isEmpty { try? root.removeFolder(folder) }
            state.location = nil
        }
        letGo()
        state.state = endState
        onChange()
    }

    private func stopForSpace(at now: Instant) {
        endState = .failed
        setError(.full(path: state.location ?? place.path))
        finish(at: now)
    }

    private func fail(_ error: StorageError) {
        guard phase != .ended else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        endState = .failed
        setError(error)
        letGo()
        state.state = .failed
        onChange()
    }

    /// Writes nothing more. What the pool has in hand keeps the folder until it is done.
    private func letGo() {
        phase = .ended
        queue = []
        lock = nil
    }

    private func setError(_ error: StorageError) {
        state.errorCode = error.errorCode
        state.errorMessage = error.message
        job.worker.log.warning("recording stopped", ["job": job.job, "output": output.id, "cause": error.message])
    }
}
