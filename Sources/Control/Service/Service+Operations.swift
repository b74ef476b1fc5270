import Config
import FoundationEssentials
import MediaLoop
import Storage
import Store
import Timing

extension Service {
    public func jobs(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<JobRecord> {
        var wanted = JobQuery()
        wanted.room = query.room
        wanted.createdAfter = query.createdAfter?.wallTime
        if let state = query.state { wanted.states = JobState(rawValue: state).map { [$0] } ?? [] }
        if let active = query.active {
            wanted.states = Set(JobState.allCases.filter { $0.isEnded != active })
        }
        if let cursor = query.cursor { wanted.after = Cursor(text: cursor.id) }
        var records: [JobRecord] = []
        var next: String?
        repeat {
            let asked = wanted
            let page = try await translating { try await self.store.jobs(asked) }
            for job in page.items where caller.maySee(room: job.room ?? "") {
                guard records.count < query.limit else { return Page(items: records, nextCursor: next) }
                records.append(await jobRecord(job))
                next = ListCursor(createdAt: 0, id: Cursor(after: job).text).text
            }
            wanted.after = page.next
        } while wanted.after != nil
        return Page(items: records)
    }

    public func job(_ id: String, caller: Caller) async throws(ServiceError) -> JobRecord {
        let job = try await translating { try await self.store.job(id) }
        guard let job, caller.maySee(room: job.room ?? "") else {
            throw ServiceError(.notFound, "There is no job `\(id)`.")
        }
        return await jobRecord(job)
    }

    private func jobRecord(_ job: Job) async -> JobRecord {
        var record = JobRecord(
            id: job.id, type: job.kind, subject: job.subject, room: job.room ?? "", state: job.state,
            attempt: job.attempt, workerId: job.worker, createdAt: Timestamp(job.createdAt))
        record.startedAt = job.startedAt.map { Timestamp($0) }
        record.endedAt = job.endedAt.map { Timestamp($0) }
        record.queue = await egressControl.record(job.subject)?.queue
        record.error = job.error.map { Notice(code: ErrorCode.internalError.rawValue, message: $0, remedy: "") }
        if let error = try? await egressNotice(job.subject) { record.error = error }
        return record
    }

    private func egressNotice(_ id: String) async throws -> Notice? {
        if let running = await egressControl.record(id) { return running.error }
        guard let document = try await store.document(.egress, id: id) else { return nil }
        return try JSONDecoder().decode(EgressRun.self, from: Data(document.body)).record.error
    }

    public func workers(caller: Caller) async throws(ServiceError) -> [WorkerRecord] {
        var records = await egressControl.workerRecords()
        for index in records.indices {
            var seen: [String] = []
            for job in records[index].jobs where caller.maySee(room: await egressControl.room(ofJob: job) ?? "") {
                seen.append(job)
            }
            records[index].jobs = seen
        }
        return records
    }

    public func pipelines(caller: Caller) async throws(ServiceError) -> [PipelineRecord] {
        try loadPipelines().map { (pipeline) throws(ServiceError) in try record(of: pipeline) }
    }

    public func pipeline(_ name: String, caller: Caller) async throws(ServiceError) -> PipelineRecord {
        guard let found = try loadPipelines().first(where: { $0.name == name }) else {
            throw ServiceError(.notFound, "There is no pipeline `\(name)`.")
        }
        return try record(of: found)
    }

    func loadPipelines() throws(ServiceError) -> [Pipeline] {
        guard let folder = PipelineFolder(of: configuration) else { return [] }
        do throws(ConfigurationError) {
            return try folder.load()
        } catch {
            throw ServiceError(.unavailable, "A pipeline file is wrong: \(error)", remedy: "sluice pipelines check")
        }
    }

    /// The request that a pipeline stands for.
    func pipelineRequest(_ pipeline: Pipeline, room: String) throws(ServiceError) -> CreateEgress {
        guard case .object(var members) = try json(of: pipeline) else {
            throw ServiceError(.internalError, "A pipeline is no object.")
        }
        members.removeAll { ["name", "title", "description", "room"].contains($0.name) }
        members.append(JSONMember("room", .string(room)))
        return try CreateEgress(.object(members))
    }

    private func record(of pipeline: Pipeline) throws(ServiceError) -> PipelineRecord {
        PipelineRecord(name: pipeline.name, description: pipeline.title, spec: try json(of: pipeline))
    }

    private func json(of pipeline: Pipeline) throws(ServiceError) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder().encode(pipeline))
        } catch {
            throw ServiceError(.internalError, "A pipeline cannot be shown: \(error)")
        }
    }

    // MARK: Health

    /// One check a loop: it is ok while the loop answered within 2 s. Not ok: restart me.
    public func liveness() -> [HealthCheck] {
        let silence = Clocks.now() - plane.lastTurnAt
        return [
            HealthCheck(
                name: "media-0", ok: silence < .seconds(2), detail: "last turn \(Int(silence.inSeconds * 1000)) ms ago",
                remedy: silence < .seconds(2) ? "" : "Restart the gateway.")
        ]
    }

    public func readiness() async -> Readiness {
        let draining = await egressControl.isDraining
        let workers = await egressControl.workerRecords().contains { $0.state == .ready }
        let ports = "http \(configuration.http.port), rtmp \(rtmpPort)" + (rtmpsPort.map { ", rtmps \($0)" } ?? "")
        return Readiness(
            checks: [
                HealthCheck(
                    name: "listeners", ok: plane.isListening, detail: plane.isListening ? ports : "closed",
                    remedy: plane.isListening ? "" : "Start the gateway again."),
                await storeCheck(),
                HealthCheck(
                    name: "workers", ok: workers, detail: workers ? "at least one ready" : "none is ready",
                    remedy: workers ? "" : "See the log: why does sluice-worker not start?"),
                diskCheck(),
                auditCheck(),
                HealthCheck(
                    name: "draining", ok: !draining, detail: draining ? "shutting down" : "no",
                    remedy: draining ? "Ask again when the gateway has started anew." : ""),
            ] + liveness())
    }

    private func storeCheck() async -> HealthCheck {
        do {
            try await store.probe()
            return HealthCheck(name: "store", ok: true, detail: "writable")
        } catch {
            return HealthCheck(name: "store", ok: false, detail: error.message, remedy: error.remedy)
        }
    }

    private func diskCheck() -> HealthCheck {
        do {
            let space = try storage.space()
            let reserve = Int64(configuration.limits.diskReserveBytes)
            let isEnough = space.free > reserve
            return HealthCheck(
                name: "disk", ok: isEnough, detail: "\(space.free >> 20) MiB free, \(reserve >> 20) MiB kept",
                remedy: isEnough ? "" : "Free space, or lower limits.disk_reserve.")
        } catch {
            return HealthCheck(name: "disk", ok: false, detail: error.message, remedy: "Check the data folder's disk.")
        }
    }
}
