public import Timing

/// One step on a document, by compare and set.
public enum DocumentChange: Equatable, Sendable {
    /// Stores the document over version `expected`; `nil` means that there must be none.
    case put(Document, expected: Int64?)
    case delete(DocumentKind, id: String, expected: Int64)
    /// Changes nothing; the commit fails unless the document stands at `version` (`nil`: unless there is none).
    case require(DocumentKind, id: String, version: Int64?)
}

/// One row of the durable event log that webhooks, the event stream and the manifest read.
public struct EventRow: Equatable, Sendable {
    /// Strictly rising in the order of commit. Set by the store.
    public internal(set) var sequence: Int64 = 0
    /// `EV_…`
    public let id: String
    public let at: WallTime
    /// What happened, as `egress_started`.
    public let kind: String
    /// To whom, as `EG_…`.
    public let subject: String
    public let room: String?
    public let roomID: String?
    /// JSON in UTF-8.
    public let body: [UInt8]

    public init(
        id: String, at: WallTime, kind: String, subject: String, room: String? = nil, roomID: String? = nil,
        body: [UInt8]
    ) {
        self.id = id
        self.at = at
        self.kind = kind
        self.subject = subject
        self.room = room
        self.roomID = roomID
        self.body = body
    }
}

/// What is to become durable together: all of it or nothing.
public struct Change: Equatable, Sendable {
    public var documents: [DocumentChange]
    public var jobs: [JobChange]
    public var events: [EventRow]
    /// The answer to the request that asked for this, if the request had an idempotency key.
    public var answer: IdempotentAnswer?

    public init(
        documents: [DocumentChange] = [], jobs: [JobChange] = [], events: [EventRow] = [],
        answer: IdempotentAnswer? = nil
    ) {
        self.documents = documents
        self.jobs = jobs
        self.events = events
        self.answer = answer
    }

    public var isEmpty: Bool { documents.isEmpty && jobs.isEmpty && events.isEmpty && answer == nil }
}

/// What a commit made, in the order of the change.
public struct Committed: Equatable, Sendable {
    /// Each document that was put, with its new version.
    public internal(set) var documents: [Document] = []
    /// Each job after its move: a lease's new fence, an enqueued job's place.
    public internal(set) var jobs: [Job] = []
    /// The sequence numbers that the events got.
    public internal(set) var events: [Int64] = []
}
