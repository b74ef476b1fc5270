import Glibc
public import Timing

/// What the file system says of a regular file.
public struct FileFacts: Equatable, Sendable {
    public let byteCount: Int64
    public let modifiedAt: WallTime

    /// - Returns: `nil` if there is no regular file at `path`. Follows no link at the end.
    public init?(path: String) {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        byteCount = Int64(facts.st_size)
        let seconds = Int64(facts.st_mtim.tv_sec)
        modifiedAt = WallTime(nanoseconds: seconds &* 1_000_000_000 &+ Int64(facts.st_mtim.tv_nsec))
    }
}
