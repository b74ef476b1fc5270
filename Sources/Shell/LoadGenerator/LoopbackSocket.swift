import Glibc

/// TCP sockets on this machine.
public enum LoopbackSocket {
    /// Begins a connection that does not block; writable means that it stands.
    static func connect(port: UInt16) throws(LoadError) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system("socket", errno) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 || errno == EINPROGRESS else {
            defer { close(descriptor) }
            throw .system("connect to port \(port)", errno)
        }
        return descriptor
    }

    /// - Returns: how many bytes were taken; 0 too when the connection is lost, which the next read tells.
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Int {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            done += count
        }
        return done
    }

    /// Whether somebody listens on `port`.
    public static func isListening(port: UInt16) -> Bool {
        guard let descriptor = try? connect(port: port) else { return false }
        defer { close(descriptor) }
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&wanted, 1, 1000) == 1 else { return false }
        return wanted.revents & Int16(POLLERR | POLLHUP) == 0
    }

    /// Ports that nobody listens on now, all different.
    public static func freePorts(_ count: Int) throws(LoadError) -> [UInt16] {
        var ports: [UInt16] = []
        var held: [Int32] = []
        defer { for descriptor in held { close(descriptor) } }
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw .system("socket", errno) }
            held.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
                }
            }
            guard code == 0 else { throw .system("bind", errno) }
            ports.append(UInt16(bigEndian: address.sin_port))
        }
        return ports
    }
}
