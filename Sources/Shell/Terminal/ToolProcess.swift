import Glibc

/// Why a program could not be started.
public struct ToolError: Error, Equatable, Sendable {
    public let message: String
}

/// Owns a program that a command runs for a while: its standard output is read line by line, its standard error is this one's.
///
/// It shares the terminal's process group, so that Ctrl-C ends both.
public struct ToolProcess: ~Copyable {
    private let processID: pid_t
    private let output: Int32
    private var pending: [UInt8] = []
    private var isAtEnd = false
    private var isReaped = false

    /// - Parameter executable: a path.
    public init(_ executable: String, _ arguments: [String]) throws(ToolError) {
        var pipe: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&pipe) == 0 else { throw Self.error("pipe", errno) }
        defer { close(pipe[1]) }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        let copies = unsafe ([executable] + arguments).map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        var pid = pid_t()
        let code = unsafe posix_spawn(&pid, executable, &actions, nil, copies + [nil], environ)
        guard code == 0 else {
            close(pipe[0])
            throw Self.error(executable, code)
        }
        (processID, output) = (pid, pipe[0])
    }

    deinit {
        close(output)
        guard !isReaped else { return }
        kill(processID, SIGTERM)
        waitpid(processID, nil, 0)
    }

    /// The next line without its end; `nil` once it wrote its last.
    public mutating func nextLine() -> String? {
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard !isAtEnd else {
                defer { pending = [] }
                return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
            }
            read()
        }
    }

    /// Waits for its end.
    /// - Returns: its exit code; 128 and the signal's number if it was killed.
    public mutating func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    private mutating func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(output, $0.baseAddress, $0.count) }
        if count > 0 { pending += buffer[..<count] } else if count == 0 || errno != EINTR { isAtEnd = true }
    }

    private static func error(_ what: String, _ code: Int32) -> ToolError {
        ToolError(message: "cannot start \(what): \(unsafe String(cString: strerror(code)))")
    }
}
