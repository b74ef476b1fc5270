import Glibc
import Synchronization

/// The TCP connection of one push, and the ways to end it from another thread.
///
/// librtmp closes its descriptor by itself when a call fails; a second one of the same socket is kept here, so that an
/// abort never meets a number that is somebody else's by then.
final class PushSocket: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var isAborted = false
    }

    /// No data taken for this long ends a connection.
    static let stallLimit = Duration.seconds(8)
    private static let connectMilliseconds: Int32 = 5000
    /// Enough for 20 Mbit/s over 100 ms, and little enough that a stall shows soon.
    private static let sendBufferBytes: Int32 = 256 << 10

    private let state = Mutex(State())

    var isAborted: Bool { state.withLock { $0.isAborted } }

    /// Ends whatever call waits on the connection; later calls fail at once. Any thread may call it.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            if state.descriptor >= 0 { shutdown(state.descriptor, Int32(SHUT_RDWR)) }
        }
    }

    func close() {
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    deinit { close() }

    /// Connects to the first address of `host` that answers.
    /// - Returns: a blocking descriptor, the caller's to close.
    func connect(host: String, port: UInt16) throws(PushFailure) -> Int32 {
        var reason = "it has no address"
        for address in try Self.addresses(of: host, port: port) where !isAborted {
            let number = socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { continue }
            if let code = Self.connect(number, to: address) {
                Glibc.close(number)
                reason = unsafe String(cString: strerror(code))
                continue
            }
            Self.setUp(number)
            guard adopt(number) else { break }
            return number
        }
        throw .unreachable(host: host, reason: reason)
    }

    /// Keeps a second descriptor of the socket; false if the push was aborted meanwhile.
    private func adopt(_ number: Int32) -> Bool {
        let isAborted = state.withLock { state in
            if !state.isAborted { state.descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0) }
            return state.isAborted
        }
        if isAborted { Glibc.close(number) }
        return !isAborted
    }

    private struct Address {
        var family: Int32
        var bytes: [UInt8]
    }

    private static func addresses(of host: String, port: UInt16) throws(PushFailure) -> [Address] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            throw .unreachable(host: host, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = unsafe list
        while let info = unsafe entry {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: info.pointee.ai_addr, count: Int(info.pointee.ai_addrlen))
            unsafe addresses.append(Address(family: info.pointee.ai_family, bytes: Array(bytes)))
            unsafe entry = info.pointee.ai_next
        }
        return addresses
    }

    /// The error number, if it cannot be connected in time.
    private static func connect(_ number: Int32, to address: Address) -> Int32? {
        let flags = fcntl(number, F_GETFL)
        _ = fcntl(number, F_SETFL, flags | O_NONBLOCK)
        let result = unsafe address.bytes.withUnsafeBytes { bytes in
            unsafe Glibc.connect(
                number, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        if result != 0 {
            guard errno == EINPROGRESS else { return errno }
            var waiting = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&waiting, 1, connectMilliseconds) > 0 else { return ETIMEDOUT }
            var code: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size)
            if code != 0 { return code }
        }
        _ = fcntl(number, F_SETFL, flags)
        return nil
    }

    private static func setUp(_ number: Int32) {
        set(number, SOL_SOCKET, SO_SNDBUF, sendBufferBytes)
        set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        set(number, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, Int32(stallLimit.components.seconds) * 1000)
        setTimeLimits(number)
    }

    /// A call that moves no byte for ``stallLimit`` fails.
    static func setTimeLimits(_ number: Int32) {
        let limit = timeval(tv_sec: Int(stallLimit.components.seconds), tv_usec: 0)
        set(number, SOL_SOCKET, SO_RCVTIMEO, limit)
        set(number, SOL_SOCKET, SO_SNDTIMEO, limit)
    }

    private static func set<Value: BitwiseCopyable>(_ number: Int32, _ level: Int32, _ option: Int32, _ value: Value) {
        var value = value
        unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Value>.size))
    }
}
