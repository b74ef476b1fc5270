public import Store

/// What a job takes from a machine.
public struct ResourceRecord: Codable, Equatable, Sendable {
    /// Thousandths of one core.
    public var milliCores: Int
    public var memoryBytes: Int64

    public init(milliCores: Int, memoryBytes: Int64) {
        self.milliCores = milliCores
        self.memoryBytes = memoryBytes
    }
}

/// Where a job stands in the line, and why it waits.
public struct QueueRecord: Codable, Equatable, Sendable {
    /// 1 is next.
    public var position: Int
    /// As `cpu`, `memory`, `worker`.
    public var waitingFor: String
    public var needs: ResourceRecord

    public init(position: Int, waitingFor: String, needs: ResourceRecord) {
        self.position = position
        self.waitingFor = waitingFor
        self.needs = needs
    }
}

/// One piece of work for the workers.
public struct JobRecord: Codable, Equatable, Sendable {
    /// `JB_…`
    public var id: String
    /// `egress`.
    public var type: String
    /// What it works on: `EG_…`.
    public var subject: String
    public var room: String
    public var state: JobState
    public var attempt: Int
    /// `WK_…` of the worker that has it.
    @OrNull public var workerId: String?
    public var createdAt: Timestamp
    @OrNull public var startedAt: Timestamp?
    @OrNull public var endedAt: Timestamp?
    @OrNull public var queue: QueueRecord?
    @OrNull public var error: Notice?

    public init(
        id: String, type: String, subject: String, room: String, state: JobState, attempt: Int, workerId: String? = nil,
        createdAt: Timestamp
    ) {
        self.id = id
        self.type = type
        self.subject = subject
        self.room = room
        self.state = state
        self.attempt = attempt
        self.workerId = workerId
        self.createdAt = createdAt
    }
}

/// One worker process.
public struct WorkerRecord: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable, CaseIterable {
        case starting, ready, draining, lost
    }

    /// `WK_…`
    public var id: String
    public var processId: Int
    public var state: State
    public var startedAt: Timestamp
    public var capacity: ResourceRecord
    public var used: ResourceRecord
    /// `JB_…`
    public var jobs: [String]

    public init(
        id: String, processId: Int, state: State, startedAt: Timestamp, capacity: ResourceRecord, used: ResourceRecord,
        jobs: [String]
    ) {
        self.id = id
        self.processId = processId
        self.state = state
        self.startedAt = startedAt
        self.capacity = capacity
        self.used = used
        self.jobs = jobs
    }
}

/// A route as data: one file of the folder of pipelines.
public struct PipelineRecord: Codable, Equatable, Sendable {
    public var name: String
    public var description: String
    /// What a request that names it starts from.
    public var spec: JSONValue

    public init(name: String, description: String, spec: JSONValue) {
        self.name = name
        self.description = description
        self.spec = spec
    }
}

/// One reason why the gateway is ready for work, or not.
public struct HealthCheck: Codable, Equatable, Sendable {
    public var name: String
    public var ok: Bool
    public var detail: String
    public var remedy: String

    public init(name: String, ok: Bool, detail: String = "", remedy: String = "") {
        self.name = name
        self.ok = ok
        self.detail = detail
        self.remedy = remedy
    }
}

/// The answer of `/readyz`.
public struct Readiness: Codable, Equatable, Sendable {
    public var ready: Bool
    public var checks: [HealthCheck]

    public init(checks: [HealthCheck]) {
        ready = checks.allSatisfy(\.ok)
        self.checks = checks
    }
}
