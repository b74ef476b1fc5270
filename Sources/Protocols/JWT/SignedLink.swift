public import Timing

/// A link to one thing until one time, signed: what stands in the path of a URL for those who cannot send a token.
///
/// As text it is 30 bytes in Base64 for URLs: a version, the second since 1970 at which it ends (five bytes), and the first
/// 24 bytes of an HMAC-SHA256 (RFC 2104 section 5 allows the cut) of version, end and the name of what it opens.
public struct SignedLink: Equatable, Sendable {
    /// Why a link opens nothing.
    public enum Refusal: Error, Equatable, Sendable {
        /// Cut, altered, signed with another key, or one to something else.
        case invalid
        case expired
    }

    private static let version: UInt8 = 1
    private static let signatureBytes = 24
    /// 40 bits.
    private static let latest: Int64 = 1 << 40 - 1

    /// Whole seconds since 1970.
    public let endsAt: Int64
    private let signature: [UInt8]

    /// Signs a link to `name`.
    /// - Parameters:
    ///   - end: cut to whole seconds.
    ///   - sign: the HMAC-SHA256 of a message under the gateway's key.
    public init<Failure: Error>(
        to name: String, until end: WallTime, sign: ([UInt8]) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        endsAt = min(max(0, end.nanoseconds / 1_000_000_000), Self.latest)
        signature = Array(try sign(Self.message(name, endsAt)).prefix(Self.signatureBytes))
    }

    /// Reads a link; nothing is known of its signature yet.
    /// - Returns: `nil` for a text that is none. Each link has one spelling.
    public init?(_ text: String) {
        guard text.utf8.count == 40, let bytes = Base64URL.decode(text.utf8), bytes.count == 6 + Self.signatureBytes,
            bytes[0] == Self.version
        else { return nil }
        endsAt = bytes[1..<6].reduce(0) { $0 << 8 | Int64($1) }
        signature = Array(bytes[6...])
    }

    public var text: String { Base64URL.encode(Self.head(endsAt) + signature) }

    /// - Parameter isEqual: compares in a time that tells nothing.
    /// - Throws: why it does not open `name` at `now`.
    public func check(
        opens name: String, at now: WallTime, sign: ([UInt8]) -> [UInt8]?, isEqual: ([UInt8], [UInt8]) -> Bool
    ) throws(Refusal) {
        guard let expected = sign(Self.message(name, endsAt)),
            isEqual(Array(expected.prefix(Self.signatureBytes)), signature)
        else { throw .invalid }
        guard now.nanoseconds / 1_000_000_000 < endsAt else { throw .expired }
    }

    private static func head(_ endsAt: Int64) -> [UInt8] {
        [version] + (0..<5).reversed().map { UInt8(truncatingIfNeeded: endsAt >> (8 * Int64($0))) }
    }

    private static func message(_ name: String, _ endsAt: Int64) -> [UInt8] {
        Array("sluice-link\n".utf8) + head(endsAt) + Array(name.utf8)
    }
}
