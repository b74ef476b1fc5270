import Glibc

/// Opens listening TCP sockets, and names who connects to them: for every server of the gateway.
public enum ListenSocket {
    /// A socket that listens on `host`, an address or a name, and does not block; the caller's to close.
    /// - Parameter port: 0 for one that the system chooses.
    /// - Returns: the descriptor, and the port that it got.
    public static func open(host: String, port: UInt16) throws(ListenError) -> (descriptor: Int32, port: UInt16) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard code == 0, let first = unsafe found else {
            throw .badAddress(host: host, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(found) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = unsafe socket(first.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw failure(host, port, errno) }
        var one: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard unsafe bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0,
            listen(descriptor, SOMAXCONN) == 0
        else {
            let reason = errno
            close(descriptor)
            throw failure(host, port, reason)
        }
        return (descriptor, boundPort(of: descriptor))
    }

    /// The numeric address of the peer of a connection, without its port; empty when the connection is lost already. IPv4 is
    /// named alike on a socket of either family.
    public static func peer(of descriptor: Int32) -> String {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getpeername(descriptor, $0, &length) == 0 ? name(of: $0) : ""
            }
        }
    }

    /// The same for the `sockaddr` of a peer, which is of IPv4 or of IPv6. It comes without its type, since C modules differ
    /// in whose `sockaddr` it is.
    public static func name(of address: UnsafeRawPointer?) -> String {
        guard let address = unsafe address else { return "" }
        let isV6 = unsafe address.load(as: sa_family_t.self) == sa_family_t(AF_INET6)
        let length = socklen_t(isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            address.assumingMemoryBound(to: sockaddr.self), length, &host, socklen_t(host.count), nil, 0,
            NI_NUMERICHOST)
        guard code == 0 else { return "" }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }

    private static func failure(_ host: String, _ port: UInt16, _ code: Int32) -> ListenError {
        switch code {
        case EADDRINUSE: .portInUse(host: host, port: port)
        case EACCES, EPERM: .notPermitted(host: host, port: port)
        case EADDRNOTAVAIL: .badAddress(host: host, reason: "this machine does not have the address")
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
}
