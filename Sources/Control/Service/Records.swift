@_exported public import JSON  // whoever speaks to the service speaks in its values
public import Timing

// What the records of the API share. Each record encodes exactly to the JSON of the API.

/// An optional field that is `null` in JSON when it has no value: a field of a record is never absent.
@propertyWrapper
public struct OrNull<Value> {
    public var wrappedValue: Value?

    public init() { wrappedValue = nil }
    public init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }
}

extension OrNull: Sendable where Value: Sendable {}
extension OrNull: Equatable where Value: Equatable {}

extension OrNull: Encodable where Value: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

extension OrNull: Decodable where Value: Decodable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }
}

extension KeyedDecodingContainer {
    /// Lets a reader take a record of an older gateway, which lacks the field.
    public func decode<Value: Decodable>(_ type: OrNull<Value>.Type, forKey key: Key) throws -> OrNull<Value> {
        OrNull(wrappedValue: try decodeIfPresent(Value.self, forKey: key))
    }
}

/// A point of wall time that stands in JSON as RFC 3339 text in UTC with milliseconds, and is nanoseconds inside.
public struct Timestamp: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public var wallTime: WallTime

    public init(_ wallTime: WallTime) { self.wallTime = wallTime }

    public static func < (left: Self, right: Self) -> Bool { left.wallTime < right.wallTime }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// As `2026-11-21T11:36:12.345Z`.
    public var description: String { CivilTime(wallTime).text }

    /// Reads `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)` (RFC 3339 section 5.6); `nil` for anything else.
    public init?(_ text: String) {
        guard let wallTime = CivilTime.parse(Array(text.utf8)) else { return nil }
        self.wallTime = wallTime
    }
}

/// One page of a list, newest first.
public struct Page<Item> {
    public var items: [Item]
    /// Give it back as `cursor` to get the next page; `null` on the last.
    @OrNull public var nextCursor: String?

    public init(items: [Item], nextCursor: String? = nil) {
        self.items = items
        self.nextCursor = nextCursor
    }
}

extension Page: Sendable where Item: Sendable {}
extension Page: Equatable where Item: Equatable {}
extension Page: Encodable where Item: Encodable {}
extension Page: Decodable where Item: Decodable {}

/// What a write did: a repeated create or stop changes nothing, and gives the record as it is.
public struct Outcome<Record: Sendable>: Sendable {
    public var record: Record
    public var didChange: Bool

    public init(_ record: Record, didChange: Bool) {
        self.record = record
        self.didChange = didChange
    }
}

/// Something that a person should know about a stream or a recording, and what to do about it.
public struct Notice: Codable, Equatable, Sendable {
    /// A code of ``ErrorCode``, or one of the warnings' own, as `key_frames_far_apart`.
    public var code: String
    public var message: String
    public var remedy: String

    public init(code: String, message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    public init(_ code: ErrorCode, _ message: String, remedy: String? = nil) {
        self.init(code: code.rawValue, message: message, remedy: remedy ?? code.remedy)
    }
}

func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
