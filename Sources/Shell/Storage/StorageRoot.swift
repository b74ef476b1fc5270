import Glibc

/// A folder that files are made in, and never outside of it: paths are opened name by name from its descriptor, and no
/// symbolic link is followed on the way (as openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS).
public final class StorageRoot: Sendable {
    /// As given; links in it are the operator's own.
    public let path: String
    private let folder: Descriptor

    /// Opens the folder, and makes it with its parents if it is not there, for this user only.
    public init(_ path: String) throws(StorageError) {
        self.path = path
        try Self.makeFolders(path)
        let number = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw StorageError(code: errno, path: path, in: "open") }
        folder = Descriptor(number)
    }

    /// Makes a new file at `relative`, and the folders before it. When the name is taken, `film.mp4` becomes `film-2.mp4`.
    public func create(_ relative: String, pool: SyncPool) throws(StorageError) -> LocalFile {
        let (parent, name) = try locate(relative, makesFolders: true)
        for number in 1...9999 {
            let candidate = number == 1 ? name : Self.numbered(name, number)
            do {
                return try open(candidate, in: parent, at: relative, O_CREAT | O_EXCL, pool)
            } catch .exists {
                continue
            }
        }
        throw .exists(path: absolute(relative))
    }

    /// Opens the file that an earlier attempt left at `relative`, for reading and writing.
    /// - Throws: `busy` while another process that made or opened it still has it.
    public func open(_ relative: String, pool: SyncPool) throws(StorageError) -> LocalFile {
        let (parent, name) = try locate(relative, makesFolders: false)
        return try open(name, in: parent, at: relative, 0, pool)
    }

    public func rename(_ relative: String, to other: String) throws(StorageError) {
        let (parent, name) = try locate(relative, makesFolders: false)
        let (newParent, newName) = try locate(other, makesFolders: true)
        guard unsafe renameat(parent.number, name, newParent.number, newName) == 0 else {
            throw StorageError(code: errno, path: absolute(relative), in: "rename")
        }
    }

    public func remove(_ relative: String) throws(StorageError) {
        let (parent, name) = try locate(relative, makesFolders: false)
        guard unsafe unlinkat(parent.number, name, 0) == 0 else {
            throw StorageError(code: errno, path: absolute(relative), in: "unlink")
        }
    }

    /// Bytes that this user may still write, and all bytes, of the file system that holds the folder.
    public func space() throws(StorageError) -> (free: Int64, total: Int64) {
        var answer = statvfs()
        guard unsafe fstatvfs(folder.number, &answer) == 0 else {
            throw StorageError(code: errno, path: path, in: "statvfs")
        }
        let block = Int64(clamping: answer.f_frsize)
        return (
            free: Int64(clamping: answer.f_bavail).multipliedClamping(by: block),
            total: Int64(clamping: answer.f_blocks).multipliedClamping(by: block)
        )
    }

    private func open(
        _ name: String, in parent: Descriptor, at relative: String, _ flags: Int32, _ pool: SyncPool
    ) throws(StorageError) -> LocalFile {
        let place = (try Self.names(of: relative).dropLast() + [name]).joined(separator: "/")
        let number = unsafe openat(parent.number, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0o640)
        guard number >= 0 else { throw StorageError(code: errno, path: absolute(place), in: "open") }
        let descriptor = Descriptor(number)
        guard !isWrittenElsewhere(number) else { throw .busy(path: absolute(place)) }
        return try LocalFile(
            descriptor, folder: parent, path: absolute(place), relativePath: place, pool: pool)
    }

    /// Takes the file for this process, as long as the descriptor is open. Where a file system has no locks, it is free.
    private func isWrittenElsewhere(_ number: Int32) -> Bool {
        var lock = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
        return unsafe fcntl(number, F_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)
    }

    /// The folder that holds `relative`, and the last name of it.
    func locate(
        _ relative: String, makesFolders: Bool
    ) throws(StorageError) -> (parent: Descriptor, name: String) {
        var names = try Self.names(of: relative)
        let last = names.removeLast()
        var parent = folder
        for name in names {
            if makesFolders, unsafe mkdirat(parent.number, name, 0o750) != 0, errno != EEXIST {
                throw StorageError(code: errno, path: absolute(relative), in: "mkdir")
            }
            let next = unsafe openat(parent.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw StorageError(code: errno, path: absolute(relative), in: "open") }
            parent = Descriptor(next)
        }
        return (parent, last)
    }

    /// By scalars, as the file system sees it: a combining mark behind a slash hides the slash among characters.
    static func names(of relative: String) throws(StorageError) -> [String] {
        let names = relative.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        for name in names {
            switch name {
            case "": throw .badPath(path: relative, reason: "a name in it is empty")
            case ".", "..": throw .badPath(path: relative, reason: "it names a folder above or itself")
            case _ where name.utf8.contains(0): throw .badPath(path: relative, reason: "it holds a NUL")
            case _ where name.utf8.count > 255: throw .badPath(path: relative, reason: "a name in it is too long")
            default: continue
            }
        }
        return names
    }

    private static func numbered(_ name: String, _ number: Int) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "\(name)-\(number)" }
        return "\(name[..<dot])-\(number)\(name[dot...])"
    }

    private static func makeFolders(_ path: String) throws(StorageError) {
        var end = path.startIndex
        while end < path.endIndex {
            let next = path.index(after: end)
            end = path[next...].firstIndex(of: "/") ?? path.endIndex
            if unsafe mkdir(String(path[..<end]), 0o700) != 0, errno != EEXIST, errno != EISDIR, errno != EROFS {
                throw StorageError(code: errno, path: path, in: "mkdir")
            }
        }
    }

    func absolute(_ relative: String) -> String {
        path.hasSuffix("/") ? path + relative : "\(path)/\(relative)"
    }
}

extension Int64 {
    fileprivate func multipliedClamping(by other: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
