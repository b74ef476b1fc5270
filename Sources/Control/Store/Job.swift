public import Timing

/// What a job takes of a machine while it runs.
public struct Needs: Hashable, Sendable, Codable {
    /// 1000 is one core.
    public var milliCores: Int
    public var memoryBytes: Int64

    public init(milliCores: Int, memoryBytes: Int64) {
        self.milliCores = milliCores
        self.memoryBytes = memoryBytes
    }
}

public enum JobState: String, Sendable, CaseIterable, Codable {
    /// Durable, in line, no worker has it.
    case queued
    /// Given to a worker that has not yet said that it began.
    case leased
    case running
    case succeeded
    case failed
    case cancelled

    public var isEnded: Bool {
        switch self {
        case .queued, .leased, .running: false
        case .succeeded, .failed, .cancelled: true
        }
    }
}

/// One piece of work in the queue. `JobChange` moves it; nothing else does.
public struct Job: Equatable, Sendable {
    /// `JB_…`
    public let id: String
    /// Strictly rising in the order of commit; a job that is queued again keeps its place.
    public internal(set) var order: Int64
    /// What is to be done, as `egress`.
    public let kind: String
    /// For whom, as `EG_…`.
    public let subject: String
    public let room: String?
    public let keyID: String?
    public let pipeline: String
    public let needs: Needs
    public internal(set) var state = JobState.queued
    /// How often it was leased.
    public internal(set) var attempt = 0
    /// Rises whenever the job changes hands (leased, queued again): what carries an older number is from a holder that no
    /// longer has the job.
    public internal(set) var fence: Int64 = 0
    /// `WK_…` of its present or last holder.
    public internal(set) var worker: String?
    public let createdAt: WallTime
    public internal(set) var leasedAt: WallTime?
    public internal(set) var startedAt: WallTime?
    public internal(set) var endedAt: WallTime?
    /// Why it ended, unless it succeeded.
    public internal(set) var error: String?
    /// Why it was last queued again.
    public internal(set) var requeueReason: String?
}

/// A job to put at the end of the line.
public struct NewJob: Equatable, Sendable {
    public var id: String
    public var kind: String
    public var subject: String
    public var room: String?
    public var keyID: String?
    public var pipeline: String
    public var needs: Needs
    public var createdAt: WallTime

    public init(
        id: String, kind: String, subject: String, room: String? = nil, keyID: String? = nil, pipeline: String,
        needs: Needs, createdAt: WallTime
    ) {
        self.id = id
        self.kind = kind
        self.subject = subject
        self.room = room
        self.keyID = keyID
        self.pipeline = pipeline
        self.needs = needs
        self.createdAt = createdAt
    }
}
