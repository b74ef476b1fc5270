import Bytes
import Encoder
import Feed
import Forwarding
import Glibc
import MediaLoop
import Synchronization
import Testing
import Timing

@testable import LinkTransport

@Suite("The gateway's end of a link", .timeLimit(.minutes(1)))
struct GatewayLinkTests {
    @Test("greets, and gives a subscriber the room's state and then its feed")
    func subscribes() async throws {
        let side = try await WorkerSide()
        await side.play(frames: 10)
        try await side.subscribe(1)
        #expect(try side.next() == .subscribed(subscription: 1, position: 3))
        let records = try side.records(until: { $0.compactMap(\.dts).count == 10 })
        #expect(records.prefix(3).allSatisfy { $0.dts == nil })
        #expect(records.compactMap(\.dts) == (0..<10).map { $0 * 40 })
    }

    @Test("refuses a stale fence, a job that it never gave, and a room that is not there")
    func fenced() async throws {
        let side = try await WorkerSide()
        try await side.subscribe(1, fence: 4)
        #expect(try side.next() == .ended(subscription: 1, .fenced))
        try side.send(.subscribe(side.request(2, job: "JB_other")))
        #expect(try side.next() == .ended(subscription: 2, .fenced))
        try side.send(.subscribe(side.request(3, room: "RM_none")))
        #expect(try side.next() == .ended(subscription: 3, .notFound))
    }

    @Test("takes no acknowledgement with a stale fence")
    func staleAcknowledgement() async throws {
        let side = try await WorkerSide()
        await side.play(frames: 30, gop: 5)
        try await side.subscribe(1, start: .position(0))
        let oldest = await side.oldest()
        await side.play(frames: 30, gop: 5)
        try side.send(.acknowledge(subscription: 1, position: 50, fence: 4))
        try await side.settle()
        #expect(await side.oldest() == oldest)
        try side.send(.acknowledge(subscription: 1, position: 50, fence: 5))
        try await side.settle()
        #expect(await side.oldest() == 50)
    }

    @Test("gives all that the room held by then to who asks for the end")
    func drains() async throws {
        let side = try await WorkerSide()
        try await side.subscribe(1)
        _ = try side.next()
        await side.play(frames: 400, bytes: 10_000)  // more than the socket takes: nobody reads yet
        try side.send(.unsubscribe(subscription: 1))
        let dts = try side.records(until: { _ in false }).compactMap(\.dts)
        #expect(dts == (0..<400).map { $0 * 40 })
        #expect(side.end == .unsubscribed)
    }

    @Test("ends the subscriptions of a closed room after their last record")
    func closedRoom() async throws {
        let side = try await WorkerSide()
        try await side.subscribe(1)
        await side.play(frames: 5)
        await side.loop.on { rooms, _ in rooms.close("RM_1") }
        await side.flush()
        #expect(try side.records(until: { _ in false }).compactMap(\.dts).count == 5)
        #expect(side.end == .roomClosed)
    }

    @Test("holds what a dead worker had not acknowledged, and says from where")
    func orphans() async throws {
        let side = try await WorkerSide()
        await side.play(frames: 10, gop: 5)
        try await side.subscribe(1, start: .position(0))
        try side.send(.acknowledge(subscription: 1, position: 8, fence: 5))
        try await side.settle()
        side.hangUp()
        let held = try await side.told.first { event -> [String: UInt64]? in
            if case .closed(_, _, let held) = event { held } else { nil }
        }
        #expect(held == ["JB_1": 8])
        await side.play(frames: 20, gop: 5)
        #expect(await side.oldest() == 8)
        await side.loop.on { rooms, _ in rooms.releaseOrphans(at: Clocks.now() + .seconds(16)) }
        #expect(await side.oldest() == 28)
    }

    @Test("keeps its memory bounded while a worker reads nothing, and loses it nothing")
    func slowReader() async throws {
        let side = try await WorkerSide()
        try await side.subscribe(1)
        for _ in 0..<20 {
            await side.play(frames: 100, bytes: 10_000)
            await side.flush()
            #expect(await side.waitingBytes() <= GatewayLink.outputLimit)
        }
        let dts = try side.records(until: { $0.compactMap(\.dts).count == 2000 }).compactMap(\.dts)
        #expect(dts == (0..<2000).map { $0 * 40 })
    }

    @Test("forgets a job that is withdrawn, and ends what the worker still has of it")
    func withdrawn() async throws {
        let side = try await WorkerSide()
        try await side.subscribe(1)
        _ = try side.next()
        await side.onLink { $0.withdraw(job: "JB_1") }
        #expect(try side.next { if case .ended = $0 { true } else { false } } == .ended(subscription: 1, .fenced))
        try side.send(.subscribe(side.request(2)))
        #expect(try side.next() == .ended(subscription: 2, .fenced))
    }

    @Test("ends at bytes that are no message, and at a message that a worker may not send", arguments: [true, false])
    func malformed(isGarbage: Bool) async throws {
        let side = try await WorkerSide()
        if isGarbage {
            try side.peer.send([0, 0, 0, 2, 250, 0])
        } else {
            try side.send(.shutdown)
        }
        let cause = try await side.told.first { event -> String? in
            if case .closed(_, let cause, _) = event { cause } else { nil }
        }
        #expect(cause.contains(isGarbage ? "malformed" : "may not send"))
    }
}

/// A worker that the test plays: the other end of a ``GatewayLink``, with one job and one room, whose track it feeds.
final class WorkerSide {
    let loop: TestLoop
    let told = Told<LinkEvent>()
    let peer: StreamPeer
    /// Why the last subscription ended.
    private(set) var end: EndReason?
    private let link: LoopBound<GatewayLink>
    private var reader = LinkFrameReader()
    private var frames: Int64 = 0

    init() async throws {
        let loop = await TestLoop(limits: FeedRing.Limits(bytes: 256 << 20, span: .seconds(1000)))
        self.loop = loop
        var pair: [Int32] = [-1, -1]
        _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        peer = StreamPeer(descriptor: pair[0])
        let descriptor = pair[1]
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let told = told
        link = await loop.on { rooms, loop in
            let room = rooms.open("RM_1", at: Clocks.now(), wall: Clocks.wall())
            let participant = room.join(id: "PA_1", identity: "obs", name: "", at: Clocks.now())
            _ = room.publish(id: "TR_v", of: participant, kind: .video, source: .camera, at: Clocks.now())
            let link = GatewayLink(worker: "WK_1", descriptor: descriptor, rooms: rooms, loop: loop) { told.tell($0) }
            link.assign(job: "JB_1", fence: 5, body: [])
            return LoopBound(link, on: loop)
        }
        guard case .hello = try next(), case .assign = try next() else { throw StreamPeer.Failure.closed }
    }

    func request(
        _ subscription: UInt32, job: String = "JB_1", fence: UInt64 = 5, room: String = "RM_1",
        start: Subscribe.Start = .gop
    ) -> Subscribe {
        Subscribe(
            subscription: subscription, job: job, fence: fence, room: room, selection: .all, isDurable: true,
            start: start)
    }

    func subscribe(_ subscription: UInt32, fence: UInt64 = 5, start: Subscribe.Start = .gop) async throws {
        try send(.subscribe(request(subscription, fence: fence, start: start)))
        try await settle()
    }

    /// Returns once the gateway has handled all that was sent.
    func settle() async throws {
        try send(.pong(1))
        _ = try await told.first { event -> Bool? in if case .pong = event { true } else { nil } }
    }

    /// Publishes pictures, 25 a second.
    func play(frames count: Int, gop: Int = 1000, bytes: Int = 100) async {
        let first = frames
        frames += Int64(count)
        await loop.on { rooms, _ in
            guard let room = rooms.room("RM_1") else { return }
            for frame in 0..<count {
                let time = (first + Int64(frame)) * 40
                let unit = Unit(
                    track: TrackNumber(rawValue: 2), configuration: 1, pts: time, dts: time, isKey: frame % gop == 0,
                    bytes: ArraySlice(repeating: 1, count: bytes))
                room.ring.append(.unit(unit), time: time * 1_000_000)
            }
        }
    }

    func onLink<Answer: Sendable>(_ body: @escaping @Sendable (GatewayLink) -> Answer) async -> Answer {
        let link = link
        return await loop.on { _, loop in body(link.on(loop)) }
    }

    func flush() async { await onLink { $0.flush() } }

    func waitingBytes() async -> Int { await onLink { $0.waitingBytes } }

    func oldest() async -> UInt64 { await loop.on { rooms, _ in rooms.room("RM_1")?.ring.oldest ?? 0 } }

    func send(_ message: LinkMessage) throws {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        try peer.send(bytes)
    }

    func hangUp() { shutdown(peer.descriptor, Int32(SHUT_RDWR)) }

    /// The next message that `isWanted`.
    func next(where isWanted: (LinkMessage) -> Bool = { _ in true }) throws -> LinkMessage {
        while true {
            while let message = try nextRead() {
                if isWanted(message) { return message }
            }
            let bytes = try peer.receive()
            reader.append(bytes.span)
        }
    }

    private func nextRead() throws -> LinkMessage? { try reader.next() }

    /// The records that come until `isEnough`, or until the subscription ends.
    func records(until isEnough: ([Record]) -> Bool) throws -> [Record] {
        var records: [Record] = []
        while !isEnough(records) {
            switch try next() {
            case .record(_, let record): records.append(record)
            case .ended(_, let reason):
                end = reason
                return records
            default: break
            }
        }
        return records
    }
}

extension Record {
    var dts: Int64? { if case .unit(let unit) = body { unit.dts } else { nil } }
}
