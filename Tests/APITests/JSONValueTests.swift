import Service
import Spec
import Testing

@Suite("JSON values", .rfc(8259, "2"))
struct JSONValueTests {
    static let texts = [
        "null", "true", "false", "0", "-1", "9223372036854775807", "1.5", "-2.5e+30", "\"\"", "\"a\\\"\\\\b\"", "[]",
        "[1,[2,{}]]", "{\"a\":1,\"b\":[null,\"x\"]}", "\"žluť 🎥\"", "\"\\u0001\\n\"",
    ]

    @Test("write what they have read", arguments: texts)
    func roundTrip(text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(try JSONValue(parsing: value.bytes) == value)
        if !text.contains("e+") { #expect(value.text == text) }
    }

    @Test("refuse every shorter prefix of an object, and never trap")
    func truncation() {
        let text = Array("{\"a\":[1.5,-2e3,\"\\ud83c\\udfa5\",true,null],\"b\":{\"c\":\"d\"}}".utf8)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text[..<length])) }
        }
        #expect(throws: Never.self) { try JSONValue(parsing: text) }
    }

    static let refused: [(text: String, cause: JSONError.Cause)] = [
        ("{\"a\":1,\"a\":2}", .duplicateName), ("[1,]", .unexpected), ("{\"a\":1,}", .unexpected), ("01", .badNumber),
        ("+1", .unexpected), ("1.", .truncated), ("1e999", .badNumber), ("NaN", .unexpected), ("'a'", .unexpected),
        ("\"\u{1}\"", .badString), ("\"\\x\"", .badString), ("\"\\ud800\"", .truncated),
        ("\"\\ud800x12345\"", .badString),
        ("\"\\udc00\"", .badString), ("\"\\ud800\\u0041\"", .badString), ("1 2", .trailing), ("// a\n1", .unexpected),
        (String(repeating: "[", count: 33), .tooDeep), ("-", .truncated), ("tru", .truncated), ("trux", .unexpected),
        ("\"\\u00g0\"", .badString),
    ]

    @Test("refuse what RFC 8259 does not allow", arguments: refused)
    func refusal(text: String, cause: JSONError.Cause) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
        #expect(error?.cause == cause)
    }

    @Test("refuse bytes that are not UTF-8")
    func utf8() {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC0, 0x80, 0x22]) }
        #expect(error?.cause == .notUTF8)
    }

    @Test("encode a type's members in its order, missing values as null")
    func encoding() throws {
        struct Sample: Encodable {
            var b = 1
            @OrNull var a: String?
            var list: [Double] = [0.5]
            var nested: JSONValue = ["x": nil]
        }
        #expect(try JSONValue(encoding: Sample()).text == #"{"b":1,"a":null,"list":[0.5],"nested":{"x":null}}"#)
    }
}
