/// Reads what a recording left on disk, without reading its media: asks for ranges of the file, one after another.
///
/// Poll; answer each `read` with ``receive(_:)``; stop at `finished`.
public struct HybridScanner: Sendable {
    public enum Output: Equatable, Sendable {
        /// Read `count` bytes at `offset`, fewer at the end of the file, and give them to ``receive(_:)``.
        case read(offset: UInt64, count: Int)
        case finished(HybridScan)
    }

    private let fileSize: UInt64

    /// - Parameter fileSize: the file's length in bytes as it stands.
    public init(fileSize: UInt64) { self.fileSize = fileSize }

    /// Takes the bytes that the last `read` asked for.
    public mutating func receive(_ bytes: [UInt8]) {}

    public func pollOutput() -> Output { .finished(.unusable) }
}

/// What a hybrid file is, as it was found.
public enum HybridScan: Equatable, Sendable {
    /// No whole fragment, or not a file of ours: truncate it to nothing and begin anew.
    case unusable
    /// Finished: an ordinary MP4. Nothing is to be done.
    case sealed
    /// Left in the middle: cut it to ``HybridFile/byteCount`` and go on.
    case open(HybridFile)
}

/// A hybrid file that was left in the middle: all that is needed to go on in it.
public struct HybridFile: Equatable, Sendable {
    /// The end of the last whole fragment. The file is to be truncated to this length before anything is appended.
    public var byteCount: UInt64
}
