import Bytes
import Feed
import Forwarding
import Glibc
import MediaLoop
import Synchronization
import Timing

/// A blocking stream socket of a test: the peer of something that lives on a loop.
final class StreamPeer: Sendable {
    enum Failure: Error { case timeout, closed }

    let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Connects to a port of this machine.
    convenience init(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        self.init(descriptor: descriptor)
        guard code == 0 else { throw Failure.closed }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure.closed }
            sent += count
        }
    }

    /// What has arrived, at least a byte.
    func receive() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 { return Array(buffer[..<count]) }
        throw count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Failure.timeout : .closed
    }
}

/// A loop with rooms for a test; what lives on it is reached with ``on(_:)``.
final class TestLoop: Sendable {
    let handle = LoopHandle.start(name: "test")
    let rooms: LoopBound<RoomHost>

    init(limits: FeedRing.Limits = FeedRing.Limits()) async {
        rooms = await handle.ask { LoopBound(RoomHost(limits: limits), on: $0) }
    }

    deinit { handle.post { $0.stop() } }

    func on<Answer: Sendable>(_ body: @escaping @Sendable (RoomHost, EventLoop) -> Answer) async -> Answer {
        let rooms = rooms
        return await handle.ask { body(rooms.on($0), $0) }
    }

    func open(_ room: String) async {
        await on { rooms, _ in _ = rooms.open(room, at: Clocks.now(), wall: Clocks.wall()) }
    }

    /// All records that the room's feed holds.
    func records(of room: String) async -> [Record] {
        await on { rooms, _ in
            guard let ring = rooms.room(room)?.ring else { return [] }
            return (ring.oldest..<ring.next).compactMap { ring.record(at: $0) }
        }
    }
}

/// What a loop tells, for a test to wait for.
final class Told<Event: Sendable>: Sendable {
    private let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Event.self) }

    func tell(_ event: Event) { continuation.yield(event) }

    /// The first event that `pick` makes something of. The suite's time limit ends a wait without end.
    func first<Value: Sendable>(_ pick: @Sendable (Event) -> Value?) async throws -> Value {
        for await event in stream {
            if let value = pick(event) { return value }
        }
        throw StreamPeer.Failure.closed
    }
}

/// Waits until `condition` holds, ten seconds at most.
func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<2000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
