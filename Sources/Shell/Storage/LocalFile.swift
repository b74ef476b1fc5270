import Bytes
import Glibc
import Synchronization

/// One file that grows: append, patch what stands, make it durable. Lives on its job's thread; only the syncing is shared
/// with the pool. Closed when the last user lets go of it.
public final class LocalFile {
    /// The absolute path, and the path beneath its root, as created.
    public let path: String
    public let relativePath: String
    /// Where the next append goes.
    public private(set) var byteCount: Int64
    private let descriptor: Descriptor
    private let syncs: SyncQueue

    init(
        _ descriptor: Descriptor, folder: Descriptor, path: String, relativePath: String, pool: SyncPool
    ) throws(StorageError) {
        self.descriptor = descriptor
        self.path = path
        self.relativePath = relativePath
        syncs = SyncQueue(descriptor, folder: folder, path: path, pool: pool)
        let end = lseek(descriptor.number, 0, SEEK_END)
        guard end >= 0 else { throw StorageError(code: errno, path: path, in: "lseek") }
        byteCount = Int64(end)
    }

    /// Writes all of `bytes` at the end, or nothing: after an error the file is cut back to what it was.
    public func append(_ bytes: Span<UInt8>) throws(StorageError) {
        do {
            try write(bytes, at: byteCount)
            byteCount += Int64(bytes.count)
        } catch {
            _ = ftruncate(descriptor.number, Int(byteCount))
            throw error
        }
    }

    /// Overwrites bytes that stand already.
    public func patch(_ bytes: Span<UInt8>, at offset: Int64) throws(StorageError) {
        precondition(offset >= 0 && offset + Int64(bytes.count) <= byteCount, "a patch past the end of \(path)")
        try write(bytes, at: offset)
    }

    public func truncate(to count: Int64) throws(StorageError) {
        precondition(0 <= count && count <= byteCount, "a cut past the end of \(path)")
        guard count < byteCount else { return }
        guard ftruncate(descriptor.number, Int(count)) == 0 else {
            throw StorageError(code: errno, path: path, in: "truncate")
        }
        byteCount = count
    }

    /// Up to `count` bytes from `offset`; fewer only at the end.
    public func read(at offset: Int64, count: Int) throws(StorageError) -> [UInt8] {
        try descriptor.read(at: offset, count: count, of: byteCount, path: path)
    }

    /// Calls `done`, on a thread of the pool, once all that was written before this call is on the disk. Calls that come
    /// while one waits share its fdatasync.
    public func sync(_ done: @escaping @Sendable (StorageError?) -> Void) { syncs.add(done) }

    private func write(_ bytes: Span<UInt8>, at offset: Int64) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let (result, code) = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return retrying { unsafe pwrite(descriptor.number, rest.baseAddress, rest.count, off_t(offset) + done) }
            }
            guard result > 0 else { throw StorageError(code: result == 0 ? ENOSPC : code, path: path, in: "write") }
            done += result
        }
    }
}

/// Those who wait for one file to be durable.
private final class SyncQueue: Sendable {
    private struct State {
        var waiting: [@Sendable (StorageError?) -> Void] = []
        /// The folder whose entry of the file is not durable yet.
        var folder: Descriptor?
    }

    private let state: Mutex<State>
    private let descriptor: Descriptor
    private let path: String
    private let pool: SyncPool

    init(_ descriptor: Descriptor, folder: Descriptor, path: String, pool: SyncPool) {
        self.descriptor = descriptor
        self.path = path
        self.pool = pool
        state = Mutex(State(folder: folder))
    }

    func add(_ done: @escaping @Sendable (StorageError?) -> Void) {
        let isFirst = state.withLock { state in
            state.waiting.append(done)
            return state.waiting.count == 1
        }
        if isFirst { pool.submit { self.run() } }
    }

    private func run() {
        let (waiting, folder) = state.withLock { state in
            defer { (state.waiting, state.folder) = ([], nil) }
            return (state.waiting, state.folder)
        }
        var error: StorageError?
        if fdatasync(descriptor.number) != 0 { error = StorageError(code: errno, path: path, in: "fdatasync") }
        if let folder, fsync(folder.number) != 0, error == nil {
            error = StorageError(code: errno, path: path, in: "fsync of the folder")
        }
        for done in waiting { done(error) }
    }
}
