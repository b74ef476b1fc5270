public import Timing

/// One move of a job. Each names the fence that its author holds; a stale one fails the whole commit as `fenced`.
public enum JobChange: Equatable, Sendable {
    case enqueue(NewJob)
    /// Gives a queued job to a worker, with a new fence.
    case lease(job: String, worker: String, at: WallTime)
    case start(job: String, fence: Int64, at: WallTime)
    /// Takes the job from its worker and puts it back at its place in the line, with a new fence.
    case requeue(job: String, fence: Int64, reason: String)
    case finish(job: String, fence: Int64, JobEnd, error: String?, at: WallTime)
}

public enum JobEnd: String, Sendable, CaseIterable {
    case succeeded, failed, cancelled

    public var state: JobState {
        switch self {
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
}

/// Which state may follow which.
public enum JobTransitions {
    /// A job may end from the line too: it was cancelled there, or it had run before, went back to the line because its
    /// source was away, and the source never came back (what was recorded by then is complete).
    public static let table: [JobState: Set<JobState>] = [
        .queued: [.leased, .succeeded, .failed, .cancelled],
        .leased: [.running, .queued, .succeeded, .failed, .cancelled],
        .running: [.queued, .succeeded, .failed, .cancelled],
        .succeeded: [],
        .failed: [],
        .cancelled: [],
    ]

    public static func allows(_ from: JobState, _ to: JobState) -> Bool { table[from, default: []].contains(to) }
}

extension Job {
    init(_ new: NewJob, order: Int64) {
        self.init(
            id: new.id, order: order, kind: new.kind, subject: new.subject, room: new.room, keyID: new.keyID,
            pipeline: new.pipeline, needs: new.needs, createdAt: new.createdAt)
    }

    /// Moves the job as `change` says. Every store calls this: the rules are not the database's.
    /// - Throws: `fenced`, or `jobState` when the table does not have the move. The job is then unchanged.
    mutating func apply(_ change: JobChange) throws(StoreError) {
        switch change {
        case .enqueue:
            throw .exists(id: id)
        case .lease(_, let worker, let time):
            try move(to: .leased, fence: nil)
            attempt += 1
            fence += 1
            self.worker = worker
            leasedAt = time
        case .start(_, let fence, let time):
            try move(to: .running, fence: fence)
            startedAt = startedAt ?? time
        case .requeue(_, let fence, let reason):
            try move(to: .queued, fence: fence)
            self.fence += 1
            requeueReason = reason
        case .finish(_, let fence, let end, let error, let time):
            try move(to: end.state, fence: fence)
            self.error = error
            endedAt = time
        }
    }

    private mutating func move(to next: JobState, fence presented: Int64?) throws(StoreError) {
        if let presented, presented != fence { throw .fenced(job: id, presented: presented, current: fence) }
        guard JobTransitions.allows(state, next) else { throw .jobState(job: id, from: state, to: next) }
        state = next
    }
}
