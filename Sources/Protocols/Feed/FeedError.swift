/// Why bytes are no record or no link message. On a link: end this session; on a tape: the end of what can be read.
public enum FeedError: Error, Equatable, Sendable {
    case truncated
    /// The announced length passes `limit` bytes.
    case tooLong(length: Int, limit: Int)
    case unknownKind(UInt8)
    case malformed(String)
    case unsupportedVersion(UInt16)
}
