import CShimMicrohttpd
import Glibc

/// Opens listening TCP sockets.
enum ListenSocket {
    /// A socket that listens on `host`, an address or a name, and the port it got.
    static func open(host: String, port: Int) throws(HTTPServerError) -> (descriptor: Int32, port: Int) {
        guard 0...65_535 ~= port else { throw .badAddress(host: host, reason: "\(port) is no port") }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let first = unsafe list else {
            throw .badAddress(host: host, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = unsafe socket(first.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw .failed(call: "socket", errno: errno) }
        do {
            unsafe try listen(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen, host: host, port: port)
            return (descriptor, try boundPort(descriptor))
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func listen(
        _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>, _ length: socklen_t, host: String, port: Int
    ) throws(HTTPServerError) {
        var on: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe bind(descriptor, address, length) == 0, Glibc.listen(descriptor, SOMAXCONN) == 0 else {
            switch errno {
            case EADDRINUSE: throw .addressInUse(host: host, port: port)
            case EACCES: throw .notPermitted(host: host, port: port)
            case EADDRNOTAVAIL: throw .badAddress(host: host, reason: "this machine does not have the address")
            case let code: throw .failed(call: "bind", errno: code)
            }
        }
    }

    private static func boundPort(_ descriptor: Int32) throws(HTTPServerError) -> Int {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { throw .failed(call: "getsockname", errno: errno) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            if unsafe pointer.pointee.ss_family == sa_family_t(AF_INET6) {
                return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    Int(UInt16(bigEndian: unsafe $0.pointee.sin6_port))
                }
            }
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: unsafe $0.pointee.sin_port))
            }
        }
    }

    /// The numeric address of a peer, without its port.
    static func name(of address: UnsafePointer<sockaddr>?) -> String {
        guard let address = unsafe address else { return "" }
        // The first field is the family. Which C module the struct comes by differs from build to build, so it is not named.
        let isV6 = unsafe UnsafeRawPointer(address).load(as: sa_family_t.self) == sa_family_t(AF_INET6)
        let length = socklen_t(isV6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return "" }
        let bytes = host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }
}
