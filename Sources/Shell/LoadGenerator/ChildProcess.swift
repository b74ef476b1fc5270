import Glibc
import MediaLoop
import Timing

/// Why a load cannot be made: a program is missing, a port cannot be reached, a file cannot be read.
public struct LoadError: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }

    static func system(_ what: String, _ code: Int32) -> LoadError {
        LoadError("\(what): \(unsafe String(cString: strerror(code)))")
    }
}

/// Owns a program that was started for a measurement, in a group of its own, its output in a file. Killed with its group
/// when it is dropped.
public final class ChildProcess {
    public let processID: Int32
    private let name: String
    private var status: Int32?

    /// - Parameters:
    ///   - executable: a path, or a name that is looked up in PATH.
    ///   - output: the file that gets standard output and error; it is appended to.
    ///   - environment: nil for that of this process.
    public init(
        _ executable: String, _ arguments: [String], environment: [String]? = nil, output: String
    ) throws(LoadError) {
        name = executable
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var pid = pid_t()
        let code = unsafe Self.withCStrings([executable] + arguments) { arguments in
            guard let environment else {
                return unsafe posix_spawnp(&pid, executable, &actions, &attributes, arguments, environ)
            }
            return unsafe Self.withCStrings(environment) { environment in
                unsafe posix_spawnp(&pid, executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw .system("cannot start \(executable)", code) }
        processID = pid
    }

    deinit {
        guard status == nil else { return }
        kill(-processID, SIGKILL)
        waitpid(processID, nil, 0)
    }

    public var isRunning: Bool {
        if status == nil, let ended = poll() { status = ended }
        return status == nil
    }

    /// Waits for its end.
    /// - Throws: ``LoadError`` unless it ends with exit code 0 within `limit`.
    public func wait(_ limit: Duration) throws(LoadError) {
        let deadline = Clocks.now() + limit
        while isRunning {
            guard Clocks.now() < deadline else { throw LoadError("\(name) runs for longer than \(limit)") }
            usleep(2000)
        }
        guard status == 0 else { throw LoadError("\(name) failed (status \(status ?? 0))") }
    }

    /// Asks it to end, and insists after `limit`.
    public func terminate(_ limit: Duration = .seconds(10)) {
        guard isRunning else { return }
        kill(processID, SIGTERM)
        let deadline = Clocks.now() + limit
        while isRunning, Clocks.now() < deadline { usleep(5000) }
        if isRunning {
            kill(-processID, SIGKILL)
            var ended: Int32 = 0
            unsafe waitpid(processID, &ended, 0)
            status = ended
        }
    }

    private func poll() -> Int32? {
        var status: Int32 = 0
        return unsafe waitpid(processID, &status, WNOHANG) == processID ? status : nil
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}
