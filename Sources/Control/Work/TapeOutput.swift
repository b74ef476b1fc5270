import Assignments
import Feed
import Log
import MediaLoop
import Storage
import Timing

/// Writes a subscription to a tape, as it comes: every record of the selection, nothing depacketised, nothing left out.
///
/// It is synced once in a second, and acknowledged once it is. A later attempt cuts the torn tail and goes on from the
/// position that the tape holds; in a room that began anew (a restart of the gateway) with a run of its own.
final class TapeOutput: OutputRunner {
    private enum Phase: Equatable {
        /// The worker of a gateway that is gone still seals the tape; up to this instant.
        case waiting(until: Instant)
        case recording
        /// Unsubscribed; what the feed still held comes until it says that it ended, or until this instant.
        case draining(until: Instant)
        /// The index is written; the disk is waited for.
        case sealing
        case ended
    }

    /// How long a stop waits for what the feed still holds.
    private static let drainLimit = Duration.seconds(5)
    /// How long a worker without a gateway may take to seal, and a little more.
    private static let waitLimit = Duration.seconds(12)
    private static let syncInterval = Duration.seconds(1)

    let subscription: UInt32
    var isEnded: Bool { phase == .ended }

    private let job: JobContext
    private let output: OutputAssignment
    private let place: TapePlace
    private let onChange: () -> Void
    private let onLimit: (String) -> Void
    private var phase = Phase.recording
    private var root: StorageRoot?
    private var tape: (writer: TapeWriter, file: LocalFile)?
    private var isSyncing = false
    private var lastSync: Instant?
    /// Bytes of the file that are durable.
    private var durableBytes: UInt64 = 0
    private var state: OutputReport
    private var limit: RecordingLimit
    private var gate = PauseGate()
    private var markers: [Marker] = []
    /// A stop came while it waited.
    private var mustStop = false
    /// Behind the last record that a pause left out, while it does.
    private var leftOut: UInt64?
    private var endState = OutputReport.State.complete

    init(
        _ output: OutputAssignment, _ place: TapePlace, job: JobContext, onChange: @escaping () -> Void,
        onLimit: @escaping (String) -> Void
    ) {
        self.output = output
        self.place = place
        self.job = job
        self.onChange = onChange
        self.onLimit = onLimit
        subscription = job.worker.nextSubscription()
        state = OutputReport(id: output.id, state: .pending)
        limit = RecordingLimit(duration: job.assignment.durationSeconds.map { .seconds(max(0, $0)) })
    }

    var report: OutputReport {
        guard let writer = tape?.writer else { return state }
        var report = state
        let summary = writer.summary
        report.durationSeconds = Duration.nanoseconds(summary.duration).inSeconds
        report.sizeBytes = Int64(clamping: writer.byteCount)
        report.unitsIn = summary.units &+ summary.packets
        report.unitsLost = summary.missed
        report.tape = TapeReport(summary)
        report.addGaps(of: summary)
        return report
    }

    // MARK: Inputs

    func start(at now: Instant) { begin(until: now + Self.waitLimit, adopts: true, at: now) }

    /// - Parameter adopts: false to leave a tape that somebody holds, and begin another.
    private func begin(until: Instant, adopts: Bool, at now: Instant) {
        do throws(StorageError) {
            let root = try job.worker.root(place.root)
            self.root = root
            guard try !job.worker.isLow(root, at: now) else { throw .full(path: root.path) }
            var output = output
            output.adopts = output.adopts && adopts
            let beginning = try TapeBeginning(place, in: root, of: output, job: job)
            phase = .recording
            state.location = beginning.file.path
            tape = (beginning.writer, beginning.file)
            if beginning.writer.summary.firstAt != nil { becomeActive() }
            job.subscribe(
                subscription, output, isDurable: true, start: beginning.start, epoch: beginning.writer.epoch)
            mark(markers)
            if mustStop { stop(at: now) }
            onChange()
        } catch .busy(_) where adopts {
            phase = .waiting(until: until)
        } catch {
            fail(error)
        }
    }

    func subscribed(from position: UInt64) {}

    func receive(_ record: Record, at now: Instant) {
        guard phase != .sealing, phase != .ended else { return }
        switch limit.judge(record) {
        case .within: break
        case .behind: return
        case .over:
            onLimit("duration")
            return seal(at: now)
        }
        guard gate.passes(record) else { return leftOut = record.position &+ 1 }
        if leftOut != nil, !record.isEvent {
            leftOut = nil
            tape?.writer.leaveOut(to: record.position, time: record.time)
        }
        tape?.writer.append(record)
        if state.state == .pending, tape?.writer.summary.firstAt != nil {
            state.state = .starting
            onChange()
        }
    }

    func drained(at now: Instant) {
        write()
        syncIfDue(at: now)
        acknowledgeLeftOut(at: now)
    }

    func tick(at now: Instant) {
        if case .waiting(let until) = phase { return begin(until: until, adopts: now < until, at: now) }
        if case .draining(let until) = phase, now >= until { return seal(at: now) }
        syncIfDue(at: now)
        if phase == .recording, let root, (try? job.worker.isLow(root, at: now)) == true {
            endState = .failed
            setError(.full(path: state.location ?? place.path))
            seal(at: now)
        }
    }

    func feedEnded(_ reason: EndReason, at now: Instant) {
        switch reason {
        case .fenced:  // another worker has the job, and the file
            phase = .ended
            close()
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

    func pause(at now: Instant) { gate.close() }

    func resume(at now: Instant) { gate.open() }

    func mark(_ markers: [Marker]) {
        self.markers = markers
        let known = tape?.writer.summary.markers.count ?? 0
        for marker in markers.dropFirst(known) { tape?.writer.mark(marker.name) }
    }

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

    func seal(at now: Instant) {
        guard phase != .sealing, phase != .ended else { return }
        if phase == .recording { job.worker.send(.unsubscribe(subscription: subscription)) }
        phase = .sealing
        guard tape != nil else { return end() }
        tape?.writer.finish()
        write()
        if !isSyncing { sync(at: now) }
    }

    // MARK: The file

    private func write() {
        guard let file = tape?.file, tape?.writer.waitingBytes ?? 0 > 0, let bytes = tape?.writer.takeBytes() else {
            return
        }
        do throws(StorageError) {
            try file.append(bytes.span)
        } catch {
            fail(error)
        }
    }

    private func syncIfDue(at now: Instant) {
        guard !isSyncing, phase != .ended, let tape, tape.writer.byteCount > durableBytes else { return }
        let isFirst = state.state == .starting
        if let lastSync, !isFirst, phase != .sealing, now - lastSync < Self.syncInterval { return }
        sync(at: now)
    }

    /// The feed need not hold what a pause leaves out.
    private func acknowledgeLeftOut(at now: Instant) {
        guard let leftOut, !isSyncing, let tape, tape.writer.byteCount == durableBytes else { return }
        if let lastSync, now - lastSync < Self.syncInterval { return }
        lastSync = now
        job.worker.send(.acknowledge(subscription: subscription, position: leftOut, fence: job.fence))
    }

    private func sync(at now: Instant) {
        guard let tape, phase != .ended else { return }
        isSyncing = true
        lastSync = now
        let (position, bytes) = (tape.writer.nextPosition, tape.writer.byteCount)
        let hasMedia = tape.writer.summary.firstAt != nil
        let isLast = phase == .sealing
        job.worker.sync(tape.file) { [self] error in
            isSyncing = false
            guard phase != .ended else { return }
            if let error { return fail(error) }
            durableBytes = bytes
            if let position {
                job.worker.send(.acknowledge(subscription: subscription, position: position, fence: job.fence))
            }
            if hasMedia, state.state != .active { becomeActive() }
            if isLast { return end() }
            if phase == .sealing { sync(at: Clocks.now()) }
        }
    }

    private func becomeActive() {
        guard let firstAt = tape?.writer.summary.firstAt else { return }
        if state.startedAt == 0 { state.startedAt = firstAt }
        state.state = .active
        onChange()
    }

    // MARK: Ends

    private func fail(_ error: StorageError) {
        guard phase != .ended else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        endState = .failed
        setError(error)
        end()
    }

    private func setError(_ error: StorageError) {
        state.errorCode = error.errorCode
        state.errorMessage = error.message
        job.worker.log.warning("tape stopped", ["job": job.job, "output": output.id, "cause": error.message])
    }

    private func end() {
        phase = .ended
        let isEmpty = tape?.writer.summary.firstAt == nil
        let path = tape?.file.relativePath
        close()
        state.state = endState
        if isEmpty, let root, let path {  // nothing was recorded
            try? root.remove(path)
            state.location = nil
        }
        onChange()
    }

    /// Lets go of the file as it stands.
    private func close() {
        state = report
        tape = nil
    }
}

extension Record {
    fileprivate var isEvent: Bool { if case .event = body { true } else { false } }
}
