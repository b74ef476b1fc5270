import Glibc

/// A file that appears under its name whole or not at all.
public struct WholeFile: Equatable, Sendable {
    /// Beneath the root.
    public var path: String
    public var bytes: [UInt8]
    /// False for a file that is made again from others after a power cut: its bytes need not be on the disk.
    public var isDurable: Bool

    public init(path: String, bytes: [UInt8], isDurable: Bool = true) {
        self.path = path
        self.bytes = bytes
        self.isDurable = isDurable
    }
}

/// A folder that is written by its holder alone, for as long as this lives.
public final class FolderLock: Sendable {
    private let folder: Descriptor

    fileprivate init(_ folder: Descriptor) { self.folder = folder }
}

/// Files that nobody sees half: written beside, synced, renamed.
extension StorageRoot {
    /// Makes a new folder at `relative`, and the folders before it. When the name is taken, `live` becomes `live-2`.
    /// - Returns: its path beneath the root.
    public func createFolder(_ relative: String) throws(StorageError) -> String {
        let (parent, name) = try locate(relative, makesFolders: true)
        let before = try Self.names(of: relative).dropLast()
        for number in 1...9999 {
            let candidate = number == 1 ? name : "\(name)-\(number)"
            if unsafe mkdirat(parent.number, candidate, 0o750) == 0 {
                return (before + [candidate]).joined(separator: "/")
            }
            guard errno == EEXIST else { throw StorageError(code: errno, path: absolute(relative), in: "mkdir") }
        }
        throw .exists(path: absolute(relative))
    }

    /// Takes the folder for whoever holds the answer. Where a file system has no locks, it is free.
    /// - Throws: `busy` while somebody else has it.
    public func lockFolder(_ relative: String) throws(StorageError) -> FolderLock {
        let (parent, name) = try locate(relative, makesFolders: false)
        let number = unsafe openat(parent.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else { throw StorageError(code: errno, path: absolute(relative), in: "open") }
        let descriptor = Descriptor(number)
        guard flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            throw .busy(path: absolute(relative))
        }
        return FolderLock(descriptor)
    }

    /// Puts each file in place of what has its name, in this order, then takes the files of `removed` away. Calls `done`
    /// on a thread of the pool once all of it is durable, or at the first file that cannot be written; what came before
    /// that one is there.
    public func replace(
        _ files: [WholeFile], removing removed: [String] = [], pool: SyncPool,
        _ done: @escaping @Sendable (StorageError?) -> Void
    ) {
        pool.submit { [self] in
            do throws(StorageError) {
                var folders: [String: Descriptor] = [:]
                for file in files {
                    let folder = try Self.names(of: file.path).dropLast().joined(separator: "/")
                    let (parent, name) = try locate(file.path, makesFolders: false)
                    folders[folder] = parent
                    try put(file, at: name, in: parent)
                }
                for folder in folders.values where fsync(folder.number) != 0 {
                    throw StorageError(code: errno, path: path, in: "fsync of the folder")
                }
                for path in removed { try? remove(path) }  // a file that is gone already is as good
                done(nil)
            } catch {
                done(error)
            }
        }
    }

    /// The whole of a small file.
    /// - Parameter limit: bytes; a longer file is refused.
    public func read(_ relative: String, limit: Int) throws(StorageError) -> [UInt8] {
        let descriptor = try openToRead(relative)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let (count, code) = unsafe chunk.withUnsafeMutableBytes { buffer in
                retrying { unsafe Glibc.read(descriptor.number, buffer.baseAddress, buffer.count) }
            }
            guard count >= 0 else { throw StorageError(code: code, path: absolute(relative), in: "read") }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw .badPath(path: absolute(relative), reason: "it is too long") }
        }
    }

    /// Whether a regular file stands at `relative`, and no symbolic link leads there.
    public func holdsFile(_ relative: String) -> Bool {
        guard let descriptor = try? openToRead(relative) else { return false }
        var facts = stat()
        return unsafe fstat(descriptor.number, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
    }

    /// Names of the regular files in the folder `relative`, hidden ones left out, in order.
    public func files(in relative: String) throws(StorageError) -> [String] {
        try entries(of: relative).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Takes the folder `relative` away with the files in it. Folders in it are not looked into: it then stays.
    public func removeFolder(_ relative: String) throws(StorageError) {
        for name in try entries(of: relative) { try? remove("\(relative)/\(name)") }
        let (parent, name) = try locate(relative, makesFolders: false)
        guard unsafe unlinkat(parent.number, name, AT_REMOVEDIR) == 0 else {
            throw StorageError(code: errno, path: absolute(relative), in: "rmdir")
        }
    }

    private func entries(of relative: String) throws(StorageError) -> [String] {
        let (parent, name) = try locate(relative, makesFolders: false)
        let number = unsafe openat(parent.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0, let stream = unsafe fdopendir(number) else {
            throw StorageError(code: errno, path: absolute(relative), in: "open")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private func openToRead(_ relative: String) throws(StorageError) -> Descriptor {
        let (parent, name) = try locate(relative, makesFolders: false)
        let number = unsafe openat(parent.number, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard number >= 0 else { throw StorageError(code: errno, path: absolute(relative), in: "open") }
        return Descriptor(number)
    }

    private func put(_ file: WholeFile, at name: String, in parent: Descriptor) throws(StorageError) {
        let draft = ".\(name.utf8.count < 248 ? name : "draft").part"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
        let number = unsafe openat(parent.number, draft, flags, 0o640)
        guard number >= 0 else { throw StorageError(code: errno, path: absolute(file.path), in: "open") }
        let descriptor = Descriptor(number)
        do throws(StorageError) {
            try write(file.bytes, to: descriptor, path: file.path)
            if file.isDurable, fdatasync(descriptor.number) != 0 {
                throw StorageError(code: errno, path: absolute(file.path), in: "fdatasync")
            }
            guard unsafe renameat(parent.number, draft, parent.number, name) == 0 else {
                throw StorageError(code: errno, path: absolute(file.path), in: "rename")
            }
        } catch {
            _ = unsafe unlinkat(parent.number, draft, 0)
            throw error
        }
    }

    private func write(_ bytes: [UInt8], to descriptor: Descriptor, path: String) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let (result, code) = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return retrying { unsafe Glibc.write(descriptor.number, rest.baseAddress, rest.count) }
            }
            guard result > 0 else {
                throw StorageError(code: result == 0 ? ENOSPC : code, path: absolute(path), in: "write")
            }
            done += result
        }
    }
}
