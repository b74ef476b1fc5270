import Codecs
import Spec
import Testing

@Suite("AVC decoder configuration record", .spec("ISO/IEC 14496-15", "5.3.3.1"))
struct AVCDecoderConfigurationRecordTests {
    @Test("is written as it was read", arguments: Records.all)
    func roundTrip(bytes: [UInt8]) throws {
        let record = try parse(bytes)
        #expect(record.nalLengthSize == 4)
        #expect(record.serialized() == bytes)
    }

    @Test("made of the sets alone is what the encoder wrote", arguments: Records.all)
    func fromSets(bytes: [UInt8]) throws {
        let record = try parse(bytes)
        let made = try AVCDecoderConfigurationRecord(
            sequenceParameterSets: record.sequenceParameterSets, pictureParameterSets: record.pictureParameterSets)
        #expect(made == record)
    }

    @Test("refuses every prefix that lacks a set, and never traps", arguments: Records.all)
    func truncation(bytes: [UInt8]) throws {
        let tail = try parse(bytes).tail.count
        for length in 0..<bytes.count - tail {
            #expect(throws: H264Error.self) { try parse(Array(bytes[..<length])) }
        }
    }

    static let refused: [(bytes: [UInt8], error: H264Error)] = [
        ([], .truncated),
        (hex("0242c00affe0"), .unsupportedVersion(2)),
        (hex("0142c00afee1000467420000010001 68"), .nalLengthSize(3)),
        (hex("0142c00affe000"), .noParameterSets),  // 0 SPS, 0 PPS
        (hex("0142c00affe1000001000168"), .notAParameterSet),  // SPS of length 0
        (hex("0142c00affe10004 68420000 01000168"), .notAParameterSet),  // a PPS where an SPS stands
        (hex("0142c00affe10004 67420000 00"), .noParameterSets),  // no PPS
        (hex("0142c00affe1ffff 67420000"), .truncated),
        (hex("0142c00affff00 0467"), .truncated),  // 31 SPS announced
    ]

    @Test("refuses what holds no parameter sets", arguments: refused)
    func refuses(bytes: [UInt8], error: H264Error) {
        #expect(throws: error) { try parse(bytes) }
    }

    @Test("never traps on a changed byte", arguments: Records.all)
    func damage(bytes: [UInt8]) {
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                if let record = try? parse(damaged) { _ = try? record.sequenceParameterSet() }
            }
        }
    }
}

private func parse(_ bytes: [UInt8]) throws(H264Error) -> AVCDecoderConfigurationRecord {
    try AVCDecoderConfigurationRecord(parsing: bytes.span)
}
