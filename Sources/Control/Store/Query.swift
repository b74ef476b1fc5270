public import Timing

/// A place in a list, newest first. Its text is opaque to clients. What is created later does not move it.
public struct Cursor: Equatable, Sendable {
    let position: Int64
    let id: String

    init(position: Int64, id: String) {
        self.position = position
        self.id = id
    }

    /// The place after `document`: a caller that drops some documents of a page can end its own page at any of them.
    public init(after document: Document) { self.init(position: document.createdAt.nanoseconds, id: document.id) }

    public init(after job: Job) { self.init(position: job.order, id: "") }

    public var text: String { String(position, radix: 36) + "." + id }

    /// - Returns: `nil` for text that no list gave out.
    public init?(text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count <= 64, let position = Int64(parts[0], radix: 36) else { return nil }
        self.init(position: position, id: String(parts[1]))
    }
}

/// Part of a list.
public struct Page<Item: Sendable>: Sendable {
    public let items: [Item]
    /// Where the rest begins; `nil` at the end.
    public let next: Cursor?
}

extension Page: Equatable where Item: Equatable {}

/// How many items one page may have.
public enum PageLimit {
    public static let range = 1...200
    public static let standard = 50

    static func clamped(_ limit: Int) -> Int { min(max(limit, range.lowerBound), range.upperBound) }
}

/// Documents of one kind, newest first. A field that is `nil` or empty filters nothing.
public struct DocumentQuery: Equatable, Sendable {
    public var kind: DocumentKind
    public var room: String?
    public var roomID: String?
    public var states: Set<String> = []
    public var isActive: Bool?
    /// A document must have all of these.
    public var labels: [String: String] = [:]
    public var createdAfter: WallTime?
    public var updatedBefore: WallTime?
    public var after: Cursor?
    /// Clamped to `PageLimit.range`.
    public var limit = PageLimit.standard

    public init(_ kind: DocumentKind) { self.kind = kind }
}

/// Jobs, newest first. A field that is `nil` or empty filters nothing.
public struct JobQuery: Equatable, Sendable {
    public var states: Set<JobState> = []
    public var kind: String?
    public var subject: String?
    public var room: String?
    public var createdAfter: WallTime?
    public var after: Cursor?
    public var limit = PageLimit.standard

    public init() {}
}

/// Events, oldest first.
public struct EventQuery: Equatable, Sendable {
    /// Only what has a greater sequence number.
    public var after: Int64
    public var subject: String?
    public var roomID: String?
    /// Clamped to 1...1000.
    public var limit: Int

    public init(after: Int64 = 0, subject: String? = nil, roomID: String? = nil, limit: Int = 200) {
        self.after = after
        self.subject = subject
        self.roomID = roomID
        self.limit = limit
    }
}

/// What may be forgotten. A field that is `nil` keeps everything.
public struct Retention: Equatable, Sendable {
    /// Documents of these kinds that are not active and were last changed before then.
    public var documents: [DocumentKind: WallTime] = [:]
    public var jobsEndedBefore: WallTime?
    public var eventsBefore: WallTime?
    /// Answers under idempotency keys; also requests in hand that began before then and were forgotten.
    public var answersBefore: WallTime?
    /// At most this many rows of each, so that a large clearance holds nobody up. Repeat while something was pruned.
    public var limit = 1000

    public init() {}
}
