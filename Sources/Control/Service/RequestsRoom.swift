/// `POST /v1/rooms`.
public struct CreateRoom: Equatable, Sendable {
    public var name: String
    /// `nil`: the configuration's default.
    public var emptyTimeoutSeconds: Double?
    public var maxParticipants: Int?
    public var metadata: String
    public var labels: [String: String]

    public init(
        name: String, emptyTimeoutSeconds: Double? = nil, maxParticipants: Int? = nil, metadata: String = "",
        labels: [String: String] = [:]
    ) {
        self.name = name
        self.emptyTimeoutSeconds = emptyTimeoutSeconds
        self.maxParticipants = maxParticipants
        self.metadata = metadata
        self.labels = labels
    }

    /// - Throws: `invalid_request` with every field that is wrong.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        fields.require("name")
        name = fields.text("name", bytes: Names.length) ?? ""
        emptyTimeoutSeconds = fields.number("emptyTimeoutSeconds", 0...604_800)
        maxParticipants = fields.integer("maxParticipants", 1...100_000).map { Int($0) }
        metadata = fields.text("metadata", bytes: 0...65_536) ?? ""
        labels = fields.labels("labels") ?? [:]
        try fields.finish()
    }
}

/// What names of rooms and identities of participants may be: any text without control characters.
enum Names {
    /// In bytes of UTF-8.
    static let length = 1...256
}

/// What a list shows, and how much of it.
public struct ListQuery: Equatable, Sendable {
    /// Entries of a page, 1 to 200.
    public var limit = 50
    /// Begin behind this entry.
    public var cursor: ListCursor?
    public var room: String?
    public var state: String?
    /// True: only what has not ended; false: only what has.
    public var active: Bool?
    public var labels: [String: String] = [:]
    public var createdAfter: Timestamp?

    public init() {}

    /// Reads the query of a list's URL.
    /// - Throws: `invalid_request` for a parameter that lists do not know or whose value is wrong.
    public init(query: [(name: String, value: String)]) throws(ServiceError) {
        var errors: [FieldError] = []
        var seen: Set<String> = []
        for (name, value) in query {
            let problem = seen.insert(name).inserted ? take(name, value) : "may stand only once"
            guard let problem else { continue }
            errors.append(
                FieldError(
                    pointer: "?\(name)", code: "not_allowed", detail: "`\(name)` \(problem).",
                    remedy: "Known: limit, cursor, room, state, active, label.NAME, createdAfter."))
        }
        if let first = errors.first { throw ServiceError(.invalidRequest, first.detail, errors: errors) }
    }

    /// Takes one parameter; returns what is wrong with it.
    private mutating func take(_ name: String, _ value: String) -> String? {
        switch name {
        case "limit":
            guard let number = Int(value), 1...200 ~= number else { return "must be 1 to 200" }
            limit = number
        case "cursor":
            guard let decoded = ListCursor(text: value) else { return "is no cursor of this gateway" }
            cursor = decoded
        case "room": room = value
        case "state": state = value
        case "active":
            guard value == "true" || value == "false" else { return "must be true or false" }
            active = value == "true"
        case "createdAfter":
            guard let time = Timestamp(value) else { return "must be an RFC 3339 time" }
            createdAfter = time
        default:
            guard name.hasPrefix("label."), name.utf8.count > 6 else { return "is not a parameter of lists" }
            labels[String(name.dropFirst(6))] = value
        }
        return nil
    }
}

/// The place behind one entry of a list that goes from new to old: stable while new entries come.
public struct ListCursor: Equatable, Sendable {
    /// Of the last entry of the page before, nanoseconds since 1970.
    public var createdAt: Int64
    /// Its id, which orders entries of one instant.
    public var id: String

    public init(createdAt: Int64, id: String) {
        self.createdAt = createdAt
        self.id = id
    }

    /// Opaque to clients: hexadecimal, so that it needs no escaping in a URL.
    public var text: String {
        "\(createdAt).\(id)".utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    public init?(text: String) {
        let digits = Array(text.utf8)
        guard digits.count <= 400, digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        guard let plain = String(validating: bytes, as: UTF8.self), let dot = plain.firstIndex(of: "."),
            let createdAt = Int64(plain[..<dot])
        else { return nil }
        self.createdAt = createdAt
        id = String(plain[plain.index(after: dot)...])
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
