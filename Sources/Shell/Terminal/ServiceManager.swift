import Glibc

/// The way to the service manager that started this process (sd_notify(3)): one datagram a message to the Unix socket that
/// `NOTIFY_SOCKET` names. Without the variable nothing is sent.
public struct ServiceManager: Sendable {
    /// How often the manager wants to hear that all is well, half of its limit; `nil`: it does not ask.
    public let watchdogInterval: Duration?
    private let socketPath: String?

    /// - Parameters:
    ///   - environment: of this process: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///   - processID: the watchdog is for this process, or for nobody in it; `nil`: the process's own.
    public init(environment: [String: String], processID: Int32? = nil) {
        socketPath = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMine = environment["WATCHDOG_PID"].map { Int32($0) == processID ?? getpid() } ?? true
        let limit = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.flatMap { $0 > 0 && isMine ? $0 : nil }
        watchdogInterval = limit.map { .microseconds($0 / 2) }
    }

    /// The service is up: what waits for it may start.
    public func ready(_ status: String) { send("READY=1\nSTATUS=\(Self.oneLine(status))") }

    /// The configuration is being read anew; ``ready(_:)`` ends it.
    public func reloading() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
        send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    public func stopping(_ status: String) { send("STOPPING=1\nSTATUS=\(Self.oneLine(status))") }

    /// All is well; silence for twice ``watchdogInterval`` and the manager restarts the service.
    public func isAlive() { send("WATCHDOG=1") }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    /// A message that cannot be sent is lost: the manager has limits of its own for silence.
    private func send(_ message: String) {
        guard let socketPath, var address = Self.address(of: socketPath) else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let bytes = Array(message.utf8)
        let length = socklen_t(MemoryLayout<sa_family_t>.size + socketPath.utf8.count)
        _ = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// A path, or after `@` a name in the abstract namespace, which begins with a zero byte (unix(7)).
    private static func address(of path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        return address
    }
}
