import Bytes
import ISOBMFF
import Spec
import Testing

/// Fault classes 2 and 13: sizes and counts that lie. Nothing may trap, spin, or take memory for what has not arrived.
@Suite("A hostile file", .spec("ISO/IEC 14496-12", "4.2"))
struct HostileBoxTests {
    /// A child of `moov` that is put before its first, and the error that it must bring.
    static let children: [(bytes: [UInt8], error: ISOBMFFError)] = [
        (box(size: 0, "free"), .badSize("free", size: 0)),
        (box(size: 2, "free"), .badSize("free", size: 2)),
        (box(size: 7, "free"), .badSize("free", size: 7)),
        (box(size: 0x7FFF_FFFF, "free"), .badSize("free", size: 0x7FFF_FFFF)),
        (box(size: 0xFFFF_FFFF, "free"), .badSize("free", size: 0xFFFF_FFFF)),
        (box(size: 1, "free") + large(0), .badSize("free", size: 0)),
        (box(size: 1, "free") + large(15), .badSize("free", size: 15)),
        (box(size: 1, "free") + large(.max), .badSize("free", size: .max)),
        (box(size: 1, "free") + large(1 << 40), .badSize("free", size: 1 << 40)),
    ]

    @Test("with a child of a wrong size is refused", arguments: children)
    func childSize(bytes: [UInt8], error: ISOBMFFError) {
        var moov: [UInt8] = []
        moov.append(uint32: UInt32(8 + bytes.count))
        moov += Array("moov".utf8) + bytes
        #expect(throws: error) { try parse(moov) }
    }

    @Test("of boxes within boxes, a thousand deep, is not followed")
    func depth() {
        var bytes: [UInt8] = []
        for level in 0..<1000 {
            bytes.append(uint32: UInt32(8 * (1000 - level)))
            bytes += Array("moov".utf8)
        }
        #expect(throws: ISOBMFFError.missing("mvhd")) { try parse(bytes) }
    }

    @Test("with a table that announces more than it holds is refused", .spec("ISO/IEC 14496-12", "8.6.1"))
    func counts() throws {
        let file = SampleFile().sealed
        for (name, field) in [
            ("stsz", 8), ("stts", 4), ("ctts", 4), ("stss", 4), ("stsc", 4), ("co64", 4), ("elst", 4),
        ] {
            for count: UInt32 in [0xFFFF_FFFF, 0x4000_0000, 1000] {
                var broken = file
                let at = try #require(last(name, in: broken)) + 4 + field
                for byte in 0..<4 { broken[at + byte] = UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * byte)) }
                #expect(throws: ISOBMFFError.badCount(FourCC(text: name) ?? "none", count: UInt64(count))) {
                    try parse(broken)
                }
            }
        }
    }

    @Test("with a fragment of too many samples is refused", .spec("ISO/IEC 14496-12", "8.8.8"))
    func run() throws {
        var file = SampleFile().bytes
        let at = try #require(last("trun", in: file)) + 8
        file[at] = 0xFF
        #expect(throws: ISOBMFFError.badCount("trun", count: 0xFF00_0004)) { try parse(file) }
    }

    @Test("cut anywhere neither traps nor hides what is whole")
    func truncation() throws {
        for file in [SampleFile().bytes, SampleFile().sealed] {
            for length in Array(0..<2000) + Array(HybridHead.byteCount - 10..<file.count) {
                let cut = Array(file.prefix(length))
                _ = try? parse(cut)
                #expect(scan(cut) != nil)
            }
        }
    }

    @Test("with any byte changed neither traps nor spins")
    func mutation() {
        for file in [SampleFile().bytes, SampleFile().sealed] {
            for index in Array(0..<1800) + Array(HybridHead.byteCount..<file.count) {
                var broken = file
                broken[index] ^= [0x01, 0x80, 0xFF][index % 3]
                _ = try? parse(broken)
                #expect(scan(broken) != nil)
            }
        }
    }

    private static func box(size: UInt32, _ type: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uint32: size)
        return bytes + Array(type.utf8)
    }

    private static func large(_ size: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uint64: size)
        return bytes
    }

    /// Where the last box of `type` has its type.
    private func last(_ type: String, in file: [UInt8]) -> Int? {
        let name = Array(type.utf8)
        return (0..<file.count - 4).last { file[$0] == name[0] && Array(file[$0..<$0 + 4]) == name }
    }
}
