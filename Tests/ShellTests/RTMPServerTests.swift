import Bytes
import Encoder
import Feed
import Forwarding
import Glibc
import Listening
import Log
import MediaLoop
import RTMP
import Spec
import Testing
import Timing

@testable import RTMPServer

@Suite("The RTMP server on real sockets", .timeLimit(.minutes(1)))
struct RTMPServerTests {
    @Test("asks before anybody publishes, and what is published reaches the room's feed")
    func publishes() async throws {
        let site = try await RTMPSite()
        let publisher = try TestPublisher(port: site.port, key: "key-1?token=x")
        let request = try await site.request()
        #expect(request.app == "live" && request.streamKey.reveal() == "key-1" && request.remote == "127.0.0.1")
        await site.accept(request)
        #expect(try publisher.answer() == .publishing)
        try publisher.sendHeaders()
        try publisher.play(0..<10)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 20 })
        let records = await site.loop.records(of: "RM_1")
        let pictures = records.compactMap(\.unit).filter { $0.bytes.count == 100 }
        #expect(pictures.map(\.dts) == (0..<10).map { $0 * 40 })
        #expect(pictures.map { $0.bytes.first } == (0..<10).map { UInt8($0) })
        #expect(pictures.map(\.isKey) == [true] + Array(repeating: false, count: 9))
    }

    @Test("pictures larger than a read come whole", arguments: [60_000, 130_000, 700_000])
    func largePictures(bytes: Int) async throws {
        let site = try await RTMPSite()
        let publisher = try await site.live("key")
        try publisher.sendHeaders()
        try publisher.play(0..<3, bytes: bytes)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 6 })
        let units = await site.loop.records(of: "RM_1").compactMap(\.unit)
        let pictures = units.filter { $0.bytes.count == bytes }
        #expect(pictures.count == 3)
        for (number, picture) in pictures.enumerated() {
            #expect(picture.bytes.allSatisfy { $0 == UInt8(number) })
        }
    }

    @Test("stops with the encoder, and tells what came")
    func ends() async throws {
        let site = try await RTMPSite()
        let publisher = try await site.live("key")
        try publisher.sendHeaders()
        try publisher.play(0..<5)
        try publisher.finish()
        let ended = try await site.ended()
        #expect(ended.reason == "the encoder stopped")
        #expect(ended.report?.video?.frames == 5 && ended.report?.video?.width == 1280)
    }

    @Test("answers BadName instead of Start to a key that is refused, and closes")
    func refuses() async throws {
        let site = try await RTMPSite()
        let publisher = try TestPublisher(port: site.port, key: "wrong")
        let request = try await site.request()
        await site.onServer { $0.reject(request.session, because: "Unknown stream key.") }
        #expect(try publisher.answer() == .refused(code: "NetStream.Publish.BadName"))
        #expect(try publisher.answer() == .closed)
        #expect(try await site.ended().reason.contains("Unknown stream key"))
    }

    @Test("does not make a room that was deleted")
    func deletedRoom() async throws {
        let site = try await RTMPSite()
        let publisher = try TestPublisher(port: site.port, key: "key")
        let request = try await site.request()
        await site.loop.on { rooms, _ in rooms.close("RM_1") }
        await site.accept(request)
        #expect(try publisher.answer() == .refused(code: "NetStream.Publish.BadName"))
        #expect(await site.loop.on { rooms, _ in rooms.all.isEmpty })
    }

    @Test("closes who is taken over; the next goes on in the same tracks, with its clock anchored anew")
    func takeover() async throws {
        let site = try await RTMPSite()
        let first = try TestPublisher(port: site.port, key: "key")
        let request = try await site.request()
        await site.accept(request)
        #expect(try first.answer() == .publishing)
        try first.sendHeaders()
        try first.play(0..<3)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 6 })
        await site.onServer { $0.close(request.session, because: "another encoder took over") }
        #expect(try first.answer() == .closed)
        #expect(try await site.ended().reason == "another encoder took over")
        let second = try await site.live("key")
        try second.sendHeaders()
        try second.play(0..<3)
        #expect(
            await eventually {
                await site.loop.records(of: "RM_1").compactMap(\.unit).count { $0.configuration == 2 } == 6
            })
        let records = await site.loop.records(of: "RM_1")
        #expect(records.count { if case .event(.joined) = $0.body { true } else { false } } <= 1)
        #expect(Set(records.compactMap(\.unit?.track)).count == 2)
        let last = try #require(records.compactMap(\.unit).last)
        #expect(last.configuration == 2)
    }

    @Test("gives up on who connects and says nothing", arguments: [0, 1, 1537])
    func idle(sent: Int) async throws {
        let site = try await RTMPSite { $0.session.handshake = .milliseconds(100) }
        let peer = try StreamPeer(port: site.port)
        try peer.send(Array([UInt8(3)] + [UInt8](repeating: 0, count: 1536)).prefix(sent).map { $0 })
        #expect(try await site.ended().reason.contains("no handshake"))
        #expect(await site.onServer { $0.isIdle })
    }

    @Test("gives up on who is let publish and sends no media")
    func noMedia() async throws {
        let site = try await RTMPSite { $0.session.firstMedia = .milliseconds(100) }
        let publisher = try await site.live("key")
        #expect(try publisher.answer() == .closed)
        #expect(try await site.ended().reason.contains("no media"))
    }

    @Test("drops one that does not speak RTMP, and goes on with the others")
    func malformed() async throws {
        let site = try await RTMPSite()
        let good = try await site.live("key")
        let bad = try StreamPeer(port: site.port)
        try bad.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(try await site.ended().reason.contains("not RTMP"))
        try good.sendHeaders()
        try good.play(0..<3)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 6 })
    }

    @Test("ends a session that is over its rate, and holds no more than the limits say")
    func rate() async throws {
        let site = try await RTMPSite { $0.session.bitrate = 80_000 }
        let publisher = try await site.live("key")
        try publisher.sendHeaders()
        try? publisher.play(0..<100, bytes: 10_000)
        #expect(try await site.ended().reason.contains("over the limit"))
    }

    @Test("ends a session that changes its configuration over and over; repeats are free")
    func changes() async throws {
        let site = try await RTMPSite()
        let publisher = try await site.live("key")
        for _ in 0..<100 { try publisher.sendHeaders() }
        for number in 0..<UInt8(20) { try publisher.reconfigure(number) }
        try publisher.play(0..<3)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 6 })
        for number in 20..<UInt8(200) { try? publisher.reconfigure(number) }
        #expect(try await site.ended().reason.contains("changes its configuration"))
        let configurations = await site.loop.records(of: "RM_1").count { record in
            if case .event(.configuration) = record.body { true } else { false }
        }
        #expect(configurations < 60)
    }

    // Else one small unit that is kept holds everything useless that came with it.
    @Test("keeps each unit by itself for one that sends much of no use")
    func useless() async throws {
        let site = try await RTMPSite()
        let publisher = try await site.live("key")
        try publisher.sendHeaders()
        try publisher.playUseless(bytes: 70_000)
        try publisher.play(0..<2)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 4 })
        try publisher.play(2..<10)
        #expect(await eventually { await site.loop.records(of: "RM_1").compactMap(\.unit).count == 20 })
        let units = await site.loop.records(of: "RM_1").compactMap(\.unit).filter { $0.dts >= 80 }
        #expect(units.allSatisfy { $0.bytes.startIndex <= 5 }, "behind the tag's header, at the start of its own bytes")
    }

    @Test("turns away more connections than it may have, in all and from one address", arguments: [true, false])
    func connections(inAll: Bool) async throws {
        let site = try await RTMPSite {
            $0.sessions = inAll ? 2 : 100
            $0.sessionsPerAddress = inAll ? 100 : 2
        }
        let kept = try [StreamPeer(port: site.port), StreamPeer(port: site.port)]
        #expect(await eventually { await site.onServer { !$0.isIdle } })
        let third = try StreamPeer(port: site.port)
        #expect(throws: StreamPeer.Failure.closed) { try third.receive() }
        _ = kept.map(\.descriptor)
        for peer in kept { shutdown(peer.descriptor, Int32(SHUT_RDWR)) }
        #expect(await eventually { await site.onServer { $0.isIdle } })
        _ = try await site.live("key")
    }
}

/// An RTMP server on a loop of its own, with the room `RM_1`.
final class RTMPSite: Sendable {
    let loop: TestLoop
    let port: UInt16
    private let server: LoopBound<RTMPServer>
    private let told = Told<RTMPServerEvent>()

    init(_ change: (inout RTMPServer.Limits) -> Void = { _ in }) async throws {
        let loop = await TestLoop()
        self.loop = loop
        var limits = RTMPServer.Limits()
        change(&limits)
        let (told, settled) = (told, limits)
        await loop.open("RM_1")
        server = await loop.on { rooms, loop in
            LoopBound(RTMPServer(rooms: rooms, loop: loop, limits: settled) { told.tell($0) }, on: loop)
        }
        let server = server
        let result = await loop.on { _, loop in
            Result { () throws(ListenError) in try server.on(loop).listen(host: "127.0.0.1", port: 0) }
        }
        port = try result.get()
    }

    deinit {
        let server = server
        loop.handle.post { server.on($0).stopListening() }
    }

    func onServer<Answer: Sendable>(_ body: @escaping @Sendable (RTMPServer) -> Answer) async -> Answer {
        let server = server
        return await loop.on { _, loop in body(server.on(loop)) }
    }

    func request() async throws -> PublishRequest {
        try await told.first { event in if case .publishRequested(let request) = event { request } else { nil } }
    }

    func ended() async throws -> (reason: String, report: PublicationReport?) {
        try await told.first { event in
            if case .ended(_, let reason, let report) = event { (reason, report) } else { nil }
        }
    }

    func accept(_ request: PublishRequest) async {
        let grant = PublishGrant(
            room: "RM_1", participant: "PA_1", identity: "obs", name: "", videoTrack: "TR_v", audioTrack: "TR_a")
        await onServer { $0.accept(request.session, as: grant) }
    }

    /// A publisher that was let publish.
    func live(_ key: String) async throws -> TestPublisher {
        let publisher = try TestPublisher(port: port, key: key)
        await accept(try await request())
        guard try publisher.answer() == .publishing else { throw StreamPeer.Failure.closed }
        return publisher
    }
}

extension Record {
    fileprivate var unit: Unit? { if case .unit(let unit) = body { unit } else { nil } }
}
