import Feed
import FoundationEssentials
import Assignments
import LinkTransport
import Log
import MediaLoop
import Storage
import Timing

/// What a worker process does: takes jobs over its link, runs them on one loop, reports, seals all at the end. Lives on
/// that loop.
final class Worker: WorkerLinkDelegate {
    /// How long the last files may take once the gateway is gone or asked for the end.
    private static let sealLimit = Duration.seconds(10)
    static let tickInterval = Duration.milliseconds(100)

    private let context: WorkerContext
    private let mark: FlightMark?
    private let onEnd: @Sendable () -> Void
    private var link: WorkerLink?
    private var jobs: [String: EgressJob] = [:]
    private var consumers: [UInt32: (job: EgressJob, output: any OutputRunner)] = [:]
    /// Whose records came in this batch.
    private var touched: Set<UInt32> = []
    private var marked: String?
    private var sealUntil: Instant?
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    /// - Parameter onEnd: called on the loop's thread when all is sealed and nothing is left to do.
    init(_ options: WorkerOptions, on loop: EventLoop, pool: SyncPool, onEnd: @escaping @Sendable () -> Void) {
        context = WorkerContext(loop: loop, pool: pool, diskReserve: options.diskReserve)
        mark = options.flightMark.flatMap { FlightMark(path: $0) }
        self.onEnd = onEnd
        let link = WorkerLink(descriptor: options.linkDescriptor, name: options.name, on: loop, delegate: self)
        self.link = link
        context.link = link
        context.onSettled = { [unowned self] in settle(at: $0) }
    }

    // MARK: From the gateway

    func received(_ message: LinkMessage, at now: Instant) {
        switch message {
        case .record(let subscription, let record): receive(record, for: subscription, at: now)
        case .assign(let job, let fence, let body): assign(job, fence, body, at: now)
        case .command(let job, let fence, let body): command(job, fence, body, at: now)
        case .subscribed(let subscription, let position):
            consumers[subscription]?.output.subscribed(from: position)
        case .ended(let subscription, let reason): end(subscription, reason, at: now)
        case .shutdown: shutDown(at: now)
        case .hello, .ping, .pong, .subscribe, .unsubscribe, .acknowledge, .keyFrameRequest, .report: break
        }
    }

    func drained(at now: Instant) {
        for subscription in touched {
            guard let (job, output) = consumers[subscription] else { continue }
            enter(job.context.job)
            output.drained(at: now)
        }
        touched.removeAll(keepingCapacity: true)
        settle(at: now)
        leave()
    }

    func linkEnded(_ reason: String, at now: Instant) {
        context.log.warning("sealing all that runs", ["cause": reason, "jobs": jobs.count])
        link = nil
        beginEnd(at: now) { output in output.seal(at: now) }
    }

    /// Seals what runs, reports it, and ends.
    func shutDown(at now: Instant) {
        context.log.info("shutting down", ["jobs": jobs.count])
        beginEnd(at: now) { output in output.seal(at: now) }
    }

    // MARK: Jobs

    private func assign(_ name: String, _ fence: UInt64, _ body: [UInt8], at now: Instant) {
        guard sealUntil == nil, jobs[name] == nil else { return }
        do {
            let assignment = try decoder.decode(EgressAssignment.self, from: Data(body))
            let job = EgressJob(JobContext(job: name, fence: fence, assignment: assignment, worker: context))
            jobs[name] = job
            context.log.info(
                "job taken",
                ["job": name, "egress": assignment.egress, "attempt": assignment.attempt, "outputs": job.outputNames])
            enter(name)
            job.start(at: now)
            adopt(job)
        } catch {
            context.log.error("assignment not understood", ["job": name, "cause": "\(error)"])
            report(JobReport(outputs: [], isFinal: true), of: name, fence)
        }
    }

    private func command(_ name: String, _ fence: UInt64, _ body: [UInt8], at now: Instant) {
        guard let job = jobs[name], job.context.fence == fence else { return }
        do {
            let command = try decoder.decode(JobCommand.self, from: Data(body))
            enter(name)
            job.apply(command, at: now)
            adopt(job)
        } catch {
            context.log.error("command not understood", ["job": name, "cause": "\(error)"])
        }
    }

    /// Makes the outputs of `job` known by their subscriptions.
    private func adopt(_ job: EgressJob) {
        for output in job.outputs where !output.isEnded { consumers[output.subscription] = (job, output) }
    }

    private func receive(_ record: Record, for subscription: UInt32, at now: Instant) {
        guard let (job, output) = consumers[subscription] else { return }
        enter(job.context.job)
        touched.insert(subscription)
        if job.context.assignment.poison, case .unit = record.body { preconditionFailure("poisoned job (test hook)") }
        output.receive(record, at: now)
    }

    private func end(_ subscription: UInt32, _ reason: EndReason, at now: Instant) {
        guard let (job, output) = consumers[subscription] else { return }
        enter(job.context.job)
        if touched.remove(subscription) != nil { output.drained(at: now) }
        output.feedEnded(reason, at: now)
    }

    // MARK: Time

    /// Whether time matters: there are jobs, or it is to end. Else only the link wakes it.
    var isBusy: Bool { !jobs.isEmpty || sealUntil != nil }

    /// Called ``tickInterval`` apart while it ``isBusy``.
    func tick(at now: Instant) {
        for job in jobs.values {
            enter(job.context.job)
            job.tick(at: now)
        }
        settle(at: now)
        leave()
    }

    /// Sends what is to be told, forgets what has ended, and ends when asked to.
    private func settle(at now: Instant) {
        for (name, job) in jobs {
            guard var report = job.takeReport(at: now) else { continue }
            if sealUntil != nil { report.isSealed = true }  // one output may be done before the others are
            self.report(report, of: name, job.context.fence)
            if report.isFinal { forget(name, job) }
        }
        link?.flush()
        guard let sealUntil, jobs.isEmpty || now >= sealUntil else { return }
        if !jobs.isEmpty { context.log.error("files left unsealed", ["jobs": jobs.count]) }
        onEnd()
    }

    private func forget(_ name: String, _ job: EgressJob) {
        jobs[name] = nil
        for output in job.outputs { consumers[output.subscription] = nil }
        context.log.info("job done", ["job": name])
    }

    private func report(_ report: JobReport, of job: String, _ fence: UInt64) {
        guard let body = try? encoder.encode(report) else { return }
        link?.send(.report(job: job, fence: fence, body: Array(body)))
    }

    private func beginEnd(at now: Instant, _ seal: (any OutputRunner) -> Void) {
        guard sealUntil == nil else { return }
        sealUntil = now + Self.sealLimit
        for job in jobs.values {
            enter(job.context.job)
            for output in job.outputs { seal(output) }
        }
        settle(at: now)
        leave()
    }

    // MARK: The mark of the job in flight

    private func enter(_ job: String) {
        guard marked != job else { return }
        marked = job
        mark?.set(job)
    }

    private func leave() {
        marked = nil
        mark?.clear()
    }
}
