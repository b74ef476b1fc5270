import RTMP
import Spec
import Testing

@Suite("AMF0", .spec("AMF0", "2"))
struct AMF0Tests {
    static let rows: [(bytes: [UInt8], value: AMF0Value)] = [
        (hex("00 3ff0000000000000"), 1),
        (hex("01 01"), true),
        (hex("02 0003 616263"), "abc"),
        (hex("03 0001 61 05 0001 62 06 0000 09"), ["a": .null, "b": .undefined]),
        (hex("05"), .null),
        (hex("06"), .undefined),
        (hex("08 00000001 0001 61 00 4000000000000000 0000 09"), .ecmaArray([AMF0Property("a", 2)])),
        (hex("0a 00000002 05 01 00"), .strictArray([.null, false])),
        (hex("0b 4000000000000000 0000"), .date(2)),
    ]

    @Test("reads and writes each kind of value", arguments: rows)
    func roundTrip(bytes: [UInt8], value: AMF0Value) throws {
        #expect(try parse(bytes) == [value])
        #expect(write(value) == bytes)
    }

    @Test("refuses every prefix, and never traps", arguments: rows)
    func truncation(bytes: [UInt8], value: AMF0Value) {
        for length in 1..<bytes.count {
            #expect(throws: AMF0Error.truncated) { try parse(Array(bytes[..<length])) }
        }
    }

    @Test("writes a string over 65 535 bytes as a long one")
    func longString() throws {
        let text = AMF0Value.string(String(repeating: "é", count: 40_000))
        let bytes = write(text)
        #expect(bytes.prefix(5) == [12, 0, 1, 0x38, 0x80])
        #expect(try parse(bytes) == [text])
    }

    @Test("an ECMA array's count is a hint")
    func wrongCount() throws {
        let bytes = hex("08 00000000 0001 61 01 01 0000 09")
        #expect(try parse(bytes) == [.ecmaArray([AMF0Property("a", true)])])
    }

    // Fault class 4.
    static let bombs: [(bytes: [UInt8], error: AMF0Error)] = [
        (hex("0a ffffffff"), .truncated),
        (hex("0a 7fffffff 05050505"), .truncated),
        (hex("08 ffffffff"), .truncated),
        (Array(repeating: hex("03 0001 61"), count: 10_000).flatMap { $0 }, .tooDeep),
        (Array(repeating: hex("0a 00000001"), count: 10_000).flatMap { $0 }, .tooDeep),
        (hex("03 0001 61 05"), .truncated),
        (hex("03 0001 61 05 0000 05"), .missingObjectEnd),
        (hex("07 0000"), .unsupportedMarker(7)),
        (hex("11 0a"), .unsupportedMarker(0x11)),
        (hex("04"), .unsupportedMarker(4)),
        (hex("10 0001 61 0000 09"), .unsupportedMarker(16)),
        (hex("02 ffff 61"), .truncated),
        (hex("0c ffffffff 61"), .truncated),
        ([10, 0, 0, 0x40, 0] + [UInt8](repeating: 5, count: 0x4000), .tooManyValues),
    ]

    @Test("refuses what would grow without end", arguments: bombs)
    func bomb(bytes: [UInt8], error: AMF0Error) {
        #expect(throws: error) { try parse(bytes) }
    }

    @Test("takes objects of 16 levels")
    func depth() throws {
        var value = AMF0Value.null
        for _ in 1..<AMF0Reader.maximumDepth { value = ["a": value] }
        #expect(try parse(write(value)) == [value])
    }

    static let numbers: [(number: Double, integer: Int?)] = [
        (.nan, nil), (.infinity, nil), (-.infinity, nil), (1e300, nil), (-1e300, nil), (9.3e18, nil), (1.9, 1),
        (-1.9, -1),
        (0, 0),
    ]

    @Test("a number becomes an integer only where one can hold it", arguments: numbers)
    func integer(number: Double, integer: Int?) {
        #expect(AMF0Value.number(number).integer == integer)
    }

    @Test("bytes that are no UTF-8 make a name that matches nothing")
    func notUTF8() throws {
        #expect(try parse(hex("02 0002 fffe")) == ["\u{FFFD}\u{FFFD}"])
    }
}

private func parse(_ bytes: [UInt8]) throws(AMF0Error) -> [AMF0Value] {
    var reader = AMF0Reader(bytes.span)
    return try reader.rest()
}

private func write(_ value: AMF0Value) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(amf0: value)
    return bytes
}
