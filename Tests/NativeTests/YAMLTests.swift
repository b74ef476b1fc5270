import Spec
import Testing
import YAML

@Suite("YAML tree", .spec("YAML 1.2.2", "3.2"))
struct YAMLTests {
    @Test("keeps order, lines and columns")
    func places() throws {
        let root = try YAMLNode(parsing: "# note\na: 1\nb:\n  - x\n  - { c: \"2\" }\n")
        let entries = try #require(root.entries)
        #expect(entries.map(\.key) == ["a", "b"])
        #expect(entries.map(\.line) == [2, 3])
        let list = try #require(root["b"])
        #expect((list.line, list.column) == (4, 3))
        let items = try #require(list.items)
        #expect(items[1]["c"]?.scalar == .text("2"))
        #expect((items[1]["c"]?.line, items[1]["c"]?.column) == (5, 10))
    }

    static let scalars: [(text: String, meaning: YAMLScalar)] = [
        ("~", .null), ("null", .null), ("", .null), ("true", .bool(true)), ("False", .bool(false)),
        ("12", .integer(12)),
        ("-3", .integer(-3)), ("0x1F", .integer(31)), ("1.5", .number(1.5)), ("1e3", .number(1000)),
        ("60s", .text("60s")),
        ("yes", .text("yes")), ("infinity", .text("infinity")), ("99999999999999999999", .number(1e20)),
        ("\"12\"", .text("12")), ("'null'", .text("null")), ("\"ü\\n\"", .text("ü\n")),
    ]

    @Test("reads scalars by the core schema", .spec("YAML 1.2.2", "10.3.2"), arguments: scalars)
    func scalar(text: String, meaning: YAMLScalar) throws {
        #expect(try YAMLNode(parsing: "k: \(text)")["k"]?.scalar == meaning)
    }

    @Test("an empty text is null")
    func empty() throws {
        #expect(try YAMLNode(parsing: "").isNull)
        #expect(try YAMLNode(parsing: "# only a comment\n").isNull)
    }

    static let refused: [(text: String, cause: YAMLError.Cause, line: Int)] = [
        ("a: 1\nb: 2\na: 3", .duplicateKey("a", firstLine: 1), 3),
        ("a: &x 1\nb: *x", .alias, 1),
        ("b: *x", .alias, 1),
        ("*x : 1", .alias, 1),
        ("? [a]\n: 1", .keyNotScalar, 1),
        ("a: 1\n---\nb: 2", .secondDocument, 2),
        (String(repeating: "[", count: 40) + String(repeating: "]", count: 40), .tooDeep(limit: 32), 1),
    ]

    @Test("refuses what a configuration does not need, with its line", arguments: refused)
    func refusal(text: String, cause: YAMLError.Cause, line: Int) {
        #expect { try YAMLNode(parsing: text) } throws: { error in
            guard let error = error as? YAMLError else { return false }
            return error.cause == cause && error.line == line
        }
    }

    @Test("tells the line of a syntax error")
    func syntax() {
        #expect { try YAMLNode(parsing: "a: 1\n b: [2\n") } throws: { error in
            guard let error = error as? YAMLError, case .syntax = error.cause else { return false }
            return error.line >= 2 && error.description.contains("line \(error.line)")
        }
    }

    @Test("keeps to its limits")
    func limits() {
        var limits = YAMLLimits()
        limits.bytes = 10
        #expect { try YAMLNode(parsing: "abcdefghijk", limits: limits) } throws: {
            ($0 as? YAMLError)?.cause == .tooLarge(bytes: 11, limit: 10)
        }
        limits = YAMLLimits()
        limits.nodes = 3
        #expect { try YAMLNode(parsing: "[1, 2, 3]", limits: limits) } throws: {
            ($0 as? YAMLError)?.cause == .tooManyNodes(limit: 3)
        }
    }

    @Test("survives every prefix and every changed byte of a document")
    func mutations() {
        let text = Array("a: {b: [1, 'x', \"\\u00e4\"], c: |\n  text\n}\nd: &e [*e]\n? f\n: - g\n".utf8)
        var outcomes = 0
        for length in 0...text.count { outcomes += isDecided(Array(text[..<length])) }
        for index in text.indices {
            for byte: UInt8 in [0, 0x0A, 0x22, 0x7F, 0x80, 0xC3, 0xFF] {
                var changed = text
                changed[index] = byte
                outcomes += isDecided(changed)
            }
        }
        #expect(outcomes == text.count + 1 + text.count * 7)
    }

    private func isDecided(_ bytes: [UInt8]) -> Int {
        do throws(YAMLError) {
            _ = try YAMLNode(parsing: bytes)
            return 1
        } catch {
            return error.line >= 1 ? 1 : 0
        }
    }
}
