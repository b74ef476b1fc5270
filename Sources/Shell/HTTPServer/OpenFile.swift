import Glibc

/// A regular file open for reading, with its length as of the opening: a file that grows is served to that length.
public final class OpenFile: Sendable {
    let descriptor: Int32
    public let byteCount: Int64
    /// Changes whenever the file was written to: a strong validator (RFC 9110 section 8.8.1).
    public let entityTag: String
    /// Nanoseconds since 1970.
    public let modifiedAt: Int64

    /// - Returns: `nil` if there is no such file, or something else than a regular file. Follows no link at the end.
    public init?(path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        byteCount = Int64(facts.st_size)
        modifiedAt = Int64(facts.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(facts.st_mtim.tv_nsec)
        let parts = [UInt64(facts.st_ino), UInt64(bitPattern: modifiedAt), UInt64(bitPattern: byteCount)]
        entityTag = "\"" + parts.map { String($0, radix: 16) }.joined(separator: "-") + "\""
    }

    deinit { close(descriptor) }
}
