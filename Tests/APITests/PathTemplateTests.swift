import Service
import Testing
import Timing

@Suite("Path templates")
struct PathTemplateTests {
    private func resolve(_ template: String, room: String = "demo", participant: String = "") throws -> String {
        let values = PathTemplate.Values(
            room: room, egress: "EG_1", output: "film", participant: participant, track: "TR_1",
            time: WallTime(nanoseconds: 1_795_261_172_345_678_901), part: 2)
        return try PathTemplate(template).resolved(values)
    }

    static let rows: [(template: String, path: String)] = [
        ("{room}/{time}.mp4", "demo/2026-11-21T113932.mp4"), ("{utc}", "20261121113932345"),
        ("{egress}-{output}-{track}-{part}.mp4", "EG_1-film-TR_1-2.mp4"), ("plain.mp4", "plain.mp4"),
        ("a b/{room}", "a b/demo"), ("{participant}/x", "_/x"),
    ]

    @Test("stand for the facts of a recording", arguments: rows)
    func meaning(template: String, path: String) throws { #expect(try resolve(template) == path) }

    static let names = [
        "../../x", "..%2f", "/etc/x", "a\u{0}b", "a\\b", ".", "..", ".hidden", "CON", "", "a/../b", "\u{85}x", "%2e%2e",
        String(repeating: "n", count: 300), String(repeating: "🎥", count: 100), "..\u{0301}",
        "\r\nx", "~", "\u{0301}a", "a\u{0600}", "\u{0600}", "\u{200D}\u{0301}", ".\u{0301}a", "a\u{0600}/\u{0301}b",
    ]

    @Test("let no name leave its folder (fault class 18)", arguments: names)
    func safety(name: String) throws {
        for template in ["{room}/{participant}.mp4", "{room}", "{room}{participant}", "x/{room}/y"] {
            let path = try resolve(template, room: name, participant: name)
            let components = path.split(separator: "/", omittingEmptySubsequences: false)
            #expect(components.count == template.split(separator: "/").count)
            #expect(components.count == path.utf8.split(separator: UInt8(ascii: "/")).count)
            #expect("/\(path)/".hasPrefix("/") && "/\(path)/".hasSuffix("/"))
            for component in components {
                #expect(1...PathTemplate.componentLimit ~= component.utf8.count)
                #expect(component.utf8.first != UInt8(ascii: "."))
                #expect(component.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") })
            }
        }
    }

    @Test("give different names different files")
    func injective() throws {
        #expect(try Set(Self.names.map { try resolve("{room}", room: $0) }).count == Self.names.count)
    }

    @Test("keep the extension of a name that is cut")
    func longName() throws {
        #expect(try resolve("{room}.mp4", room: String(repeating: "n", count: 256)).hasSuffix(".mp4"))
    }

    @Test(
        "are refused when their own text is unsafe",
        arguments: [
            "", "/abs", "a//b", "a/", "../x", "a/../b", "a/./b", ".hidden", "a/.b", "a\\b", "a\u{0}", "{room", "{}",
            "{nope}",
            "a}", "a/\u{7}", "a/\u{0301}/../b", "a\u{0600}/../b", ".\u{0301}a", "a\u{0600}/.hidden",
            String(repeating: "x", count: 201), String(repeating: "a/", count: 16) + "a",
        ])
    func refused(template: String) {
        #expect(throws: PathTemplate.Problem.self) { try PathTemplate(template) }
    }
}
