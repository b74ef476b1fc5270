import Spec
import Testing
import Timing

@testable import RTMP

@Suite("Server session", .spec("RTMP 1.0", "7.2"))
struct RTMPServerSessionTests {
    private static let info = PublishInfo(
        app: "live", streamKey: "key", query: "", flashVersion: "test", tcURL: "rtmp://h/live")
    private static let started = "onStatus NetStream.Publish.Start"

    @Test("answers a pipelined publisher in order, and holds the publication")
    func held() throws {
        var host = Host()
        host.receive(Script.publishing().bytes)
        #expect(host.events == [.publish(Self.info)])
        let types = try host.answers().prefix(4).map(\.type)  // without Set Chunk Size, which the reader keeps
        #expect(types == [.windowAcknowledgementSize, .setPeerBandwidth, .command, .command])
        #expect(try host.commands() == ["_result NetConnection.Connect.Success", "_result", "_result", "_result"])
        host.accept()
        #expect(try host.commands().suffix(2) == ["onFCPublish NetStream.Publish.Start", Self.started])
    }

    @Test("keeps media that comes before the leave to publish, in its order")
    func heldMedia() throws {
        var host = Host()
        var script = Script.publishing()
        script.message(.data, FLVMetadata(properties: [AMF0Property("width", 640)]).serialized(), on: 4, stream: 1)
        script.audio([0xAF, 0, 0x11, 0x90], at: 0)
        script.video([0x17, 1, 0, 0, 0, 9], at: 5)
        host.receive(script.bytes)
        #expect(host.events.count == 1)
        host.accept()
        #expect(
            host.events.dropFirst() == [
                .metadata(FLVMetadata(properties: [AMF0Property("width", 640)])), .audio(0, [0xAF, 0, 0x11, 0x90]),
                .video(5, [0x17, 1, 0, 0, 0, 9]),
            ])
    }

    @Test("closes when too much is held")
    func heldLimit() {
        var limits = RTMPLimits()
        limits.heldBytes = 1000
        var host = Host(limits)
        var script = Script.publishing()
        for time in 0..<3 { script.video([UInt8](repeating: 0x27, count: 400), at: Int64(time)) }
        host.receive(script.bytes)
        #expect(host.closed == .heldMedia(bytes: 1200))
    }

    // Regression 53 of the fault classes.
    @Test("a refusal is told instead of a start, then the session closes")
    func rejected() throws {
        var host = Host()
        host.receive(Script.publishing().bytes)
        host.reject("NetStream.Publish.BadName")
        let commands = try host.commands()
        #expect(commands.last == "onStatus NetStream.Publish.BadName")
        #expect(!commands.contains { $0.hasSuffix("Publish.Start") })
        #expect(host.closed == .rejected("no"))
        host.accept()
        host.receive([1, 2, 3])
        host.advance(to: 1000)
        #expect(host.closed == .rejected("no") && host.deadline == nil)
    }

    @Test("an empty stream key is refused without asking")
    func emptyKey() throws {
        var host = Host()
        host.receive(Script.publishing("?x=1").bytes)
        #expect(host.events.count == 1 && host.closed != nil)
        #expect(try host.commands().last == "onStatus NetStream.Publish.BadName")
    }

    static let names: [(app: String, key: String, expected: [String])] = [
        ("live", "k?token=1", ["live", "k", "token=1"]),
        ("live/?a=b", "k", ["live", "k", "a=b"]),
        ("live?a=b", "k?c=d?e", ["live", "k", "c=d?e"]),
        ("a/b/", "k", ["a/b", "k", ""]),
    ]

    @Test("parts application, key and query", arguments: names)
    func parts(app: String, key: String, expected: [String]) {
        var host = Host()
        host.receive(Script.publishing(key, app: ["app": .string(app)]).bytes)
        guard case .publish(let info) = host.events.first else { return #expect(Bool(false)) }
        #expect([info.app, info.streamKey, info.query] == expected)
    }

    // Fault class 3.
    @Test("a name of over 256 bytes ends the session", arguments: [300, 70_000])
    func longNames(count: Int) throws {
        let long = String(repeating: "x", count: count)
        var key = Host()
        key.receive(Script.publishing(long).bytes)
        #expect(key.closed == (count < 65536 ? .nameTooLong("stream key", bytes: count) : .commandTooLong(count + 31)))
        var app = Host()
        app.receive(Script.publishing(app: ["app": .string(long)]).bytes)
        guard case .nameTooLong("application name", count) = app.closed else {
            guard case .commandTooLong = app.closed, count > 65536 else { return #expect(Bool(false)) }
            return
        }
    }

    @Test("commands out of order end the session")
    func order() {
        var early = Script()
        early.command("publish", 2, [.null, "key", "live"], stream: 1)
        var twice = Script.publishing()
        twice.command("publish", 6, [.null, "other", "live"], stream: 1)
        var again = Script()
        again.command("connect", 1, [Script.connect])
        again.command("connect", 2, [Script.connect])
        for (script, name) in [(early, "publish"), (twice, "publish"), (again, "connect")] {
            var host = Host()
            host.receive(script.bytes)
            #expect(host.closed == .unexpectedCommand(name))
        }
    }

    @Test("malformed and endless commands end the session; malformed data does not")
    func malformed() {
        for (payload, error) in [
            (hex("02 0007 636f6e6e65637420 0a ffffffff"), AMF0Error.unsupportedMarker(0x20)),
            (hex("02 0001 61 0a ffffffff"), .truncated),
            (Array(repeating: hex("03 0001 61"), count: 500).flatMap { $0 }, .tooDeep),
        ] {
            var host = Host()
            var script = Script()
            script.message(.command, payload)
            host.receive(script.take())
            #expect(host.closed == .command(error))
            var data = Host(accepts: true)
            script = Script.publishing()
            script.message(.data, payload)
            script.message(.command, hex("05"))  // no name: ignored
            script.video([0x27], at: 0)
            data.receive(script.take())
            #expect(data.events.last == .video(0, [0x27]))
        }
    }

    @Test("takes commands in the AMF3 wrapper, and leaves unknown ones alone")
    func wrapped() {
        var host = Host(accepts: true)
        var script = Script()
        script.command("connect", 1, [Script.connect], isAMF3: true)
        script.command("_checkbw", 2, [.null])
        script.command("getStreamLength", 3, [.null, "key"])
        script.command("createStream", .nan, [.null], isAMF3: true)
        script.command("publish", 0, [.null, "key", "live"], stream: 1, isAMF3: true)
        script.message(.acknowledgement, [0, 0, 0, 1])
        script.message(MessageType(rawValue: 99), [1, 2])
        host.receive(script.bytes)
        #expect(host.events == [.publish(Self.info)])
    }

    @Test("to play is refused politely")
    func play() throws {
        var host = Host()
        var script = Script()
        script.command("connect", 1, [Script.connect])
        script.command("createStream", 2, [.null])
        script.command("play", 3, [.null, "key"], stream: 1)
        host.receive(script.bytes)
        #expect(try host.commands().last == "onStatus NetStream.Play.Failed")
        #expect(host.closed == .playNotSupported)
    }

    @Test(
        "ends a publication in good order, and may begin another",
        arguments: ["FCUnpublish", "deleteStream", "closeStream"])
    func unpublish(name: String) throws {
        var host = Host(accepts: true)
        var script = Script.publishing()
        host.receive(script.take())
        script.command(name, 6, [.null, 1])
        script.command("deleteStream", 7, [.null, 1])
        script.command("publish", 8, [.null, "key", "live"], stream: 2)
        host.receive(script.bytes)
        #expect(host.events == [.publish(Self.info), .unpublished, .publish(Self.info)])
        #expect(try host.commands().filter { $0 == "onStatus NetStream.Unpublish.Success" }.count == 1)
    }

    @Test("a publisher that stops before the answer is let go")
    func abandoned() {
        var host = Host()
        var script = Script.publishing()
        script.command("deleteStream", 6, [.null, 1])
        host.receive(script.bytes)
        guard case .closed = host.closed else { return #expect(Bool(false)) }
    }

    @Test("tells a publisher why the gateway ends it")
    func closedByUs() throws {
        var host = Host(accepts: true)
        host.receive(Script.publishing().bytes)
        host.close("taken over")
        #expect(try host.commands().last == "onStatus NetStream.Publish.Denied")
        #expect(host.closed == .closed("taken over"))
        #expect(host.closed?.description == "taken over")
    }
}
