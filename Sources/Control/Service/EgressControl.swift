import FoundationEssentials
import Assignments
import Jobs
import Log
import MediaLoop
import Storage
import Store
import Timing

/// Runs every egress: durable first, then in line, then in a worker, until its one final state.
///
/// The actor is the shell; what follows what is in ``EgressRun``, ``JobQueue``, ``CrashPolicy`` and ``WorkerHealth``.
actor EgressControl {
    struct Limits: Sendable {
        var capacity: Needs
        var resumeWithin: Duration
        /// Where recordings go.
        var root: String
        /// What recordings leave free of that disk.
        var diskReserveBytes: Int
    }

    /// What one pass-through egress takes of the machine: more than three times what was measured (README, "Figures").
    static let passthroughNeeds = Needs(milliCores: 5, memoryBytes: 2 << 20)

    let store: any Store
    let plane: MediaPlane
    private let manifests: ManifestWriter?
    private(set) var limits: Limits
    let log = Logger("egress")
    var entries: [String: Entry] = [:]
    var egressByJob: [String: String] = [:]
    var queue: JobQueue
    var crashes = CrashPolicy()
    var workers: WorkerTable
    var backoff = StartBackoff()
    var counters = EgressCounters()
    /// When the shared worker is started again, after one that died as it started.
    var sharedDue: Instant?
    var isDraining = false
    /// The rooms into which media flows now.
    var flowing: Set<String> = []
    /// A batch of changes is on its way to the store.
    var isWriting = false
    /// The store took nothing: what is pending is tried again.
    var mustRetry = false
    let dirty: AsyncStream<Void>
    let markDirty: AsyncStream<Void>.Continuation

    /// An egress, and where it stands between memory, store and worker.
    struct Entry: Sendable {
        var run: EgressRun
        /// Its place in line and its needs; its state moves on in ``run``.
        let job: Job
        var version: Int64
        /// As the store has it once ``pending`` is written: each lease and each requeue raises it.
        var fence: Int64
        /// Set while a worker has the job.
        var worker: String?
        /// When a wait is over: for media to begin, or for a room to come back after a restart.
        var deadline: Instant?
        /// Since when the room has no media.
        var emptySince: Instant?
        /// What is not in the store yet; a lease is told to the worker once it is.
        var pending = PendingWrite()
        /// The state that the log was last told of.
        var loggedState: EgressState?
    }

    struct PendingWrite: Sendable {
        var isDirty = false
        var jobs: [JobChange] = []
        var events: [EventRow] = []
        var assignsAfter = false
        var hasEnded = false
    }

    init(
        store: any Store, plane: MediaPlane, limits: Limits, workers: WorkerTable, manifests: ManifestWriter? = nil
    ) {
        self.manifests = manifests
        self.store = store
        self.plane = plane
        self.limits = limits
        self.workers = workers
        queue = JobQueue(capacity: limits.capacity)
        (dirty, markDirty) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Takes the limits of a configuration that was read anew.
    func use(_ limits: Limits) {
        self.limits = limits
        queue.capacity = limits.capacity
        pump()
    }

    // MARK: Requests

    /// Makes the egress durable and starts it, or puts it in line.
    func create(_ run: EgressRun, answer: Answer<EgressRecord>?) async throws -> EgressRecord {
        let needs = Self.passthroughNeeds
        let startsNow = queue.promise(needs)
        defer {
            if startsNow { queue.takeBack(needs) }
            pump()
        }
        var run = run
        let now = Clocks.wall()
        var jobs: [JobChange] = [.enqueue(newJob(run, needs, at: now))]
        let worker = startsNow ? pickWorker(.shared) : nil
        if let worker {
            jobs.append(.lease(job: run.job, worker: worker, at: now))
            run.leased()
            counters.noteLease(after: .zero)
        }
        let tapes = try run.tapeRecords.map { DocumentChange.put(try $0.document(), expected: nil) }
        var change = Change(
            documents: [.put(try document(run), expected: nil)] + tapes, jobs: jobs,
            events: [event("egress_created", run.record)])
        change.answer = answer?(run.record)
        let committed = try await store.commit(change)
        guard let job = committed.jobs.last else { throw ServiceError(.internalError, "The store gave no job back.") }
        var entry = Entry(run: run, job: job, version: committed.documents.first?.version ?? 1, fence: job.fence)
        if !flowing.contains(run.record.roomId) {
            entry.emptySince = Clocks.now()
            entry.deadline = Clocks.now() + .seconds(run.waitSeconds)
        }
        entries[run.record.id] = entry
        egressByJob[run.job] = run.record.id
        log.info(
            "egress created",
            ["job": run.job, "egress": run.record.id, "room": run.record.room, "outputs": run.outputs.count])
        if let worker {
            queue.adopt(job)
            assign(run.record.id, to: workers.isAlive(worker) ? worker : pickWorker(.shared))
        } else {
            queue.enqueue(job)
            pump()
        }
        return record(run.record.id) ?? run.record
    }

    func record(_ id: String) -> EgressRecord? {
        guard let entry = entries[id] else { return nil }
        var record = entry.run.record
        record.queue = queue.info(of: entry.run.job).map {
            QueueRecord(
                position: $0.position, waitingFor: $0.waitingFor.rawValue,
                needs: ResourceRecord(milliCores: $0.needs.milliCores, memoryBytes: $0.needs.memoryBytes))
        }
        return record
    }

    /// The tapes that it writes; none once it has ended.
    func tapes(of id: String) -> [TapeRecord] { entries[id]?.run.tapeRecords ?? [] }

    /// Records that have not ended, by room id.
    func activeCount(room id: String) -> Int { entries.values.count { $0.run.record.roomId == id } }

    /// - Returns: `nil` if it has ended, or was never there.
    func stop(_ id: String, because reason: String = "stop_requested") -> Outcome<EgressRecord>? {
        guard let entry = entries[id] else { return nil }
        guard entry.run.isOpen else { return record(id).map { Outcome($0, didChange: false) } }
        end(id, because: reason)
        return (record(id) ?? entries[id]?.run.record ?? entry.run.record).outcome(didChange: true)
    }

    /// - Returns: `nil` if it has ended, or is about to.
    /// - Throws: `conflict` when it has an output of that id, or as many as it takes.
    func add(_ output: OutputAssignment, as record: OutputRecord, to id: String) async throws -> EgressRecord? {
        guard var run = entries[id]?.run, run.isOpen else { return nil }
        try run.add(output, as: record)
        if let tape = run.tapeRecords.first(where: { $0.output == output.id }) {
            try await store.commit(Change(documents: [.put(try tape.document(), expected: nil)]))
            guard var present = entries[id]?.run, present.isOpen, (try? present.add(output, as: record)) != nil else {
                // It has ended meanwhile, or got another output of that id.
                try await store.commit(Change(documents: [.delete(.tape, id: tape.id, expected: 1)]))
                return try await add(output, as: record, to: id)
            }
            run = present
        }
        entries[id]?.run = run
        changed(id, event: "egress_updated")
        command(.addOutput(output), to: id)
        return self.record(id)
    }

    func remove(_ output: String, from id: String) -> EgressRecord? {
        guard let entry = entries[id], entry.run.isOpen,
            let index = entry.run.record.outputs.firstIndex(where: { $0.id == output }),
            !entry.run.record.outputs[index].state.isFinal
        else { return record(id) }
        if entry.worker == nil, entry.run.record.outputs[index].startedAt == nil {
            entries[id]?.run.record.outputs[index].state = .removed
        } else {
            entries[id]?.run.removals.append(output)
            command(.removeOutput(id: output), to: id)
        }
        changed(id, event: "egress_updated")
        return record(id)
    }

    /// - Returns: `nil` if it has ended, or was never there.
    func patch(_ patch: PatchEgress, on id: String) throws(ServiceError) -> EgressRecord? {
        guard var run = entries[id]?.run, !run.record.state.isFinal else { return nil }
        run.record.labels = try patch.applied(toLabels: run.record.labels)
        run.limits = patch.applied(toLimits: run.limits)
        entries[id]?.run = run
        changed(id, event: "egress_updated")
        command(.setLimits(durationSeconds: run.limits.durationSeconds, bytes: run.limits.bytes), to: id)
        return record(id)
    }

    // MARK: What the room tells

    /// Media in the room `roomID` flows now, or has stopped.
    func media(room roomID: String, flows: Bool) {
        let now = Clocks.now()
        if flows { flowing.insert(roomID) } else { flowing.remove(roomID) }
        for (id, entry) in entries where entry.run.record.roomId == roomID && entry.run.isOpen {
            // Without a worker it goes on waiting, until one says that it records again.
            if !flows || entry.worker != nil { entries[id]?.run.media(flows: flows) }
            entries[id]?.emptySince = flows ? nil : (entry.emptySince ?? now)
            if entry.run.record.state != entries[id]?.run.record.state { changed(id, event: "egress_updated") }
            guard flows, entry.deadline != nil else { continue }
            entries[id]?.deadline = nil
            if entry.worker == nil, entry.run.hasBegun { lineUp(id, because: "the room is back") }
        }
        pump()
    }

    func roomClosed(_ roomID: String) {
        for (id, entry) in entries where entry.run.record.roomId == roomID { end(id, because: "room_closed") }
    }

    // MARK: Ending

    /// Ends the egress: a worker finishes its files; one that is only in line is over at once.
    func end(_ id: String, because reason: String) {
        guard let entry = entries[id], entry.run.isOpen else { return }
        entries[id]?.run.end(because: reason)
        // A worker that never said hello holds nothing: should it come yet, it is told to stop.
        let isHeld = entry.worker.map { workers[$0]?.processID != 0 } ?? false
        if entry.worker != nil, isHeld || entry.run.hasBegun {
            changed(id, event: "egress_ending")
            command(.stop, to: id)
        } else if entry.run.hasBegun {
            // A file is there that nobody holds: a worker is needed to make it an ordinary one.
            changed(id, event: "egress_ending")
            entries[id]?.deadline = nil
            lineUp(id, because: reason)
            pump()
        } else {
            command(.stop, to: id)
            finish(id, limitReached: false)
        }
    }

    func finish(_ id: String, limitReached: Bool, cause: Notice? = nil) {
        guard var entry = entries[id], !entry.run.record.state.isFinal else { return }
        let now = Clocks.wall()
        let end = entry.run.finish(limitReached: limitReached, cause: cause, at: now)
        if let worker = entry.worker { withdraw(entry.run.job, from: worker) }
        if cause != nil { removeEmptyFiles(of: entry.run.record) }
        entry.worker = nil
        entry.deadline = nil
        let verdict: JobEnd =
            switch end {
            case .succeeded: .succeeded
            case .cancelled: .cancelled
            case .failed: .failed
            }
        entry.pending.jobs.append(
            .finish(job: entry.run.job, fence: entry.fence, verdict, error: entry.run.record.error?.message, at: now))
        entry.pending.hasEnded = true
        entries[id] = entry
        queue.remove(entry.run.job)
        crashes.forget(entry.run.job)
        counters.noteEnd(of: entry.run.record)
        log.info(
            "egress ended",
            [
                "job": entry.run.job, "egress": id, "state": entry.run.record.state.rawValue,
                "reason": entry.run.record.stateReason ?? "",
                "outputs": entry.run.record.outputs.map { "\($0.id)=\($0.state.rawValue)" }.joined(separator: " "),
            ])
        changed(id, event: "egress_ended")
        writeManifests(of: id)
        pump()
    }

    /// Puts the manifest beside each recording that holds something.
    func writeManifests(of id: String) {
        guard let run = entries[id]?.run, run.hasBegun else { return }
        manifests?.write(run.manifest, to: run.record.outputs.filter { $0.startedAt != nil }.compactMap(\.manifestPath))
    }

    /// The disk's reserve is reached: every file that is written is sealed, and what else its egress has goes on.
    func endFiles(because code: ErrorCode) {
        let cause = Notice(code, "the recording was ended before the disk was full")
        for id in Array(entries.keys) where entries[id]?.run.isOpen == true {
            guard let files = entries[id]?.run.cutFiles(because: cause), !files.isEmpty else { continue }
            guard entries[id]?.run.hasMoreThanCuts == true else {
                end(id, because: code.rawValue)
                continue
            }
            entries[id]?.run.removals += files
            for file in files { command(.removeOutput(id: file), to: id) }
            changed(id, event: "egress_updated")
        }
    }

    /// Which tracks an egress takes; `nil` once it is to end.
    func selection(of id: String) -> OutputAssignment.Selection? {
        guard let run = entries[id]?.run, run.isOpen else { return nil }
        return run.outputs.first?.selection
    }

    // MARK: Shutting down

    /// Gives out no more work. What runs goes on until the workers are told to seal.
    func drain() { isDraining = true }

    /// True while media is recorded, or something is being finished. What waits for a source is sealed at once.
    var isBusy: Bool {
        entries.values.contains { entry in
            guard entry.worker != nil else { return false }
            return entry.run.endReason != nil || entry.run.record.state == .active
                || flowing.contains(entry.run.record.roomId)
        }
    }

    /// Tells the workers to seal what they have, waits for their end (five seconds), and writes the last changes.
    func flush() async {
        for id in workers.workers.keys { plane.shutDown(worker: id) }
        let limit = Clocks.now() + .seconds(5)
        while !workers.workers.isEmpty, Clocks.now() < limit { try? await Task.sleep(for: .milliseconds(10)) }
        let end = Clocks.now() + .seconds(3)
        while isWriting || entries.values.contains(where: { $0.pending.isDirty }), Clocks.now() < end {
            if await !persistBatch() { try? await Task.sleep(for: .milliseconds(5)) }
        }
    }

    /// Returns once what has ended is in the store as ended, so that its record may be changed there.
    func settle(_ id: String) async {
        let limit = Clocks.now() + .seconds(5)
        while entries[id]?.run.record.state.isFinal == true, Clocks.now() < limit {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    // MARK: After a restart

    /// Takes up what the last run of the gateway left: queued jobs go into line; recordings that had begun wait for their
    /// room, and are finished if it does not come back.
    func load() async throws {
        let now = Clocks.now()
        for job in try await store.unfinishedJobs() {
            guard let document = try await store.document(.egress, id: job.subject),
                var run = try? JSONDecoder().decode(EgressRun.self, from: Data(document.body))
            else {
                log.error(
                    "an egress of the last run cannot be read; it stays as it is",
                    ["job": job.id, "egress": job.subject])
                continue
            }
            run.jobState = job.state
            run.attempts = job.attempt
            run.survivedRestart()
            let id = run.record.id
            var entry = Entry(run: run, job: job, version: document.version, fence: job.fence)
            entry.deadline = now + (run.hasBegun ? limits.resumeWithin : .seconds(run.waitSeconds))
            entries[id] = entry
            egressByJob[job.id] = id
            changed(id, event: run.hasBegun ? "egress_waiting" : nil)
            lineUp(id, because: "the gateway was restarted")
        }
        try await forgetTapesOfNobody()
        if !entries.isEmpty { log.info("egress taken up again", ["count": entries.count]) }
    }

    /// A kill can come between the record of an output's tape and that of its egress: nobody writes such a tape.
    private func forgetTapesOfNobody() async throws {
        let written = Set(entries.values.flatMap { $0.run.tapeRecords.map(\.id) })
        var query = DocumentQuery(.tape)
        query.isActive = true
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items where !written.contains(document.id) {
                let tape = try? JSONDecoder().decode(TapeRecord.self, from: Data(document.body))
                guard let tape, entries[tape.egress] != nil else { continue }
                try await store.commit(
                    Change(documents: [.delete(.tape, id: document.id, expected: document.version)]))
            }
            query.after = page.next
        } while query.after != nil
    }

    /// What a worker that crashed made and never filled.
    private func removeEmptyFiles(of record: EgressRecord) {
        for path in record.filePaths {
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            let size = (facts?[.size] as? any BinaryInteger).flatMap { Int64(exactly: $0) }
            if size == 0 { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    // MARK: Persisting

    /// The record has changed: it goes to the store with the next batch.
    func changed(_ id: String, event kind: String?) {
        guard let record = entries[id]?.run.record else { return }
        entries[id]?.pending.isDirty = true
        if let kind {
            entries[id]?.pending.events.append(event(kind, record))
            logMove(id)
        }
        markDirty.yield()
    }

    /// One line for each state that an egress moves to, until its end, which has a line of its own.
    private func logMove(_ id: String) {
        guard let entry = entries[id], entry.run.record.state != entry.loggedState else { return }
        let state = entry.run.record.state
        entries[id]?.loggedState = state
        guard !state.isFinal else { return }
        log.info(
            "egress \(state.rawValue)",
            [
                "job": entry.run.job, "egress": id, "reason": entry.run.record.stateReason ?? "",
                "worker": entry.worker ?? "",
            ])
    }

    func event(_ kind: String, _ record: EgressRecord) -> EventRow {
        EventRow(kind, subject: record.id, room: record.room, roomID: record.roomId, record)
    }

    func document(_ run: EgressRun) throws -> Document {
        var document = Document(
            kind: .egress, id: run.record.id, createdAt: run.record.createdAt.wallTime, room: run.record.room,
            roomID: run.record.roomId, state: run.record.state.rawValue, isActive: !run.record.state.isFinal,
            labels: run.record.labels, keyID: run.record.keyId, body: Array(try JSONEncoder().encode(run)))
        document.updatedAt = run.record.updatedAt.wallTime
        return document
    }

    private func newJob(_ run: EgressRun, _ needs: Needs, at now: WallTime) -> NewJob {
        NewJob(
            id: run.job, kind: "egress", subject: run.record.id, room: run.record.room, keyID: run.record.keyId,
            pipeline: "passthrough", needs: needs, createdAt: now)
    }
}

extension EgressRecord {
    func outcome(didChange: Bool) -> Outcome<EgressRecord> { Outcome(self, didChange: didChange) }
}
