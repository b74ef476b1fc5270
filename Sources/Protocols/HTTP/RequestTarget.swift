/// A request target in origin-form (RFC 9112 section 3.2.1), decoded.
public struct RequestTarget: Equatable, Sendable {
    /// As it stood in the request line.
    public let raw: String
    /// The path between its slashes, each part decoded by itself: a `%2F` does not split. Empty parts are left out, so
    /// that `//v1/rooms` is `/v1/rooms`.
    public let segments: [String]
    /// Names and values of the query in their order, decoded; `+` is a space.
    public let query: [(name: String, value: String)]

    public static func == (left: Self, right: Self) -> Bool { left.raw == right.raw }

    /// The path in one normal spelling, for logs and as a key.
    public var path: String { "/" + segments.joined(separator: "/") }

    /// Parts that a path may have, and names that a query may have.
    public static let maximumParts = 64

    /// Reads the bytes between method and version.
    /// - Throws: ``HTTPRefusal`` with 400: not origin-form, a byte that RFC 3986 does not allow, a broken escape, or one
    ///   that stands for a control character or for bytes that are not UTF-8.
    public init(parsing target: [UInt8]) throws(HTTPRefusal) {
        guard target.first == UInt8(ascii: "/") else { throw .malformed("The request target is not a path.") }
        guard target.allSatisfy(Self.isAllowed) else {
            throw .malformed("The request target holds a byte that must be percent-encoded.")
        }
        let mark = target.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let parts = target[..<mark].split(separator: UInt8(ascii: "/"))
        guard parts.count <= Self.maximumParts else { throw .malformed("The path has too many parts.") }
        var segments: [String] = []
        for part in parts { segments.append(try Self.decoded(part, plusIsSpace: false)) }
        raw = String(decoding: target, as: UTF8.self)
        self.segments = segments
        query = try Self.query(target[mark...].dropFirst())
    }

    private static func query(_ text: ArraySlice<UInt8>) throws(HTTPRefusal) -> [(name: String, value: String)] {
        let pairs = text.split(separator: UInt8(ascii: "&"))
        guard pairs.count <= maximumParts else { throw .malformed("The query has too many parts.") }
        var query: [(name: String, value: String)] = []
        for pair in pairs {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = try decoded(pair[..<equals], plusIsSpace: true)
            query.append((name, try decoded(pair[equals...].dropFirst(), plusIsSpace: true)))
        }
        return query
    }

    private static func decoded(_ text: ArraySlice<UInt8>, plusIsSpace: Bool) throws(HTTPRefusal) -> String {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "%") {
                guard text.endIndex - index >= 2, let high = hexadecimal(text[index]),
                    let low = hexadecimal(text[index + 1])
                else { throw .malformed("The request target holds a % that is no escape.") }
                bytes.append(high << 4 | low)
                index += 2
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("The request target is not UTF-8.")
        }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .malformed("The request target holds a control character.")
        }
        return string
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Unreserved, sub-delims, and what paths and queries add (RFC 3986 appendix A); `[]` too, which clients leave bare.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~!$&'()*+,;=:@/?%[]".utf8.contains(byte)
        }
    }
}
