public import Timing

/// What a stored document is: an open list, so that a new resource needs no new table.
public struct DocumentKind: RawRepresentable, Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let room = Self(rawValue: "room")
    public static let ingress = Self(rawValue: "ingress")
    public static let egress = Self(rawValue: "egress")
    public static let composition = Self(rawValue: "composition")
    public static let tape = Self(rawValue: "tape")
}

/// One resource as the store keeps it: the fields that lists are filtered by, and a JSON body that is its owner's affair.
public struct Document: Equatable, Sendable {
    public let kind: DocumentKind
    public let id: String
    /// 1 at the first commit, one more at each further. Set by the store; 0 in a document that was never stored.
    public internal(set) var version: Int64 = 0
    public let createdAt: WallTime
    public var updatedAt: WallTime
    /// The room's name and `RM_…` id, when the resource belongs to one.
    public var room: String?
    public var roomID: String?
    public var state: String
    /// False once the resource has ended: lists filter by it, and retention takes only what is not active.
    public var isActive: Bool
    public var labels: [String: String]
    /// The API key that made it.
    public var keyID: String?
    /// No two documents of a kind have the same one: the digest of a stream key, the name of an open room.
    public var uniqueKey: String?
    /// JSON in UTF-8.
    public var body: [UInt8]

    public init(
        kind: DocumentKind, id: String, createdAt: WallTime, room: String? = nil, roomID: String? = nil,
        state: String, isActive: Bool, labels: [String: String] = [:], keyID: String? = nil, uniqueKey: String? = nil,
        body: [UInt8]
    ) {
        self.kind = kind
        self.id = id
        self.createdAt = createdAt
        updatedAt = createdAt
        self.room = room
        self.roomID = roomID
        self.state = state
        self.isActive = isActive
        self.labels = labels
        self.keyID = keyID
        self.uniqueKey = uniqueKey
        self.body = body
    }
}
