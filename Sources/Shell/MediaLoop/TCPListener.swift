import Glibc
import Log
public import Timing

/// Why a listener could not be had.
public enum ListenError: Error, Equatable, Sendable {
    case portInUse(host: String, port: UInt16)
    case notPermitted(host: String, port: UInt16)
    case failed(host: String, port: UInt16, reason: String)

    /// What happened and what the reader can do, for the terminal.
    public var message: String {
        switch self {
        case .portInUse(let host, let port):
            "Port \(port) on \(host) is in use by another program. Stop it, or choose another port in the configuration."
        case .notPermitted(let host, let port):
            "No permission to listen on \(host) port \(port). Ports under 1024 need root or CAP_NET_BIND_SERVICE."
        case .failed(let host, let port, let reason): "Cannot listen on \(host) port \(port): \(reason)."
        }
    }
}

/// A listening TCP socket on a loop: hands each accepted descriptor, which does not block, to `onAccept`.
public final class TCPListener: DescriptorHandler {
    public let port: UInt16
    private let descriptor: Int32
    private let loop: EventLoop
    private let onAccept: (_ descriptor: Int32, _ remote: String, Instant) -> Void
    private var token: EventLoop.Token?
    private let log = Logger("listener")
    /// Kept to be given up when descriptors run out: see ``turnAway(at:)``.
    private var spare = TCPListener.openSpare()
    private var warnedAt: Instant?

    /// - Parameter port: 0 for a free one, which ``port`` then tells.
    public init(
        host: String, port: UInt16, loop: EventLoop, onAccept: @escaping (Int32, String, Instant) -> Void
    ) throws(ListenError) {
        (descriptor, self.port) = try Self.open(host: host, port: port)
        self.loop = loop
        self.onAccept = onAccept
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit {
        Glibc.close(descriptor)
        if spare >= 0 { Glibc.close(spare) }
    }

    /// Takes no more connections.
    public func close() {
        guard let token else { return }
        loop.remove(token)
        self.token = nil
    }

    public func ready(_ events: Readiness, at now: Instant) {
        for _ in 0..<64 {
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.accept(descriptor, $0, &length)
                }
            }
            guard accepted >= 0 else {
                if errno == EMFILE || errno == ENFILE { turnAway(at: now) }
                return
            }
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            onAccept(accepted, Self.text(of: &address, length), now)
        }
    }

    private static func openSpare() -> Int32 { unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }

    /// No descriptor is left: the connection that waits is taken with the spare one and closed, or the loop would be woken
    /// for it without end.
    private func turnAway(at now: Instant) {
        if spare >= 0 { Glibc.close(spare) }
        let refused = Glibc.accept(descriptor, nil, nil)
        if refused >= 0 { Glibc.close(refused) }
        spare = Self.openSpare()
        guard warnedAt.map({ now - $0 >= .seconds(1) }) ?? true else { return }
        warnedAt = now
        log.error("connections refused: no descriptor left; raise the limit (ulimit -n)", ["port": port])
    }

    private static func open(host: String, port: UInt16) throws(ListenError) -> (Int32, UInt16) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let address = unsafe found else {
            throw .failed(host: host, port: port, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(found) }
        let descriptor = unsafe socket(address.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw failure(host, port, errno) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            listen(descriptor, 1024) == 0
        else {
            let reason = errno
            Glibc.close(descriptor)
            throw failure(host, port, reason)
        }
        return (descriptor, boundPort(of: descriptor))
    }

    private static func failure(_ host: String, _ port: UInt16, _ code: Int32) -> ListenError {
        switch code {
        case EADDRINUSE: .portInUse(host: host, port: port)
        case EACCES, EPERM: .notPermitted(host: host, port: port)
        default: .failed(host: host, port: port, reason: unsafe String(cString: strerror(code)))
        }
    }

    private static func boundPort(of descriptor: Int32) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        // sin_port and sin6_port stand at the same place, in network order.
        return unsafe withUnsafeBytes(of: &address) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    private static func text(of address: inout sockaddr_storage, _ length: socklen_t) -> String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getnameinfo($0, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard code == 0 else { return "unknown" }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
