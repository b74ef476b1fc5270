import Codecs
import Spec
import Testing

@Suite("H.264 sequence parameter set", .spec("ITU-T H.264", "7.3.2.1.1"))
struct SequenceParameterSetTests {
    struct Row: Sendable {
        var bytes: [UInt8]
        var profile: UInt8
        var level: UInt8
        var width: Int
        var height: Int
        var reordered: Int?
        var isInterlaced = false
    }

    static let rows = [
        Row(bytes: Records.baseline, profile: 66, level: 10, width: 64, height: 48, reordered: 0),
        Row(bytes: Records.high, profile: 100, level: 31, width: 1280, height: 720, reordered: 2),
        Row(bytes: Records.main, profile: 77, level: 40, width: 1920, height: 1080, reordered: 2),
        Row(bytes: Records.cropped, profile: 100, level: 30, width: 642, height: 362, reordered: 2),
        Row(bytes: Records.high444, profile: 244, level: 13, width: 320, height: 240, reordered: 2),
        Row(bytes: Records.high422, profile: 122, level: 13, width: 320, height: 240, reordered: 2),
        Row(
            bytes: Records.interlaced, profile: 100, level: 40, width: 1920, height: 1080, reordered: 2,
            isInterlaced: true),
    ]

    @Test("gives profile, level, size and reordering", arguments: rows)
    func fields(row: Row) throws {
        let sps = try record(row.bytes).sequenceParameterSet()
        #expect(sps.profile == row.profile)
        #expect(sps.level == row.level)
        #expect(sps.width == row.width)
        #expect(sps.height == row.height)
        #expect(sps.maxReorderedFrames == row.reordered)
        #expect(sps.isInterlaced == row.isInterlaced)
    }

    @Test("gives the field rate", arguments: [Records.high, Records.main])
    func timing(bytes: [UInt8]) throws {
        let timing = try #require(try record(bytes).sequenceParameterSet().timing)
        #expect(timing.timeScale == 60 * timing.unitsInTick)
    }

    @Test("cut inside the VUI it still gives the size; cut before it, an error", arguments: rows)
    func truncation(row: Row) throws {
        let whole = try record(row.bytes).sequenceParameterSets[0]
        for length in 0..<whole.count {
            do throws(H264Error) {
                let sps = try parse(Array(whole[..<length]))
                #expect(sps.width == row.width && sps.height == row.height)
            } catch {
                #expect(length < 16)
            }
        }
    }

    // Bits after the first four bytes, of a Baseline SPS: id 0, log2_max_frame_num 4 …
    static let refused: [(bytes: [UInt8], error: H264Error)] = [
        ([], .truncated),
        (hex("67420000"), .truncated),
        (hex("68420000 80"), .notAParameterSet),
        (hex("6742001e 0000000000"), .truncated),  // an Exp-Golomb prefix without end
        (hex("6742001e 020880"), .invalidField("seq_parameter_set_id")),  // 0000 0010 0001 00: id 32
        (hex("6764001e 850c"), .invalidField("chroma_format_idc")),  // 1, 00001 01: 4
    ]

    @Test("refuses what is out of range", arguments: refused)
    func refuses(bytes: [UInt8], error: H264Error) {
        #expect(throws: error) { try parse(bytes) }
    }

    @Test("refuses a crop that leaves nothing")
    func crop() {
        // id 0, frame_num 0, poc type 2, refs 1, gaps 0, 1x1 macroblocks, frame_mbs_only, direct, crop 8 of 8 units
        let bits =
            "1" + "1" + "011" + "010" + "0" + "1" + "1" + "1" + "1" + "1" + "0001001" + "1" + "1" + "1" + "0" + "1"
        #expect(throws: H264Error.invalidField("frame_crop_offset")) { try parse(hex("6742001e") + packed(bits)) }
    }

    @Test("reads picture order type 1, scaling lists and both HRDs")
    func rare() throws {
        let header = "1" + "010" + "1" + "1" + "0"  // id 0, 4:2:0, 8 bit, 8 bit, no bypass
        let lists = "1" + "1" + String(repeating: "1", count: 16) + "0000000"  // one flat 4x4 list
        let order = "1" + "010" + "0" + "1" + "1" + "011" + "010" + "011"  // type 1, a cycle of two
        let size = "010" + "0" + "00101" + "011" + "0" + "0" + "1" + "0"  // 5x3 macroblocks, interlaced
        let head = "1" + "11111111" + zeros(32) + "1" + "1" + "1" + "1010" + "1" + zeros(24) + "1" + "1" + "1"
        let timing = "1" + zeros(30) + "11" + zeros(24) + "10010110" + "1"
        let hrd = "1" + "1" + zeros(8) + "1" + "1" + "0" + zeros(20)
        let end = hrd + hrd + "0" + "0" + "1" + "1" + "1" + "1" + "1" + "1" + "010" + "010" + "1"
        let bits = header + lists + order + size + "1" + head + timing + end
        // Emulation prevention, as an encoder must insert it.
        let sps = try parse(hex("6764001e") + escaped(packed(bits)))
        #expect(sps.width == 80 && sps.height == 96 && sps.isInterlaced)
        let field = try #require(sps.timing)
        #expect(field.unitsInTick == 3 && field.timeScale == 150 && field.isFixedRate)
        #expect(sps.maxReorderedFrames == 1)
    }
}

private func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }

private func packed(_ bits: String) -> [UInt8] {
    let padded = Array(bits) + Array(repeating: "0", count: (8 - bits.count % 8) % 8)
    return stride(from: 0, to: padded.count, by: 8).map { UInt8(String(padded[$0..<$0 + 8]), radix: 2) ?? 0 }
}

private func escaped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes {
        if result.suffix(2) == [0, 0], byte <= 3 { result.append(3) }
        result.append(byte)
    }
    return result
}

private func parse(_ bytes: [UInt8]) throws(H264Error) -> SequenceParameterSet {
    try SequenceParameterSet(parsing: bytes.span)
}

private func record(_ bytes: [UInt8]) throws(H264Error) -> AVCDecoderConfigurationRecord {
    try AVCDecoderConfigurationRecord(parsing: bytes.span)
}
