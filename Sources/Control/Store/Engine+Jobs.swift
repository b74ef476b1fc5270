import SQLite
import Timing

extension Engine {
    /// - Returns: the job after the step.
    func apply(_ step: JobChange) throws(StoreError) -> Job {
        switch step {
        case .enqueue(let new):
            return try enqueue(new)
        case .lease(let id, _, _), .start(let id, _, _), .requeue(let id, _, _), .finish(let id, _, _, _, _):
            guard var job = try job(id) else { throw .unknownJob(id) }
            try job.apply(step)
            try update(job)
            return job
        }
    }

    private func enqueue(_ new: NewJob) throws(StoreError) -> Job {
        let job = Job(new, order: 0)
        let added = try database.modify(
            """
            INSERT INTO jobs (id, kind, subject, room, key_id, pipeline, milli_cores, memory_bytes, state, attempt, fence,
                created_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(job.id), .text(job.kind), .text(job.subject), .optional(job.room), .optional(job.keyID),
                .text(job.pipeline), .integer(Int64(job.needs.milliCores)), .integer(job.needs.memoryBytes),
                .text(job.state.rawValue), .integer(Int64(job.attempt)), .integer(job.fence),
                .integer(job.createdAt.nanoseconds),
            ])
        guard added == 1 else { throw .exists(id: job.id) }
        return Job(new, order: database.lastInsertedRow)
    }

    private func update(_ job: Job) throws(StoreError) {
        try database.modify(
            """
            UPDATE jobs SET state = ?2, attempt = ?3, fence = ?4, worker = ?5, leased_at = ?6, started_at = ?7,
                ended_at = ?8, error = ?9, requeue_reason = ?10
            WHERE position = ?1
            """,
            [
                .integer(job.order), .text(job.state.rawValue), .integer(Int64(job.attempt)), .integer(job.fence),
                .optional(job.worker), .optional(job.leasedAt?.nanoseconds), .optional(job.startedAt?.nanoseconds),
                .optional(job.endedAt?.nanoseconds), .optional(job.error), .optional(job.requeueReason),
            ])
    }

    func job(_ id: String) throws(StoreError) -> Job? {
        try database.query("SELECT \(Self.jobColumns) FROM jobs WHERE id = ?1", [.text(id)], Self.job).first
    }

    func jobs(_ query: JobQuery) throws(StoreError) -> Page<Job> {
        let limit = PageLimit.clamped(query.limit)
        var filter = Filter()
        filter.add("state", among: query.states.map(\.rawValue).sorted())
        if let kind = query.kind { filter.add("kind = ?", .text(kind)) }
        if let subject = query.subject { filter.add("subject = ?", .text(subject)) }
        if let room = query.room { filter.add("room = ?", .text(room)) }
        if let time = query.createdAfter { filter.add("created_at > ?", .integer(time.nanoseconds)) }
        if let cursor = query.after { filter.add("position < ?", .integer(cursor.position)) }
        let found = try database.query(
            "SELECT \(Self.jobColumns) FROM jobs \(filter.clause) ORDER BY position DESC LIMIT \(limit + 1)",
            filter.values, Self.job)
        let items = Array(found.prefix(limit))
        return Page(items: items, next: found.count > limit ? items.last.map(Cursor.init(after:)) : nil)
    }

    func unfinishedJobs() throws(StoreError) -> [Job] {
        var filter = Filter()
        filter.add("state", among: JobState.allCases.filter { !$0.isEnded }.map(\.rawValue))
        return try database.query(
            "SELECT \(Self.jobColumns) FROM jobs \(filter.clause) ORDER BY position", filter.values, Self.job)
    }

    private static let jobColumns = """
        position, id, kind, subject, room, key_id, pipeline, milli_cores, memory_bytes, state, attempt, fence, worker, \
        created_at, leased_at, started_at, ended_at, error, requeue_reason
        """

    private static func job(_ row: Statement) -> Job {
        let time = { (column: Int) in row.optionalInt64(column).map { WallTime(nanoseconds: $0) } }
        return Job(
            id: row.text(1), order: row.int64(0), kind: row.text(2), subject: row.text(3), room: row.optionalText(4),
            keyID: row.optionalText(5), pipeline: row.text(6),
            needs: Needs(milliCores: Int(row.int64(7)), memoryBytes: row.int64(8)),
            // A state that this version does not know is nothing it could run.
            state: JobState(rawValue: row.text(9)) ?? .failed, attempt: Int(row.int64(10)), fence: row.int64(11),
            worker: row.optionalText(12), createdAt: WallTime(nanoseconds: row.int64(13)), leasedAt: time(14),
            startedAt: time(15), endedAt: time(16), error: row.optionalText(17), requeueReason: row.optionalText(18))
    }
}
