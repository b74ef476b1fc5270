import FoundationEssentials
import Glibc
import Assignments
import Jobs
import LinkTransport
import Log
import MediaLoop
import Store
import Timing

extension EgressControl {
    // MARK: Giving work out

    /// Starts whatever is next in line and has room.
    func pump() {
        guard !isDraining else { return }
        while let job = queue.startNext() {
            guard let id = egressByJob[job], entries[id] != nil else {
                queue.remove(job)
                continue
            }
            lease(id)
        }
    }

    /// Gives a queued egress to a worker: durable first, then the worker is told.
    private func lease(_ id: String) {
        guard let job = entries[id]?.run.job else { return }
        let worker = pickWorker(crashes.placement(of: job, at: Clocks.now()))
        workers.add(job: job, to: worker)
        entries[id]?.worker = worker
        entries[id]?.fence += 1
        entries[id]?.pending.jobs.append(.lease(job: job, worker: worker, at: Clocks.wall()))
        entries[id]?.pending.assignsAfter = true
        if let run = entries[id]?.run, run.attempts == 0 {
            counters.noteLease(after: Clocks.wall() - run.record.createdAt.wallTime)
        }
        entries[id]?.run.leased()
        changed(id, event: nil)
    }

    /// A job whose lease is durable already goes to its worker.
    func assign(_ id: String, to worker: String) {
        guard let job = entries[id]?.run.job else { return }
        workers.add(job: job, to: worker)
        entries[id]?.worker = worker
        tell(id, to: worker)
    }

    func tell(_ id: String, to worker: String) {
        guard let entry = entries[id], let body = encoded(entry.run.assignment) else { return }
        plane.assign(job: entry.run.job, fence: UInt64(clamping: entry.fence), body: body, to: worker)
        // What was said before it was assigned, or to a worker that died over it.
        for output in entry.run.removals { command(.removeOutput(id: output), to: id) }
        if entry.run.endReason != nil { command(.stop, to: id) }
    }

    func command(_ command: JobCommand, to id: String) {
        guard let entry = entries[id], let worker = entry.worker, let body = encoded(command) else { return }
        plane.command(job: entry.run.job, fence: UInt64(clamping: entry.fence), body: body, to: worker)
    }

    private func encoded(_ value: some Encodable) -> [UInt8]? {
        do {
            return Array(try JSONEncoder().encode(value))
        } catch {
            log.error("a command could not be encoded", ["error": "\(error)"])
            return nil
        }
    }

    /// Puts the job (again) at its place in line.
    func lineUp(_ id: String, because reason: String) {
        release(id, because: reason)
        if let job = entries[id]?.job { queue.enqueue(job) }
    }

    /// Takes the job from the worker that had it, in memory and in the store.
    private func release(_ id: String, because reason: String) {
        guard let entry = entries[id] else { return }
        if let worker = entry.worker { withdraw(entry.run.job, from: worker) }
        entries[id]?.worker = nil
        if entry.run.jobState == .leased || entry.run.jobState == .running {
            entries[id]?.pending.jobs.append(.requeue(job: entry.run.job, fence: entry.fence, reason: reason))
            entries[id]?.fence += 1
        }
        entries[id]?.run.lostWorker()
        changed(id, event: nil)
    }

    func withdraw(_ job: String, from worker: String) {
        workers.remove(job: job, from: worker)
        plane.withdraw(job: job, from: worker)
    }

    // MARK: Workers' lives

    /// A worker for `placement`, started now if there is none.
    func pickWorker(_ placement: Placement) -> String {
        if let known = workers.worker(for: placement) { return known }
        let id = Identifier.worker.make()
        workers.add(id, placement, at: Clocks.now(), wall: Clocks.wall())
        if placement == .shared {
            backoff.started(at: Clocks.now())
            sharedDue = nil
            queue.hasWorker = true
        }
        counters.noteWorkerStart()
        plane.startWorker(
            id, executable: workers.executable,
            environment: [
                "SLUICE_LOG_LEVEL=\(LogOutput.threshold.rawValue)", "SLUICE_FLIGHT_MARK=\(workers.markPath(of: id))",
                "SLUICE_DISK_RESERVE=\(limits.diskReserveBytes)",
                "PATH=/usr/bin:/bin", "SWIFT_BACKTRACE=enable=no",
            ])
        return id
    }

    func handle(_ event: LinkEvent) {
        switch event {
        case .connected(let worker, let processID):
            workers[worker]?.processID = processID
            workers[worker]?.health = WorkerHealth(at: Clocks.now())
            log.info("worker ready", ["worker": worker, "pid": processID])
        case .pong(let worker): workers[worker]?.health?.pong(at: Clocks.now())
        case .report(let worker, let job, let fence, let body): take(body, of: job, fence: fence, from: worker)
        case .closed(let worker, let cause, let held):
            for (job, position) in held { egressByJob[job].map { entries[$0]?.run.held(from: position) } }
            // Its end is told by the process; a link that broke alone leaves a worker that nobody can reach.
            log.warning("worker link closed", ["worker": worker, "cause": cause])
            plane.signal(SIGKILL, worker: worker)
        }
    }

    private func take(_ body: [UInt8], of job: String, fence: UInt64, from worker: String) {
        guard let id = egressByJob[job], let entry = entries[id], entry.worker == worker,
            UInt64(clamping: entry.fence) == fence
        else { return }
        guard let report = try? JSONDecoder().decode(JobReport.self, from: Data(body)) else {
            log.error("a worker's report could not be read", ["worker": worker, "job": job])
            return
        }
        let before = entry.run.record.state
        let finishedBefore = entry.run.finishedFiles
        counters.note(report, of: entry.run)
        let isTransition = entries[id]?.run.apply(report, at: Clocks.wall()) ?? false
        if before == .starting, entries[id]?.run.record.state == .active {
            counters.noteStart(after: Clocks.wall() - entry.run.record.createdAt.wallTime)
        }
        if entries[id]?.run.jobState == .leased {
            entries[id]?.run.jobState = .running
            entries[id]?.pending.jobs.append(.start(job: job, fence: entry.fence, at: Clocks.wall()))
            changed(id, event: nil)
        }
        if flowing.contains(entry.run.record.roomId) { entries[id]?.run.media(flows: true) }
        if report.isFinal, !entry.run.isCutShort(by: report) {
            return finish(id, limitReached: report.limitReached != nil)
        }
        if entries[id]?.run.finishedFiles != finishedBefore { writeManifests(of: id) }
        if isTransition || entries[id]?.run.record.state != before {
            let state = entries[id]?.run.record.state ?? before
            changed(id, event: state == before ? "egress_updated" : "egress_\(state.rawValue)")
        }
    }

    /// A worker's process has ended, or never began: its jobs go on in others, or fail by the crash rules.
    func workerEnded(_ worker: String, _ ending: WorkerEnding) {
        guard let dead = workers[worker] else { return }
        let mark = flightMark(of: worker)
        workers[worker] = nil
        plane.forget(worker: worker)
        let now = Clocks.now()
        let running = dead.jobs.filter { egressByJob[$0] != nil }
        guard !isDraining else {
            log.info("worker sealed what it had", ["worker": worker, "how": ending, "jobs": running.count])
            return sealed(running)
        }
        log.warning(
            "worker ended",
            ["worker": worker, "how": ending, "jobs": running.count, "at": mark ?? "none"])
        if !dead.isDraining { counters.noteWorkerEnd(dead.cause(of: ending)) }
        guard dead.processID != 0 else { return neverStarted(running, at: now) }
        // One that ended in good order was told to from outside, as by a SIGTERM to all processes of a service.
        let cause: WorkerEnding = dead.wasFrozen ? .frozen : ending == .exit(code: 0) ? .signal(SIGTERM) : ending
        let verdicts = crashes.workerDied(
            running: running, flightMark: mark, ending: cause,
            isShared: dead.placement != .alone, at: now)
        for (job, verdict) in verdicts {
            guard let id = egressByJob[job] else { continue }
            log.warning("a job lost its worker", ["job": job, "egress": id, "worker": worker, "verdict": "\(verdict)"])
            entries[id]?.worker = nil
            switch verdict {
            case .restart: restart(id, because: "\(ending)")
            case .fail(let cause): finish(id, limitReached: false, cause: Notice(.workerCrashed, cause))
            }
        }
        if dead.placement == .shared { replaceShared(hadJobs: !running.isEmpty, at: now) }
    }

    /// A worker that never said hello says nothing about its jobs: they wait until one can be started.
    private func neverStarted(_ jobs: [String], at now: Instant) {
        replaceShared(hadJobs: false, at: now)
        for job in jobs {
            guard let id = egressByJob[job] else { continue }
            entries[id]?.worker = nil
            lineUp(id, because: "the worker did not start")
        }
        pump()
    }

    /// The shared worker is always there; one that dies as it starts is started later and later.
    private func replaceShared(hadJobs: Bool, at now: Instant) {
        let delay = backoff.died(hadJobs: hadJobs, at: now)
        guard delay > .zero else { return _ = pickWorker(.shared) }
        log.error("the worker ends as it starts; the next try waits", ["seconds": delay.inSeconds])
        sharedDue = now + delay
        queue.hasWorker = false
    }

    /// The gateway shuts down, and a worker has sealed its files: the next process goes on with these jobs.
    private func sealed(_ jobs: [String]) {
        for job in jobs {
            guard let id = egressByJob[job] else { continue }
            entries[id]?.worker = nil
            entries[id]?.run.survivedRestart()
            changed(id, event: "egress_waiting")
        }
    }

    /// The room of the egress whose job runs or waits.
    func room(ofJob job: String) -> String? { egressByJob[job].flatMap { entries[$0]?.run.record.room } }

    func workerRecords() -> [WorkerRecord] {
        workers.workers.values.sorted { $0.startedAt < $1.startedAt }.map { worker in
            let capacity = ResourceRecord(
                milliCores: limits.capacity.milliCores, memoryBytes: limits.capacity.memoryBytes)
            let count = worker.jobs.count
            let needs = Self.passthroughNeeds
            let state: WorkerRecord.State =
                worker.wasFrozen ? .lost : worker.isDraining ? .draining : worker.health == nil ? .starting : .ready
            return WorkerRecord(
                id: worker.id, processId: Int(worker.processID), state: state, startedAt: worker.startedAt,
                capacity: capacity,
                used: ResourceRecord(
                    milliCores: count * needs.milliCores, memoryBytes: Int64(count) * needs.memoryBytes),
                jobs: worker.jobs)
        }
    }

    /// Straight to another worker: a job that has its place keeps it.
    private func restart(_ id: String, because reason: String) {
        release(id, because: reason)
        lease(id)
    }

    private func flightMark(of worker: String) -> String? {
        let path = workers.markPath(of: worker)
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let text = String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }

    // MARK: Time

    /// Deadlines, heartbeats and workers without work. Call it each second.
    func advance(to now: Instant) {
        for id in Array(workers.workers.keys) { beat(id, at: now) }
        if let due = sharedDue, due <= now, !isDraining {
            sharedDue = nil
            queue.hasWorker = true
            _ = pickWorker(.shared)
            pump()
        }
        for (id, entry) in entries {
            if let deadline = entry.deadline, deadline <= now { expire(id) }
            // While it waits for its first media, or to go on after a restart, its deadline counts.
            if entry.deadline == nil, let since = entry.emptySince, let limit = entry.run.limits.emptySeconds,
                since + .seconds(limit) <= now
            {
                end(id, because: EgressRun.roomEmpty)
            }
        }
    }

    private func expire(_ id: String) {
        guard let entry = entries[id] else { return }
        entries[id]?.deadline = nil
        end(id, because: entry.run.hasBegun ? "source_gone" : "no_media")
    }

    private func beat(_ id: String, at now: Instant) {
        if let worker = workers[id], worker.health == nil, worker.helloDue <= now, !worker.wasFrozen {
            log.error("worker did not say hello: killed", ["worker": id])
            workers[id]?.wasFrozen = true
            plane.signal(SIGKILL, worker: id)
        }
        workers[id]?.health?.advance(to: now)
        while let output = workers[id]?.health?.pollOutput() {
            switch output {
            case .ping(let number): plane.ping(number, worker: id)
            case .kill(let silence):
                log.error("worker answers no more: killed", ["worker": id, "seconds": silence.inSeconds])
                workers[id]?.wasFrozen = true
                plane.signal(SIGKILL, worker: id)
            case .wait: return retire(id)
            }
        }
    }

    /// A worker that was started for suspects ends when they are done.
    private func retire(_ id: String) {
        guard let worker = workers[id], worker.placement != .shared, worker.jobs.isEmpty, !worker.isDraining else {
            return
        }
        workers[id]?.isDraining = true
        plane.shutDown(worker: id)
    }
}
