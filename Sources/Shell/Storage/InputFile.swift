import Glibc

/// One file that is only read, wherever it lies.
public struct InputFile: ~Copyable, Sendable {
    public let path: String
    /// When it was opened.
    public let byteCount: Int64
    private let descriptor: Descriptor

    /// Opens a regular file.
    public init(path: String) throws(StorageError) {
        let number = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw StorageError(code: errno, path: path, in: "open") }
        let descriptor = Descriptor(number)
        var facts = stat()
        guard unsafe fstat(number, &facts) == 0 else { throw StorageError(code: errno, path: path, in: "stat") }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw .badPath(path: path, reason: "it is no file") }
        self.path = path
        self.descriptor = descriptor
        byteCount = Int64(facts.st_size)
    }

    /// Up to `count` bytes from `offset`; fewer only at the end.
    public func read(at offset: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try descriptor.read(at: offset, count: count, of: byteCount, path: path)
    }
}
