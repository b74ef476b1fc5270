import Feed
import ISOBMFF
import Assignments
import Log
import MediaLoop
import Packaging
import Storage
import Timing

/// Records a subscription into an MP4 file, and into further parts when one file cannot take all.
///
/// A later attempt goes on in the file that the last one left: it cuts the torn tail and subscribes from the position that
/// the file holds, so that nothing is lost and there is one file.
final class MP4Output: OutputRunner {
    private enum Phase: Equatable {
        /// The file is still being sealed by the worker of a gateway that is gone; up to this instant.
        case waiting(until: Instant, mustStop: Bool)
        case recording
        /// Unsubscribed; what the feed still held comes until it says that it ended, or until this instant.
        case draining(until: Instant)
        case sealing
        case ended
    }

    /// How long a stop waits for what the feed still holds.
    private static let drainLimit = Duration.seconds(5)
    /// How long a worker without a gateway may take to seal, and a little more.
    private static let waitLimit = Duration.seconds(12)

    let subscription: UInt32
    var isEnded: Bool { phase == .ended }

    private let job: JobContext
    private let output: OutputAssignment
    private let place: (root: String, path: String)
    private let onChange: () -> Void
    private let onLimit: (String) -> Void
    private var phase = Phase.recording
    private var root: StorageRoot?
    private var current: RecordingFile?
    /// Earlier parts that are being sealed. Nothing is acknowledged before they are.
    private var closing: [RecordingFile] = []
    private var heldAcknowledgement: UInt64?
    private var state: OutputReport
    private var limit: RecordingLimit
    /// What comes is left out, and does not count.
    private var isLeavingOut = false
    private var isPaused: Bool
    private var waitUntil: Instant?
    private var markers: [Marker] = []
    /// Of the present file, from 1.
    private var partNumber: Int
    /// What the finished parts add up to.
    private var total = RecorderStatistics()
    private var endState = OutputReport.State.complete

    init(
        _ output: OutputAssignment, root: String, path: String, job: JobContext, onChange: @escaping () -> Void,
        onLimit: @escaping (String) -> Void
    ) {
        self.output = output
        self.job = job
        self.onChange = onChange
        self.onLimit = onLimit
        place = (root, path)
        partNumber = output.partNumber ?? 1
        isPaused = job.assignment.isPaused
        isLeavingOut = isPaused
        total.duration = .seconds(max(0, output.earlierSeconds ?? 0))
        total.byteCount = UInt64(clamping: output.earlierBytes ?? 0)
        subscription = job.worker.nextSubscription()
        state = OutputReport(id: output.id, state: .pending)
        limit = RecordingLimit(duration: job.assignment.durationSeconds.map { .seconds(max(0, $0)) })
    }

    var report: OutputReport {
        var report = state
        let now = current?.recorder.statistics ?? RecorderStatistics()
        report.durationSeconds = (total.duration + now.duration).inSeconds
        report.sizeBytes = Int64(clamping: total.byteCount &+ now.byteCount)
        report.unitsIn = total.unitsIn &+ now.unitsIn
        report.unitsLost = total.unitsLost &+ now.unitsLost
        report.addGaps(of: now, from: total.duration)
        report.addTracks(of: now, from: total.duration)
        return report
    }

    // MARK: Inputs

    func start(at now: Instant) { begin(at: now, adopts: true) }

    /// - Parameter adopts: false to leave a file that somebody holds, and begin another.
    private func begin(at now: Instant, adopts: Bool) {
        do throws(StorageError) {
            let root = try job.worker.root(place.root)
            self.root = root
            let isLow = try job.worker.isLow(root, at: now)
            guard !isLow else { throw .full(path: root.path) }
            var output = output
            output.adopts = output.adopts && adopts
            let beginning = try Beginning(place.path, in: root, of: output, job: job)
            var file = beginning.file
            if file == nil { file = try root.create(place.path, pool: job.worker.pool) }
            state.location = file?.path
            current = recording(beginning.recorder, file, isOwn: beginning.file == nil)
            if let startedAt = beginning.recorder.statistics.startedAt { becomeActive(startedAt) }
            // What a pause left out is not asked for again.
            job.subscribe(
                subscription, output, isDurable: true, start: isPaused ? .live : beginning.start,
                epoch: isPaused ? nil : beginning.epoch)
            current?.setChapters(chapters)
            if isPaused { current?.pause(at: now) }
            onChange()
        } catch .busy(_) {
            phase = .waiting(until: waitUntil ?? now + Self.waitLimit, mustStop: false)
            if case .waiting(let until, _) = phase { waitUntil = until }
        } catch {
            fail(error)
        }
    }

    private func beginAgain(_ until: Instant, mustStop: Bool, at now: Instant) {
        phase = .recording
        if now >= until { partNumber += 1 }
        begin(at: now, adopts: now < until)
        guard mustStop else { return }
        if case .waiting(let until, _) = phase { phase = .waiting(until: until, mustStop: true) } else { stop(at: now) }
    }

    func subscribed(from position: UInt64) {}

    func receive(_ record: Record, at now: Instant) {
        guard phase != .sealing, phase != .ended else { return }
        switch limit.judge(record, isLeftOut: isLeavingOut) {
        case .within: break
        case .behind: return
        case .over:
            onLimit("duration")
            return seal(at: now)
        }
        if state.state == .pending, case .unit = record.body {
            state.state = .starting
            onChange()
        }
        current?.receive(record, at: now)
    }

    func drained(at now: Instant) { current?.drained(at: now) }

    func tick(at now: Instant) {
        if case .waiting(let until, let mustStop) = phase { return beginAgain(until, mustStop: mustStop, at: now) }
        if case .draining(let until) = phase, now >= until { return seal(at: now) }
        current?.tick(at: now)
        for part in closing { part.tick(at: now) }
        if phase == .recording, let root, (try? job.worker.isLow(root, at: now)) == true { stopForSpace(at: now) }
    }

    func feedEnded(_ reason: EndReason, at now: Instant) {
        switch reason {
        case .fenced:  // another worker has the job, and the file
            phase = .ended
            abandon()
            onChange()
        case .notFound where state.startedAt == 0 && phase == .recording:
            endState = .failed
            state.errorCode = "not_found"
            state.errorMessage = "The room does not hold what this output names."
            seal(at: now)
        case .roomClosed, .notFound, .unsubscribed: seal(at: now)
        }
    }

    func limit(to duration: Duration?) { limit.duration = duration }

    func stop(at now: Instant) {
        if case .waiting(let until, _) = phase { return phase = .waiting(until: until, mustStop: true) }
        guard phase == .recording else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        phase = .draining(until: now + Self.drainLimit)
    }

    func remove(at now: Instant) {
        endState = .removed
        stop(at: now)
    }

    func seal(at now: Instant) {
        guard phase != .sealing, phase != .ended else { return }
        if phase == .recording { job.worker.send(.unsubscribe(subscription: subscription)) }
        phase = .sealing
        guard let current else { return end() }
        current.finish(at: now)
    }

    func pause(at now: Instant) {
        isPaused = true
        isLeavingOut = true
        guard phase == .recording else { return }
        current?.pause(at: now)
    }

    func resume(at now: Instant) {
        isPaused = false
        current?.resume()
        if current?.recorder.epoch == nil { isLeavingOut = false }  // nothing that a pause could be cut out of
    }

    func split(at now: Instant) {
        if phase == .recording { current?.split() }
    }

    func mark(_ markers: [Marker]) {
        self.markers = markers
        current?.setChapters(chapters)
    }

    /// The named places, on the time of the present file.
    private var chapters: [Chapter] {
        markers.map {
            Chapter(time: Duration.seconds($0.atSeconds).nanoseconds &- total.duration.nanoseconds, name: $0.name)
        }
    }

    // MARK: Its files

    private func recording(_ recorder: MP4Recorder, _ file: LocalFile?, isOwn: Bool = false) -> RecordingFile? {
        guard let root else { return nil }
        let path = partNumber == 1 ? nil : output.partPath?.replacingNUL(by: partNumber)
        return RecordingFile(
            recorder: recorder, file: file, isOwn: isOwn, root: root, path: path ?? place.path, context: job.worker
        ) {
            [weak self] file, event in self?.handle(event, of: file)
        }
    }

    private func handle(_ event: RecordingFile.Event, of file: RecordingFile) {
        switch event {
        case .created(let path):
            if let location = state.location { state.parts.append(location) }
            state.location = path
        case .active(let startedAt): becomeActive(startedAt)
        case .durable(let position): acknowledge(position)
        case .warning(let warning):
            state.warnings.append(
                ReportedWarning(code: warning.code, message: warning.message, remedy: warning.remedy))
        case .leftOut(let length, let at):
            isLeavingOut = false
            limit.leaveOut(length)
            state.pauses.append(
                LeftOutTime(atSeconds: (total.duration + at).inSeconds, seconds: length.inSeconds))
        case .full(let next):
            closing.append(file)
            partNumber += 1
            current = recording(next, nil)
            // The end can come while the file that is full waits for the disk: its next part is over before it began.
            // Else it writes what was refused, though nothing more may come for a while.
            if phase == .sealing { current?.finish(at: Clocks.now()) } else { current?.drained(at: Clocks.now()) }
        case .finished(let statistics): finished(file, statistics)
        case .failed(let error): fail(error)
        }
        if case .durable = event { return }
        onChange()
    }

    private func becomeActive(_ startedAt: WallTime) {
        limit.start(at: startedAt)
        if state.startedAt == 0 { state.startedAt = startedAt.nanoseconds }
        state.state = .active
    }

    private func acknowledge(_ position: UInt64) {
        guard closing.isEmpty else { return heldAcknowledgement = position }
        heldAcknowledgement = nil
        job.worker.send(.acknowledge(subscription: subscription, position: position, fence: job.fence))
    }

    private func finished(_ file: RecordingFile, _ statistics: RecorderStatistics) {
        add(statistics)
        if let path = file.location, statistics.byteCount > 0 {
            state.finished.append(
                FinishedFile(
                    path: path, durationSeconds: statistics.duration.inSeconds,
                    sizeBytes: Int64(clamping: statistics.byteCount)))
        }
        current?.setChapters(chapters)
        if statistics.byteCount == 0, file.wasCreated, file === current { state.location = state.parts.popLast() }
        if file === current { current = nil } else { closing.removeAll { $0 === file } }
        if let heldAcknowledgement { acknowledge(heldAcknowledgement) }
        if current == nil, closing.isEmpty { end() }
    }

    private func add(_ statistics: RecorderStatistics) {
        state.addGaps(of: statistics, from: total.duration)
        state.addTracks(of: statistics, from: total.duration)
        total.duration += statistics.duration
        total.byteCount &+= statistics.byteCount
        total.unitsIn &+= statistics.unitsIn
        total.unitsLost &+= statistics.unitsLost
    }

    // MARK: Ends

    private func stopForSpace(at now: Instant) {
        endState = .failed
        setError(.full(path: state.location ?? place.path))
        seal(at: now)
    }

    private func fail(_ error: StorageError) {
        guard phase != .ended else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        endState = .failed
        setError(error)
        abandon()
        end()
    }

    private func setError(_ error: StorageError) {
        state.errorCode = error.errorCode
        state.errorMessage = error.message
        job.worker.log.warning("recording stopped", ["job": job.job, "output": output.id, "cause": error.message])
    }

    /// Lets go of the files as they stand: what was written plays.
    private func abandon() {
        for file in [current].compactMap({ $0 }) + closing {
            file.abandon()
            var statistics = file.recorder.statistics
            statistics.byteCount = file.writtenBytes
            add(statistics)
        }
        current = nil
        closing = []
    }

    private func end() {
        phase = .ended
        state.state = endState
        onChange()
    }
}

extension String {
    /// With `number` where a NUL stands.
    fileprivate func replacingNUL(by number: Int) -> String {
        split(separator: "\0", omittingEmptySubsequences: false).joined(separator: String(number))
    }
}

extension StorageError {
    /// The code of the API's errors.
    var errorCode: String {
        switch self {
        case .full: "disk_full"
        case .denied, .badPath, .exists, .notFound, .busy, .failed: "storage_failed"
        }
    }
}
