import Config
import Crypto
import JWT
import Log
import JSON
import Service
import Testing
import Timing

@testable import CommandLineTool

@Suite("sluice record")
struct RecordTests {
    static let bodies: [(words: [String], body: String)] = [
        (["demo"], #"{"room":"demo","outputs":[{"id":"film","type":"mp4"}]}"#),
        (
            ["demo", "-o", "a.mp4", "--for", "30s"],
            #"{"room":"demo","outputs":[{"id":"film","type":"mp4"}],"limits":{"durationSeconds":30.0}}"#
        ),
        (
            ["demo", "--push", "rtmp://h/a/k"],
            #"{"room":"demo","outputs":[{"id":"push","type":"rtmp","url":"rtmp://h/a/k"}]}"#
        ),
        (
            ["demo", "-o", "a.mp4", "--push", "rtmp://h/a/k", "--push", "rtmps://i/b/l"],
            #"{"room":"demo","outputs":[{"id":"film","type":"mp4"},{"id":"push-1","type":"rtmp","url":"rtmp://h/a/k"},"#
                + #"{"id":"push-2","type":"rtmp","url":"rtmps://i/b/l"}]}"#
        ),
        (
            ["demo", "--path", "{room}/x.mp4", "--layout", "grid", "--pipeline", "record-mp4", "--wait", "2s"],
            #"{"room":"demo","pipeline":"record-mp4","source":{"type":"room","layout":"grid"},"#
                + #""outputs":[{"id":"film","type":"mp4","path":"{room}/x.mp4"}],"createRoom":true,"#
                + #""start":{"waitSeconds":2.0}}"#
        ),
    ]

    @Test("asks for what the words say", arguments: bodies)
    func body(words: [String], body: String) throws {
        let (command, rest) = try CommandSpec.find(["record"] + words)
        let request = try RecordRequest(try Arguments(parsing: rest, for: command))
        #expect(request.body.text == body)
    }

    @Test("a terminal gets one line that changes, a log a line now and then")
    func progress() {
        let start = Instant(nanoseconds: 0)
        var log = ProgressLine(isInteractive: false, width: 80)
        #expect(log.text("a", stage: "active", at: start) == "a\n")
        #expect(log.text("b", stage: "active", at: start + .seconds(1)) == nil)
        #expect(log.text("c", stage: "ending", at: start + .seconds(2)) == "c\n")
        #expect(log.text("d", stage: "ending", at: start + .seconds(8)) == "d\n")
        var screen = ProgressLine(isInteractive: true, width: 20)
        #expect(screen.text("one", stage: "x", at: start) == "\r\u{1B}[Kone")
        #expect(screen.text(String(repeating: "x", count: 50), stage: "x", at: start)?.count == 4 + 19)
    }

    @Test(
        "bars", arguments: [(0.0, "[....]"), (0.5, "[##..]"), (1.0, "[####]"), (7.0, "[####]"), (.nan, "[....]")])
    func bar(fraction: Double, text: String) { #expect(ProgressLine.bar(fraction, width: 4) == text) }
}

@Suite("Numbers for people")
struct MeasureTests {
    @Test(
        "seconds",
        arguments: [(0.0, "0.0 s"), (12.04, "12.0 s"), (185.0, "3 min 5 s"), (3725.0, "1 h 2 min"), (.infinity, "? s")])
    func seconds(value: Double, text: String) { #expect(Measure.seconds(value) == text) }

    @Test(
        "bytes",
        arguments: [(0, "0 B"), (999, "999 B"), (3_100_000, "3.1 MB"), (999_999, "1.0 MB")] as [(Int64, String)])
    func bytes(value: Int64, text: String) { #expect(Measure.bytes(value) == text) }

    @Test("text in a URL", arguments: [("demo", "demo"), ("a b/ü", "a%20b%2F%C3%BC"), ("~x-1_.", "~x-1_.")])
    func escaped(text: String, escaped: String) { #expect(URLText.escaped(text) == escaped) }
}

@Suite("Credentials")
struct CredentialsTests {
    @Test(
        "the known pair is used on loopback only",
        arguments: [
            ("http://127.0.0.1:7880", true), ("http://localhost", true), ("http://[::1]:7880", true),
            ("https://127.1.2.3/x", true), ("http://example.com", false), ("http://127.0.0.1@example.com", false),
            ("http://localhost.example.com", false), ("ftp://127.0.0.1", false), ("", false),
        ])
    func loopback(url: String, isLoopback: Bool) { #expect(Credentials.isLoopback(url) == isLoopback) }

    @Test("options come first, then variables, then the pair of --dev")
    func order() throws {
        func credentials(_ words: [String], _ environment: [String: String]) throws -> Credentials {
            let (command, rest) = try CommandSpec.find(["jobs"] + words)
            return try Credentials(
                Invocation(arguments: try Arguments(parsing: rest, for: command), environment: environment))
        }
        let all = ["SLUICE_URL": "http://u/", "SLUICE_TOKEN": "t", "SLUICE_API_KEY": "k", "SLUICE_API_SECRET": "s"]
        #expect(try credentials([], all).url == "http://u")
        #expect(try credentials(["--url", "http://o"], all).url == "http://o")
        guard case .token("t") = try credentials([], all).proof else {
            throw CommandError.failed("no token", remedy: nil)
        }
        guard case .token("o") = try credentials(["--token", "o"], all).proof else {
            throw CommandError.failed("not the option's token", remedy: nil)
        }
        guard case .key(let key) = try credentials([], all.filter { $0.key != "SLUICE_TOKEN" }).proof else {
            throw CommandError.failed("no key", remedy: nil)
        }
        #expect(key.id == "k")
        #expect(throws: CommandError.self) { try credentials([], ["SLUICE_URL": "http://example.com"]) }
        #expect(throws: CommandError.self) { try credentials([], ["SLUICE_API_KEY": "k"]) }
    }
}

@Suite("sluice token")
struct TokenTests {
    private func token(_ words: [String]) throws -> AccessToken {
        let (command, rest) = try CommandSpec.find(["token"] + words)
        return try TokenCommand.token(
            try Arguments(parsing: rest, for: command), key: DevelopmentKey.pair,
            now: WallTime(nanoseconds: 1_000_000_000))
    }

    @Test("without words it is an operator's")
    func operations() throws {
        let token = try token([])
        #expect(token.grants == .operations)
        #expect(token.keyID == "devkey")
        #expect(token.expiresAt == WallTime(nanoseconds: 21_601_000_000_000))
    }

    @Test("with a room it is a seat, with grants what they say")
    func grants() throws {
        let seat = try token(["--room", "demo", "--identity", "alice", "--ttl", "10m"])
        #expect(seat.grants.room == "demo" && seat.grants.roomJoin && !seat.grants.roomRecord)
        #expect(seat.identity == "alice")
        #expect(seat.expiresAt == WallTime(nanoseconds: 601_000_000_000))
        let recorder = try token(["--grant", "roomRecord,hidden", "--grant", "canPublish"]).grants
        #expect(recorder.roomRecord && recorder.hidden && recorder.canPublish == true && !recorder.ingressAdmin)
        #expect(throws: CommandError.misused("unknown grant `roomrecord`; did you mean roomRecord?", command: "token"))
        {
            try token(["--grant", "roomrecord"])
        }
        #expect(throws: CommandError.self) { try token(["--ttl", "soon"]) }
    }

    @Test("a new key is long enough for a gateway to start on")
    func newKey() throws {
        let key = try TokenSigner.newKey()
        let other = try TokenSigner.newKey()
        #expect(key.id != other.id && key.secret != other.secret)
        #expect(key.id.hasPrefix("SL"))
        let environment = ["SLUICE_KEYS": "\(key.id): \(key.secret.reveal())"]
        #expect(try ConfigurationSource(file: nil, environment: environment).load().configuration.keys == [key])
    }

    @Test("what it signs, a gateway verifies")
    func signature() throws {
        let now = WallTime(nanoseconds: 1_700_000_000_000_000_000)
        let text = try TokenSigner.operatorToken(with: DevelopmentKey.pair, now: now)
        let token = try CompactToken.verify(
            text, at: now, secret: { $0 == "devkey" ? Array("secret".utf8) : nil },
            signature: { secret, message in try? SHA256.authenticationCode(of: message, key: secret) },
            isEqual: ConstantTime.areEqual)
        #expect(token.grants == .operations)
    }
}
