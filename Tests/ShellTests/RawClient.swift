import Foundation

/// A client that writes exactly the bytes it is told to, and reads what comes back. Blocking calls run on a thread of
/// their own: the server under test needs Swift's.
struct RawClient: Sendable {
    let port: UInt16

    struct Reply: Sendable {
        var status: Int
        /// Status line and fields, as text.
        var head: String
        var body: [UInt8]
        /// The server closed the connection behind it.
        var isLast: Bool
    }

    /// Sends `pieces` one after the other on one connection, and reads until the server closes or says nothing for long.
    func exchange(_ pieces: [String], leaveEarly: Bool = false) async -> [UInt8] {
        await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: run(pieces.map { Array($0.utf8) }, leaveEarly)) }
        }
    }

    /// One request, one answer; `Connection: close` is the caller's.
    func send(_ request: String) async -> Reply? { Self.parse(await exchange([request])) }

    func send(bytes: [UInt8]) async -> Reply? {
        await withCheckedContinuation { done in
            Thread.detachNewThread { done.resume(returning: Self.parse(run([bytes], false))) }
        }
    }

    static func parse(_ bytes: [UInt8]) -> Reply? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 "), let status = Int(text.dropFirst(9).prefix(3)) else { return nil }
        let end = bytes.indices.first { bytes[$0...].starts(with: [13, 10, 13, 10]) } ?? bytes.count
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        return Reply(
            status: status, head: head, body: Array(bytes[min(end + 4, bytes.count)...]),
            isLast: head.lowercased().contains("connection: close"))
    }

    /// Waits until the server's side of the connection has confirmed all that was sent.
    private func waitUntilTaken(_ descriptor: Int32) {
        var left: Int32 = 1
        while unsafe ioctl(descriptor, UInt(TIOCOUTQ), &left) == 0, left > 0 { sched_yield() }
    }

    private func run(_ pieces: [[UInt8]], _ leaveEarly: Bool) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return [] }
        for piece in pieces {
            _ = unsafe Foundation.send(descriptor, piece, piece.count, Int32(MSG_NOSIGNAL))
            waitUntilTaken(descriptor)  // so that the pieces arrive apart
        }
        if leaveEarly { return [] }
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&poller, 1, 10_000) > 0 {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            reply += buffer[..<count]
        }
        return reply
    }
}
