import Glibc

/// Why a data folder cannot be used, in words for the person who starts the gateway.
public enum DataFolderError: Error, Equatable, Sendable {
    case inUse(path: String)
    case unusable(path: String, reason: String)

    public var message: String {
        switch self {
        case .inUse(let path):
            "Another gateway runs on the data folder \(path). Stop it, or give this one a folder of its own (`data:`)."
        case .unusable(let path, let reason):
            "The data folder \(path) cannot be used: \(reason). Check the path, its owner and the space on its disk."
        }
    }
}

/// The folder that belongs to one gateway, locked for as long as this value lives.
public final class DataFolder: Sendable {
    /// Absolute, with links resolved.
    public let path: String
    public var store: String { path + "/store" }
    public var recordings: String { path + "/recordings" }
    public var tapes: String { path + "/tapes" }
    public var temporary: String { path + "/tmp" }
    private let lock: Int32

    /// Makes what is missing of the folder, and takes its lock.
    public init(_ path: String) throws(DataFolderError) {
        for folder in [path, path + "/store", path + "/recordings", path + "/tapes", path + "/tmp"] {
            try Self.make(folder)
        }
        guard let resolved = unsafe realpath(path, nil) else { throw .unusable(path: path, reason: Self.reason(errno)) }
        defer { unsafe free(resolved) }
        self.path = unsafe String(cString: resolved)
        let descriptor = unsafe open(self.path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unusable(path: path, reason: Self.reason(errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK ? .inUse(path: path) : .unusable(path: path, reason: Self.reason(code))
        }
        lock = descriptor
    }

    deinit { close(lock) }

    private static func make(_ path: String) throws(DataFolderError) {
        guard unsafe mkdir(path, 0o700) != 0 else { return }
        let code = errno
        if code == EEXIST { return }
        if code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try make(String(path[..<slash]))
            guard unsafe mkdir(path, 0o700) != 0 else { return }
        }
        throw .unusable(path: path, reason: reason(code))
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
