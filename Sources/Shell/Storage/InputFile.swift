import Bytes
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
        let available = Int(clamping: max(0, byteCount - max(0, offset)))
        var bytes = [UInt8](repeating: 0, count: max(0, min(count, available)))
        var done = 0
        while done < bytes.count {
            let (result, code) = unsafe bytes.withUnsafeMutableBytes { buffer in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                return retrying { unsafe pread(descriptor.number, rest.baseAddress, rest.count, off_t(offset) + done) }
            }
            guard result >= 0 else { throw StorageError(code: code, path: path, in: "read") }
            guard result > 0 else { break }
            done += result
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }
}
