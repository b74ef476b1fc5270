/// A four-character code: the type of a box, of a handler, of a sample entry (ISO/IEC 14496-12 section 4.2).
public struct FourCC: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public init(stringLiteral text: StaticString) {
        rawValue = Self.code(of: text.description) ?? 0
    }

    /// - Returns: `nil` unless `text` is four bytes.
    public init?(text: String) {
        guard let code = Self.code(of: text) else { return nil }
        rawValue = code
    }

    private static func code(of text: String) -> UInt32? {
        text.utf8.count == 4 ? text.utf8.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }

    /// The four characters; what is not printable shows as a dot.
    public var description: String {
        let bytes = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: rawValue >> UInt32($0)) }
        return String(decoding: bytes.map { 0x20..<0x7F ~= $0 ? $0 : 0x2E }, as: UTF8.self)
    }
}
