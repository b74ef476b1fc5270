import CLinux
import Glibc
public import MediaLoop
public import Timing

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable {
    case exited(code: Int32)
    case killed(signal: Int32)
}

/// Why no process could be made.
public struct SpawnError: Error, Equatable, Sendable {
    public var call: String
    public var code: Int32
}

/// Owns one child process from its start until its end was seen. Lives on a loop, which watches the process descriptor.
///
/// The child gets its end of the link as descriptor ``linkDescriptor``.
public final class WorkerProcess: DescriptorHandler {
    public static let linkDescriptor: Int32 = 3

    public let processID: Int32
    private let descriptor: Int32
    private let loop: EventLoop
    private let onEnd: (ProcessEnd) -> Void
    private var token: EventLoop.Token?
    private let output: WorkerOutput

    /// Starts `executable`. Each line that it writes to its standard error goes to `onLine`.
    /// - Returns: the process, and the gateway's end of the link: a Unix socket that does not block.
    public static func start(
        executable: String, arguments: [String], environment: [String], loop: EventLoop,
        onLine: @escaping (String) -> Void, onEnd: @escaping (ProcessEnd) -> Void
    ) throws(SpawnError) -> (process: WorkerProcess, link: Int32) {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0 else { throw SpawnError(call: "socketpair", code: errno) }
        var pipe: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&pipe) == 0 else {
            let code = errno
            for end in pair { close(end) }
            throw SpawnError(call: "pipe", code: code)
        }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer {
            close(pair[1])
            close(pipe[1])
        }
        for end in pair {
            var size: Int32 = 1 << 20
            unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        do throws(SpawnError) {
            let pid = try spawn(executable, arguments, environment, link: pair[1], output: pipe[1])
            let watch = clinux_pidfd_open(pid)
            guard watch >= 0 else {
                let code = errno
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
                throw SpawnError(call: "pidfd_open", code: code)
            }
            for descriptor in [pair[0], pipe[0]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
            let output = WorkerOutput(descriptor: pipe[0], loop: loop, onLine: onLine)
            return (WorkerProcess(processID: pid, descriptor: watch, output: output, loop: loop, onEnd: onEnd), pair[0])
        } catch {
            close(pair[0])
            close(pipe[0])
            throw error
        }
    }

    private init(
        processID: pid_t, descriptor: Int32, output: WorkerOutput, loop: EventLoop,
        onEnd: @escaping (ProcessEnd) -> Void
    ) {
        self.output = output
        self.processID = processID
        self.descriptor = descriptor
        self.loop = loop
        self.onEnd = onEnd
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit { close(descriptor) }

    /// Sends a signal; none once the end was seen, since the number may then be another's.
    public func signal(_ number: Int32) {
        if token != nil { kill(processID, number) }
    }

    public func ready(_ events: Readiness, at now: Instant) {
        var status: Int32 = 0
        guard let token else { return }
        let found = unsafe waitpid(processID, &status, WNOHANG)
        // ECHILD: whoever started the gateway has it ignore SIGCHLD, so the system kept no status; the process is gone.
        guard found == processID || (found < 0 && errno == ECHILD) else { return }
        loop.remove(token)
        self.token = nil
        output.drain()
        let signal = status & 0x7F
        onEnd(signal == 0 ? .exited(code: (status >> 8) & 0xFF) : .killed(signal: signal))
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String], link: Int32, output: Int32
    ) throws(SpawnError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, link, linkDescriptor)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C at the terminal reaches the gateway alone, which then seals what its workers do.
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var pid = pid_t()
        let code = unsafe withCStrings([executable] + arguments) { arguments in
            unsafe withCStrings(environment) { environment in
                unsafe posix_spawn(&pid, executable, &actions, &attributes, arguments, environment)
            }
        }
        guard code == 0 else { throw SpawnError(call: "start \(executable)", code: code) }
        return pid
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        return unsafe body(copies + [nil])
    }
}
