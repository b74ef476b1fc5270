import Feed
import Assignments
import Log
import MediaLoop
import RTMPPush
import Timing

/// Pushes a subscription to an RTMP destination, again and again until it is to end. A destination in trouble troubles
/// nothing else: what it does not take in time is dropped, to a key frame.
final class RTMPOutput: OutputRunner {
    private enum Phase: Equatable {
        case running
        /// The last frames are on their way; given up at this instant.
        case ending(until: Instant)
        case ended
    }

    private static let endLimit = Duration.seconds(3)

    let subscription: UInt32
    var isEnded: Bool { phase == .ended }

    private let job: JobContext
    private let output: OutputAssignment
    private let url: String
    private let onChange: () -> Void
    private let onLimit: (String) -> Void
    private let source = PushSource()
    private var address: PushAddress?
    private var connection: PushConnection?
    /// Counts connections, so that an event of one that was given up is told from the present one's.
    private var connectionNumber = 0
    private var push = PushOutput()
    private var program = PushProgram()
    private var limit: RecordingLimit
    private var gate = PauseGate()
    private var phase = Phase.running
    private var state: OutputReport
    private var epoch: Int64 = 0
    /// What connections of the past have sent.
    private var sent = PushConnection.Progress()
    private var endState = OutputReport.State.complete

    init(
        _ output: OutputAssignment, url: String, job: JobContext, onChange: @escaping () -> Void,
        onLimit: @escaping (String) -> Void
    ) {
        self.output = output
        self.url = url
        self.job = job
        self.onChange = onChange
        self.onLimit = onLimit
        subscription = job.worker.nextSubscription()
        state = OutputReport(id: output.id, state: .pending)
        limit = RecordingLimit(duration: job.assignment.durationSeconds.map { .seconds(max(0, $0)) })
    }

    var report: OutputReport {
        var report = state
        let now = connection?.progress ?? PushConnection.Progress()
        report.durationSeconds = Double(sent.milliseconds + now.milliseconds) / 1000
        report.sizeBytes = sent.bytes + now.bytes
        report.unitsLost += source.lostFrames
        return report
    }

    // MARK: Inputs

    func start(at now: Instant) {
        do throws(PushFailure) {
            let address = try PushAddress(url)
            self.address = address
            state.location = address.server
            job.subscribe(subscription, output, isDurable: false, start: job.assignment.preroll == .none ? .live : .gop)
            onChange()
        } catch {
            fail(error, at: now)
        }
    }

    func subscribed(from position: UInt64) {}

    func receive(_ record: Record, at now: Instant) {
        guard phase == .running, gate.passes(record) else { return }
        switch limit.judge(record) {
        case .within: break
        case .behind: return
        case .over:
            onLimit("duration")
            return stop(at: now)
        }
        switch record.body {
        case .event(let event): apply(event)
        case .unit(let unit): push(unit, at: now)
        case .packet: break
        }
    }

    func drained(at now: Instant) {}

    func tick(at now: Instant) {
        if case .ending(let until) = phase, now >= until { return finish() }
        guard phase == .running, case .waiting(let until, _, _) = push.state, now >= until, let address else { return }
        apply(.retryDue, at: now)
        connect(to: address)
    }

    func feedEnded(_ reason: EndReason, at now: Instant) {
        if reason == .notFound && state.startedAt == 0 && phase == .running {
            endState = .failed
            state.errorCode = "not_found"
            state.errorMessage = "The room does not hold what this output names."
        }
        stop(at: now)
    }

    func limit(to duration: Duration?) { limit.duration = duration }

    func pause(at now: Instant) { gate.close() }

    func resume(at now: Instant) { gate.open() }

    func stop(at now: Instant) {
        guard phase == .running else { return }
        job.worker.send(.unsubscribe(subscription: subscription))
        guard case .live = push.state else { return finish() }
        phase = .ending(until: now + Self.endLimit)
        source.end()
    }

    func remove(at now: Instant) {
        if phase == .running { endState = .removed }
        stop(at: now)
    }

    func seal(at now: Instant) { stop(at: now) }

    // MARK: The feed

    private func apply(_ event: RoomEvent) {
        switch event {
        case .clock(let epoch): self.epoch = epoch
        case .missed(let from, let to): state.unitsLost += Int64(clamping: to - min(from, to))
        default:
            guard program.apply(event) else { return }
            source.setHasVideo(program.hasVideo)
            source.describe(metadata: .metadata(program.metadata), audioHeader: program.audioHeader)
            warnOfTracksLeftOut()
        }
    }

    private func push(_ unit: Unit, at now: Instant) {
        state.unitsIn += 1
        do {
            guard let frame = try program.frame(of: unit) else { return }
            source.append(frame, at: now)
            // Not before there is something to send: a destination drops who publishes nothing.
            if connectionNumber == 0, frame.isKey || !program.hasVideo, let address { connect(to: address) }
        } catch {
            state.unitsLost += 1  // it does not parse: dropped and counted, the stream goes on
        }
    }

    private func warnOfTracksLeftOut() {
        for track in program.leftOut where !state.warnings.contains(where: { $0.message.contains(track) }) {
            state.warnings.append(
                ReportedWarning(
                    code: "track_left_out", message: "RTMP carries one picture and one sound: \(track) is not pushed.",
                    remedy: "Name the participant or the tracks in source."))
            onChange()
        }
    }

    // MARK: The destination

    private func connect(to address: PushAddress) {
        connectionNumber += 1
        let (number, door, id) = (connectionNumber, job.worker.door, subscription)
        connection = .start(to: address, from: source) { event in
            door.post { $0.pushes[id]?.handle(event, of: number, at: Clocks.now()) }
        }
        job.worker.pushes[id] = self
    }

    private func handle(_ event: PushConnection.Event, of number: Int, at now: Instant) {
        guard number == connectionNumber, phase != .ended else { return }
        switch event {
        case .accepted:
            apply(.accepted, at: now)
            if state.state == .pending { state.state = .starting }
        case .started:
            state.state = .active
            if state.startedAt == 0 { state.startedAt = Clocks.wall().nanoseconds }
            (state.errorCode, state.errorMessage) = (nil, nil)
        case .ended: return finish()
        case .broke(let failure): broke(failure, at: now)
        }
        onChange()
    }

    private func broke(_ failure: PushFailure, at now: Instant) {
        keepCounts()
        guard phase == .running else { return finish() }
        job.worker.log.warning(
            "push broke", ["job": job.job, "output": output.id, "host": address?.host ?? "", "cause": failure.message])
        guard failure.isWorthRetrying else { return fail(failure, at: now) }
        apply(.broke(failure), at: now)
        state.state = .retrying
        state.retries += 1
        state.errorCode = failure.code
        state.errorMessage = failure.message
    }

    private func apply(_ event: PushOutput.Event, at now: Instant) {
        do {
            try push.apply(event, at: now)
        } catch {
            job.worker.log.debug("late event of a push", ["job": job.job, "output": output.id, "event": "\(event)"])
        }
    }

    private func keepCounts() {
        guard let last = connection?.progress else { return }
        sent.bytes += last.bytes
        sent.frames += last.frames
        sent.milliseconds += last.milliseconds
        connection = nil
    }

    private func fail(_ failure: PushFailure, at now: Instant) {
        endState = .failed
        state.errorCode = failure.code
        state.errorMessage = failure.message
        finish()
    }

    private func finish() {
        guard phase != .ended else { return }
        connection?.abort()
        keepCounts()
        phase = .ended
        job.worker.pushes[subscription] = nil
        if endState == .complete, state.startedAt == 0, state.errorCode != nil { endState = .failed }
        state.state = endState
        onChange()
    }
}
