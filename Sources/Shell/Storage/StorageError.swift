import Glibc

/// Why a file could not be made or written. It ends the one output that writes there, never another.
public enum StorageError: Error, Equatable, Sendable {
    /// No space, or a quota or a limit on file size is used up.
    case full(path: String)
    case denied(path: String)
    case exists(path: String)
    case notFound(path: String)
    /// Another process still writes it.
    case busy(path: String)
    /// A name that leaves its root, goes through a link, or that no file system takes.
    case badPath(path: String, reason: String)
    case failed(path: String, operation: String, code: Int32)

    init(code: Int32, path: String, in operation: String) {
        switch code {
        case ENOSPC, EDQUOT, EFBIG: self = .full(path: path)
        case EACCES, EPERM, EROFS: self = .denied(path: path)
        case EEXIST: self = .exists(path: path)
        case ENOENT: self = .notFound(path: path)
        case ELOOP, ENOTDIR: self = .badPath(path: path, reason: "a part of it is no folder, or a symbolic link")
        case ENAMETOOLONG: self = .badPath(path: path, reason: "a name in it is too long")
        case EISDIR: self = .badPath(path: path, reason: "it is a folder")
        default: self = .failed(path: path, operation: operation, code: code)
        }
    }

    /// What happened, for a person.
    public var message: String {
        switch self {
        case .full(let path): "no space left for \(path)"
        case .denied(let path): "no permission to write \(path)"
        case .exists(let path): "\(path) exists already"
        case .notFound(let path): "\(path) does not exist"
        case .busy(let path): "another process still writes \(path)"
        case .badPath(let path, let reason): "\(path) cannot be used: \(reason)"
        case .failed(let path, let operation, let code):
            "\(operation) of \(path) failed: \(unsafe String(cString: strerror(code)))"
        }
    }
}
