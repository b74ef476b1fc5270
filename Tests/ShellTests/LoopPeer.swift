import Bytes
import Encoder
import Feed
import Forwarding
import Glibc
import MediaLoop
import Synchronization
import Timing

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
