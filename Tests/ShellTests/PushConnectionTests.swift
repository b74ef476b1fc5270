import Bytes
import Glibc
import MediaLoop
import RTMP
import RTMPPush
import Synchronization
import Testing
import Timing

@Suite("A push to a destination", .timeLimit(.minutes(1)))
struct PushConnectionTests {
    @Test("sends metadata and headers first, then frames from the first picture, and ends in good order")
    func publish() async throws {
        let server = try Destination { _ in .accept }
        let source = PushSource()
        source.setHasVideo(true)
        source.describe(
            metadata: .metadata(FLVMetadata(properties: [AMF0Property("width", 640)])), audioHeader: (sound, 1))
        for frame in frames(9) { source.append(frame, at: Clocks.now()) }
        source.end()
        let events = await run(server.url("KEY"), source)
        #expect(events == ["accepted", "started", "ended"])
        let heard = await server.heard()
        #expect(heard.first == "publish live/KEY")
        #expect(heard.dropFirst().prefix(3) == ["metadata", "video 0 header", "audio 0 header"])
        #expect(
            heard.dropFirst(4) == [
                "video 0 key", "audio 5", "video 33", "video 66 header", "video 66 key", "audio 71", "video 99",
                "unpublished",
            ])
    }

    @Test("tells a refused key from a destination that is not there, that drops, and that speaks no RTMP")
    func failures() async throws {
        let refusing = try Destination { _ in .reject }
        #expect(
            await run(refusing.url("BAD"), PushSource()) == [
                "broke: 127.0.0.1 refused the stream (NetStream.Publish.BadName): check the address and the key."
            ])
        let dropping = try Destination { _ in .drop }
        #expect(
            await run(dropping.url("KEY"), PushSource()) == [
                "broke: 127.0.0.1 refused the stream (closed): check the address and the key."
            ])
        let deaf = try Destination(speaks: false) { _ in .drop }
        #expect(
            await run(deaf.url("KEY"), PushSource()) == [
                "broke: 127.0.0.1 cannot be reached: it does not answer as an RTMP server."
            ])
        let url = deaf.url("KEY")
        deaf.close()
        let absent = await run(url, PushSource())
        #expect(absent == ["broke: 127.0.0.1 cannot be reached: Connection refused."])
    }

    @Test("is ended at once by an abort, whatever it waits for")
    func abort() async throws {
        let silent = try Destination(speaks: nil) { _ in .accept }
        let (events, end) = AsyncStream.makeStream(of: String.self)
        let connection = try PushConnection.start(to: PushAddress(silent.url("KEY")), from: PushSource()) {
            end.yield(text($0))
        }
        connection.abort()
        #expect(await events.first { _ in true } == "ended")
    }

    private var sound: PushMessage { .audioHeader([0x11, 0x90]) }

    /// Pictures each 33 ms with a sound after every second one; a new configuration with the third.
    private func frames(_ count: Int) -> [PushFrame] {
        var frames: [PushFrame] = [
            .audio([9], time: 990, header: sound, headerNumber: 1)  // from before the first picture
        ]
        for index in 0..<4 {
            let header = PushMessage.videoHeader([1, UInt8(index / 2)])
            frames.append(
                .video(
                    [0, 0, 0, 1, 0x65], time: 1000 + Int64(index) * 33, compositionTime: 0, isKey: index % 2 == 0,
                    header: header, headerNumber: UInt32(10 + index / 2)))
            guard index % 2 == 0 else { continue }
            frames.append(.audio([7], time: 1005 + Int64(index) * 33, header: sound, headerNumber: 1))
        }
        return frames
    }

    private func run(_ url: String, _ source: PushSource) async -> [String] {
        let (events, end) = AsyncStream.makeStream(of: String.self)
        guard let address = try? PushAddress(url) else { return ["bad address"] }
        let connection = PushConnection.start(to: address, from: source) { event in
            end.yield(text(event))
            switch event {
            case .ended, .broke: end.finish()
            case .accepted, .started: return
            }
        }
        var heard: [String] = []
        for await event in events { heard.append(event) }
        connection.abort()
        return heard
    }
}

private func text(_ event: PushConnection.Event) -> String {
    switch event {
    case .accepted: "accepted"
    case .started: "started"
    case .ended: "ended"
    case .broke(let failure): "broke: \(failure.message)"
    }
}

/// An RTMP server for one connection, on a thread of its own.
private final class Destination: Sendable {
    enum Answer: Sendable {
        case accept, reject, drop
    }

    private let listener: Int32
    private let port: UInt16
    private let log = Mutex<[String]>([])
    private let finished: AsyncStream<Void>
    private let finish: AsyncStream<Void>.Continuation
    /// `nil`: takes the connection and says nothing.
    private let speaks: Bool?
    private let answer: @Sendable (PublishInfo) -> Answer

    init(speaks: Bool? = true, _ answer: @escaping @Sendable (PublishInfo) -> Answer) throws {
        self.speaks = speaks
        self.answer = answer
        (finished, finish) = AsyncStream.makeStream(of: Void.self)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = unsafe bind(listener, generic, size)
                _ = unsafe getsockname(listener, generic, &size)
            }
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        listen(listener, 1)
        start()
    }

    deinit { close() }

    func url(_ key: String) -> String { "rtmp://127.0.0.1:\(port)/live/\(key)" }

    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// What came, once the connection has ended.
    func heard() async -> [String] {
        for await _ in finished {}
        return log.withLock { $0 }
    }

    private func start() {
        _ = LoopHandle.start(name: "destination") { [self] loop in
            serve()
            finish.finish()
            Glibc.close(listener)
            loop.stop()
        }
    }

    private func serve() {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        defer { Glibc.close(connection) }
        var buffer = [UInt8](repeating: 0, count: 65536)
        if speaks == false {
            let answer = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
            unsafe send(connection, answer, answer.count, Int32(MSG_NOSIGNAL))
            return
        }
        var session = RTMPServerSession(at: Clocks.now())
        while true {
            let count = unsafe recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            if speaks == nil { continue }
            session.receive(buffer.span.extracting(first: count), at: Clocks.now())
            guard drain(&session, to: connection) else { return }
        }
    }

    private func drain(_ session: inout RTMPServerSession, to connection: Int32) -> Bool {
        while true {
            switch session.pollOutput() {
            case .send(let bytes): unsafe send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            case .publishRequested(let info):
                note("publish \(info.app)/\(info.streamKey)")
                switch answer(info) {
                case .accept: session.accept()
                case .reject: session.reject(code: "NetStream.Publish.BadName", description: "no such key")
                case .drop: return false
                }
            case .metadata: note("metadata")
            case .video(let time, let payload): note("video \(time)\(Self.kind(payload))")
            case .audio(let time, let payload): note("audio \(time)\(payload.dropFirst().first == 0 ? " header" : "")")
            case .unpublished: note("unpublished")
            case .close: return false
            case .wait: return true
            }
        }
    }

    private static func kind(_ payload: ArraySlice<UInt8>) -> String {
        guard let tag = try? FLVVideoTag(parsing: payload.span) else { return " ?" }
        return tag.packet == .sequenceHeader ? " header" : tag.isKey ? " key" : ""
    }

    private func note(_ text: String) { log.withLock { $0.append(text) } }
}
