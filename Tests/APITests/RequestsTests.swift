import Service
import Testing

/// `code@pointer` of every error in an answer to `json`.
private func complaints(_ json: String, _ decode: (JSONValue) throws -> Void) throws -> [String] {
    do {
        try decode(try JSONValue(parsing: Array(json.utf8)))
        return []
    } catch let error as ServiceError {
        #expect(error.code == .invalidRequest || error.code == .notSupported)
        #expect(error.errors.allSatisfy { !$0.detail.isEmpty && !$0.remedy.isEmpty })
        return ["\(error.code.rawValue)"] + error.errors.map { "\($0.code)@\($0.pointer)" }
    }
}

@Suite("Requests")
struct RequestsTests {
    static let egress: [(json: String, complaints: [String])] = [
        (#"{"room":"demo","outputs":[{"type":"mp4"}]}"#, []),
        (#"{"room":"demo","pipeline":"record-mp4"}"#, []),
        (#"{"room":"demo","outputs":[{"type":"mp4"}],"encoding":{"preset":"passthrough"},"webhooks":[]}"#, []),
        ("[]", ["invalid_request", "wrong_type@#", "missing@#/room", "missing@#/outputs"]),
        ("{}", ["invalid_request", "missing@#/room", "missing@#/outputs"]),
        (#"{"room":"demo","outputs":[]}"#, ["invalid_request", "out_of_range@#/outputs"]),
        (
            #"{"room":7,"outputs":[{"type":"mp4","pth":"x"},{"type":"rtmp"}],"rom":1}"#,
            [
                "invalid_request", "wrong_type@#/room", "unknown_field@#/outputs/0/pth", "missing@#/outputs/1/url",
                "unknown_field@#/rom",
            ]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"webm"}]}"#,
            ["not_supported", "not_supported@#/outputs/0/type"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mkv"},{"type":"x"},{"type":"tape","path":"a"}]}"#,
            [
                "invalid_request", "not_supported@#/outputs/0/type", "not_allowed@#/outputs/1/type",
                "unknown_field@#/outputs/2/path",
            ]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"encoding":{"preset":"720p30"}}"#,
            ["not_supported", "not_supported@#/encoding/preset"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"webhooks":[{"url":"http://a"}]}"#,
            ["not_supported", "not_supported@#/webhooks"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"source":{"type":"room","layout":"grid"}}"#,
            ["not_supported", "not_supported@#/source/layout"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"source":{"type":"web","url":"http://a"}}"#,
            ["not_supported", "not_supported@#/source/type"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"source":{"type":"participant"}}"#,
            ["invalid_request", "missing@#/source/identity"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"source":{"type":"tracks"}}"#,
            ["invalid_request", "missing@#/source"]
        ),
        (
            #"{"room":"demo","outputs":[{"id":"a","type":"mp4"},{"id":"a","type":"mp4"}]}"#,
            ["invalid_request", "not_allowed@#/outputs/1/id"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4","path":"../x.mp4"}]}"#,
            ["invalid_request", "not_allowed@#/outputs/0/path"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"rtmp","url":"http://a/b"}]}"#,
            ["invalid_request", "not_allowed@#/outputs/0/url"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"limits":{"durationSeconds":-1,"bytes":1.5}}"#,
            ["invalid_request", "out_of_range@#/limits/durationSeconds", "wrong_type@#/limits/bytes"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"start":{"preroll":"later"}}"#,
            ["invalid_request", "not_allowed@#/start/preroll"]
        ),
        (
            #"{"room":"demo","outputs":[{"type":"mp4"}],"labels":{"a":1,"b/c":""}}"#,
            ["invalid_request", "wrong_type@#/labels/a"]
        ),
        (#"{"room":"a\u0000b","outputs":[{"type":"mp4"}]}"#, ["invalid_request", "not_allowed@#/room"]),
        (
            #"{"room":"demo","outputs":["mp4"],"a/b~c":1}"#,
            ["invalid_request", "wrong_type@#/outputs/0", "unknown_field@#/a~1b~0c"]
        ),
    ]

    @Test("of an egress name every wrong field by its pointer", arguments: egress)
    func egressErrors(json: String, expected: [String]) throws {
        #expect(try complaints(json) { _ = try CreateEgress($0) } == expected)
    }

    @Test("of an egress read back what they wrote, keys too, and show none")
    func egressRoundTrip() throws {
        let text = """
            {"room":"demo","createRoom":true,"source":{"type":"tracks","video":{"track":"TR_1"},"audio":{"routes":\
            [{"identity":"bot"}]}},"pipeline":"p","encoding":{"preset":"passthrough"},"outputs":[{"id":"film",\
            "type":"mp4","path":"{room}/a.mp4","faststart":false},{"type":"rtmp","url":"rtmps://h:443/live/SECRET"}],\
            "limits":{"durationSeconds":5,"bytes":100,"emptySeconds":0},"start":{"waitSeconds":1,"preroll":2.5},\
            "labels":{"b":"2","a":"1"}}
            """
        let request = try CreateEgress(try JSONValue(parsing: Array(text.utf8)))
        #expect(try CreateEgress(request.json(reveal: true)) == request)
        #expect(request.outputs.map(\.id) == ["film", "rtmp"])
        #expect(!request.json(reveal: false).text.contains("SECRET"))
        #expect(request.json(reveal: false).text.contains("rtmps://h:443/live/***"))
    }

    @Test("of an egress take from a pipeline what they leave out")
    func pipeline() throws {
        let base = try CreateEgress(
            try JSONValue(
                parsing: Array(
                    #"{"room":"x","outputs":[{"id":"a","type":"mp4"}],"limits":{"durationSeconds":9},"labels":{"k":"base","l":"l"}}"#
                        .utf8)))
        let request = try CreateEgress([
            "room": "demo", "pipeline": "p", "limits": ["bytes": 7], "labels": ["k": "own"],
        ])
        let filled = request.filled(from: base)
        #expect(filled.room == "demo")
        #expect(filled.outputs == base.outputs)
        #expect(filled.limits.durationSeconds == 9)
        #expect(filled.limits.bytes == 7)
        #expect(filled.labels == ["k": "own", "l": "l"])
    }

    static let ingress: [(json: String, complaints: [String])] = [
        (#"{"type":"rtmp","room":"demo"}"#, []),
        (
            #"{"type":"rtmp","room":"demo","streamKey":null,"pipeline":"auto","onDisconnect":{"action":"hold","holdSeconds":10}}"#,
            []
        ),
        (#"{"type":"whip","room":"demo"}"#, ["not_supported", "not_supported@#/type"]),
        (#"{"type":"srt","room":""}"#, ["invalid_request", "not_allowed@#/type", "out_of_range@#/room"]),
        (#"{"type":"rtmp","room":"a","streamKey":"short"}"#, ["invalid_request", "out_of_range@#/streamKey"]),
        (#"{"type":"rtmp","room":"a","streamKey":"has space here"}"#, ["invalid_request", "not_allowed@#/streamKey"]),
        (#"{"type":"rtmp","room":"a","onConflict":"fight"}"#, ["invalid_request", "not_allowed@#/onConflict"]),
        (
            #"{"type":"rtmp","room":"a","onDisconnect":{"action":"go","hold":1}}"#,
            ["invalid_request", "not_allowed@#/onDisconnect/action", "unknown_field@#/onDisconnect/hold"]
        ),
        (#"{"type":"rtmp","room":"a","enabled":"yes"}"#, ["invalid_request", "wrong_type@#/enabled"]),
    ]

    @Test("of an ingress name every wrong field by its pointer", arguments: ingress)
    func ingressErrors(json: String, expected: [String]) throws {
        #expect(try complaints(json) { _ = try CreateIngress($0) } == expected)
    }

    @Test("patch an ingress: absent keeps, null gives the default back")
    func ingressPatch() throws {
        var request = try CreateIngress(["type": "rtmp", "room": "demo", "identity": "obs", "enabled": false])
        request = try PatchIngress(["enabled": nil, "room": "next"]).applied(to: request)
        #expect(request.enabled)
        #expect(request.room == "next")
        #expect(request.identity == "obs")
        #expect(try complaints(#"{"room":null,"streamKey":"abcdefgh"}"#) { _ = try PatchIngress($0) }.count == 3)
    }

    @Test("patch an egress: limits and labels only")
    func egressPatch() throws {
        let patch = try PatchEgress(["limits": ["durationSeconds": nil, "bytes": 5], "labels": ["a": nil, "b": "2"]])
        var limits = EgressLimits()
        limits.durationSeconds = 3
        limits.emptySeconds = 4
        let after = patch.applied(toLimits: limits)
        #expect(after.durationSeconds == nil)
        #expect(after.bytes == 5)
        #expect(after.emptySeconds == 4)
        #expect(try patch.applied(toLabels: ["a": "1", "c": "3"]) == ["b": "2", "c": "3"])
        let many = Dictionary(uniqueKeysWithValues: (0..<31).map { ("\($0)", "") })
        #expect(try patch.applied(toLabels: many).count == 32)
        #expect(throws: ServiceError.self) { try patch.applied(toLabels: many.merging(["c": ""]) { $1 }) }
        #expect(
            try complaints(#"{"room":"x"}"#) { _ = try PatchEgress($0) } == ["invalid_request", "unknown_field@#/room"])
        #expect(
            try complaints(#"{"source":{"layout":"grid"}}"#) { _ = try PatchEgress($0) } == [
                "not_supported", "not_supported@#/source",
            ])
    }

    static let pushes: [(url: String, isGood: Bool)] = [
        ("rtmp://a.example/live/key", true), ("rtmps://a.example:443/live2/KEY?x=1", true),
        ("rtmp://[::1]:1935/live/k", true),
        ("rtmp://user:pass@h/app", true), ("rtmp:///live/k", false), ("rtmp://h", false), ("rtmp://h/", false),
        ("rtmp://h:0/a", false), ("rtmp://h:99999/a", false), ("rtmp://h:x/a", false), ("rtmp://[::1/a", false),
        ("rtmp://h/a b", false), ("rtmp://h/ä", false), ("RTMP://h/a", false), ("file:///etc/passwd", false),
    ]

    @Test("push only to a whole RTMP address", arguments: pushes)
    func push(url: String, isGood: Bool) {
        let output = try? OutputRequest(["type": "rtmp", "url": .string(url)])
        #expect((output != nil) == isGood)
    }

    @Test("list by known parameters only, and a cursor survives its URL")
    func lists() throws {
        let cursor = ListCursor(createdAt: -5, id: "EG_a.b")
        #expect(ListCursor(text: cursor.text) == cursor)
        let query = try ListQuery(query: [
            ("limit", "200"), ("cursor", cursor.text), ("label.order", "4711"), ("active", "true"),
            ("createdAfter", "2026-11-21T11:00:00+01:00"),
        ])
        #expect(query.cursor == cursor)
        #expect(query.labels == ["order": "4711"])
        #expect(query.createdAfter?.description == "2026-11-21T10:00:00.000Z")
        for bad in [
            ("limit", "0"), ("limit", "x"), ("cursor", "zz"), ("cursor", "a"), ("active", "1"), ("createdAfter", "now"),
            ("x", ""),
        ] {
            #expect(throws: ServiceError.self) { try ListQuery(query: [bad]) }
        }
    }
}
