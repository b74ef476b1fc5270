import Bytes
import Testing

@Suite("Bytes")
struct BytesTests {
    static let bytes: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x10]

    @Test("are read in network order at any offset")
    func reading() {
        let span = Self.bytes.span
        let values = (span.uint16(at: 1), span.uint24(at: 1), span.uint32(at: 1), span.uint64(at: 1))
        #expect(values == (0x2345, 0x234567, 0x2345_6789, 0x2345_6789_ABCD_EF10))
    }

    @Test("are written in network order, and read back")
    func writing() {
        var written: [UInt8] = []
        written.append(uint16: 0x0123)
        written.append(uint24: 0xFF45_6789)
        written.append(uint32: 0x89AB_CDEF)
        written.append(uint64: .max - 1)
        #expect(written.prefix(5) == [0x01, 0x23, 0x45, 0x67, 0x89])
        let read = { (span: Span<UInt8>) in (span.uint32(at: 5), span.uint64(at: 9)) }
        #expect(read(written.span) == (0x89AB_CDEF, .max - 1))
    }

    @Test("are copied out of a span")
    func copying() {
        var copy = [UInt8](copying: Self.bytes.span.extracting(2..<4))
        #expect(copy == [0x45, 0x67])
        copy.append(copying: Self.bytes.span.extracting(0..<1))
        #expect(copy == [0x45, 0x67, 0x01])
        #expect([UInt8](copying: Self.bytes.span.extracting(3..<3)).isEmpty)
    }

    @Test("are moved over themselves, either way")
    func moving() {
        var moved = Self.bytes
        moved.move(2..<6, to: 1)
        #expect(moved == [0x01, 0x45, 0x67, 0x89, 0xAB, 0xAB, 0xCD, 0xEF, 0x10])
        moved.move(0..<3, to: 2)
        #expect(moved == [0x01, 0x45, 0x01, 0x45, 0x67, 0xAB, 0xCD, 0xEF, 0x10])
        moved.move(4..<4, to: 9)
        #expect(moved.count == 9)
    }

    @Test("a reader goes through them in turn")
    func reader() {
        #expect(Self.fields(of: Self.bytes) == ["1", "2345", "6789ab", "[205, 239]", "true", "9", "0"])
    }

    @Test("a reader at the end gives nothing and does not move", arguments: 0..<9)
    func truncation(count: Int) {
        #expect(Self.refused(Array(Self.bytes.prefix(count))) == Self.expectedRefusals(count))
    }

    private static func fields(of bytes: [UInt8]) -> [String] {
        var reader = ByteReader(bytes.span)
        var fields = [reader.uint8().map { String($0, radix: 16) }, reader.uint16().map { String($0, radix: 16) }]
        fields.append(reader.uint24().map { String($0, radix: 16) })
        fields.append(reader.array(2).map { "\($0)" })
        fields.append("\(reader.skip(1))")
        return fields.map { $0 ?? "nil" } + ["\(reader.offset)", "\(reader.remaining)"]
    }

    /// Which reads fail at the front of `bytes`: of 1, 2, 3, 4 and 8 bytes, an array of 5, a skip of 6, and negative counts.
    private static func refused(_ bytes: [UInt8]) -> [Bool] {
        func fails(_ read: (inout ByteReader) -> Bool) -> Bool {
            var reader = ByteReader(bytes.span)
            let failed = !read(&reader)
            return failed && reader.offset == 0
        }
        return [
            fails { $0.uint8() != nil }, fails { $0.uint16() != nil }, fails { $0.uint24() != nil },
            fails { $0.uint32() != nil }, fails { $0.uint64() != nil }, fails { $0.array(5) != nil },
            fails { $0.skip(6) }, fails { $0.array(-1) != nil }, fails { $0.skip(-1) },
        ]
    }

    private static func expectedRefusals(_ count: Int) -> [Bool] {
        [1, 2, 3, 4, 8, 5, 6].map { count < $0 } + [true, true]
    }
}
