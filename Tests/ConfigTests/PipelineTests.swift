import Config
import FoundationEssentials
import Testing

@Suite("Pipelines")
struct PipelineTests {
    @Test("those of the tree are sound")
    func shipped() throws {
        let tree = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let pipelines = try PipelineFolder(path: "/\(tree)/pipelines").load()
        #expect(pipelines.map(\.name) == ["push-rtmp", "record-and-push", "record-mp4"])
        #expect(pipelines[1].outputs.map(\.id) == ["film", "push"])
        #expect(pipelines.allSatisfy { $0.encoding?.preset == "passthrough" && $0.source == .room })
    }

    @Test("encode as an egress request")
    func json() throws {
        let pipeline = try parse(
            """
            title: t
            source: { type: participant, identity: alice, screen_share: true }
            outputs: [{ id: a, type: mp4, path: "x.mp4" }, { id: b, type: rtmp, url: null }]
            start: { wait_seconds: 2.5, preroll: 3 }
            limits: { bytes: 1000 }
            """)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(pipeline), as: UTF8.self)
        let expected =
            #"{"limits":{"bytes":1000,"durationSeconds":null,"emptySeconds":null},"name":"p","outputs":["#
            + #"{"id":"a","path":"x.mp4","type":"mp4"},{"id":"b","type":"rtmp"}],"#
            + #""source":{"identity":"alice","screenShare":true,"type":"participant"},"#
            + #""start":{"preroll":3,"waitSeconds":2.5},"title":"t"}"#
        #expect(text == expected)
    }

    static let wrong: [(text: String, line: Int, message: String)] = [
        ("title: t", 1, "needs `outputs`"),
        ("outputs: []", 1, "needs a `title`"),
        ("title: t\noutputs: []", 2, "a list of one or more"),
        ("title: t\noutputs:\n  - { id: a, type: mp5 }", 3, "must be one of mp4, rtmp, and is `mp5`"),
        ("title: t\noutputs:\n  - { id: a, type: mp4, url: x }", 3, "unknown key `url`"),
        ("title: t\noutputs:\n  - { type: mp4 }", 3, "needs an `id`"),
        ("title: t\noutputs:\n  - { id: a, type: rtmp, url: 'http://x' }", 3, "must begin with rtmp://"),
        ("title: t\noutputs:\n  - { id: a, type: mp4 }\n  - { id: a, type: mp4 }", 4, "two outputs have the id `a`"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nsorce: { }", 3, "did you mean `source`?"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nsource: { type: web }", 3, "must be one of room, participant"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nsource: { type: participant }", 3, "needs an `identity`"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nencoding: { preset: 8k }", 3, "must be passthrough"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nstart: { preroll: -1 }", 3, "must be gop, none or seconds"),
        ("title: t\noutputs: [{ id: a, type: mp4 }]\nlimits: { bytes: many }", 3, "must be a number from 0 on"),
        ("title: t\n  outputs: x", 2, "mapping values are not allowed"),
        ("", 1, "must be { title:"),
    ]

    @Test("say what is wrong, and in which line", arguments: wrong)
    func problems(text: String, line: Int, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try parse(text) }
        #expect(error.description.hasPrefix("p.yaml:\(line):"), "\(error)")
        #expect(error.description.contains(message), "\(error)")
    }

    @Test("a file's name is the pipeline's", arguments: ["Big", "a b", "", "ä"])
    func name(name: String) {
        #expect(throws: ConfigurationError.self) {
            try Pipeline(name: name, file: "x.yaml", text: "title: t\noutputs: [{ id: a, type: mp4 }]")
        }
    }
}

private func parse(_ text: String) throws -> Pipeline { try Pipeline(name: "p", file: "p.yaml", text: text) }
