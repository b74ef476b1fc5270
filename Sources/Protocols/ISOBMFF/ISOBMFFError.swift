/// Why bytes are no file that we can read. Refuse the file, or cut it where the error stands.
public enum ISOBMFFError: Error, Equatable, Sendable {
    /// A box or a field ends behind its container.
    case truncated(FourCC)
    /// A box announces `size` bytes, which is less than its header or more than its container holds.
    case badSize(FourCC, size: UInt64)
    /// A table announces `count` entries, more than its box can hold.
    case badCount(FourCC, count: UInt64)
    /// A box that must be there is not.
    case missing(FourCC)
    /// A value that contradicts another, or that nothing sensible can be done with.
    case malformed(FourCC)
    /// A version, codec or form that is not read here.
    case unsupported(FourCC)
}
