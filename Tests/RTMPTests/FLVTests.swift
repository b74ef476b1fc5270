import RTMP
import Spec
import Testing

@Suite("FLV tags", .spec("FLV 10.1", "E.4"))
struct FLVTests {
    struct Video: Sendable {
        var bytes: [UInt8]
        var codec: FLVVideoTag.Codec
        var packet: FLVVideoTag.Packet?
        var isKey = false
        var compositionTime: Int32 = 0
        var dataOffset = 5
    }

    static let video = [
        Video(bytes: hex("17 00 000000 0164"), codec: .h264, packet: .sequenceHeader, isKey: true),
        Video(bytes: hex("17 01 000042"), codec: .h264, packet: .units, isKey: true, compositionTime: 66),
        Video(bytes: hex("27 01 fffffe"), codec: .h264, packet: .units, compositionTime: -2),
        Video(bytes: hex("27 01 800000"), codec: .h264, packet: .units, compositionTime: -0x80_0000),
        Video(bytes: hex("17 02 000000"), codec: .h264, packet: .endOfSequence, isKey: true),
        Video(bytes: hex("27 07 000000"), codec: .h264, packet: nil),
        Video(bytes: hex("57 01 000000"), codec: .h264, packet: nil),
        Video(bytes: hex("12"), codec: .legacy(2), packet: nil, isKey: true, dataOffset: 1),
        Video(bytes: hex("1c 00 000000"), codec: .legacy(12), packet: nil, isKey: true, dataOffset: 1),
        Video(bytes: hex("90 68766331"), codec: .fourCC("hvc1"), packet: nil, isKey: true),
        Video(bytes: hex("a1 61763031 00"), codec: .fourCC("av01"), packet: nil),
        Video(bytes: hex("a1 00ff6131 00"), codec: .fourCC("??a1"), packet: nil),
    ]

    @Test("gives codec, packet, key and composition time", arguments: video)
    func videoTag(row: Video) throws {
        let tag = try parseVideo(row.bytes)
        #expect(tag.codec == row.codec && tag.packet == row.packet && tag.isKey == row.isKey)
        #expect(tag.compositionTime == row.compositionTime && tag.dataOffset == row.dataOffset)
        #expect(!tag.codec.name.isEmpty)
        for length in 0..<row.dataOffset {
            #expect(throws: FLVError.truncated) { try parseVideo(Array(row.bytes[..<length])) }
        }
    }

    static let audio: [(bytes: [UInt8], codec: FLVAudioTag.Codec, packet: FLVAudioTag.Packet?, dataOffset: Int)] = [
        (hex("af 00 1190"), .aac, .sequenceHeader, 2),
        (hex("af 01"), .aac, .frame, 2),
        (hex("a2 05"), .aac, nil, 2),
        (hex("2f"), .legacy(2), nil, 1),
        (hex("90 4f707573"), .fourCC("Opus"), nil, 5),
    ]

    @Test("gives codec and packet of sound", arguments: audio)
    func audioTag(
        bytes: [UInt8], codec: FLVAudioTag.Codec, packet: FLVAudioTag.Packet?, dataOffset: Int
    ) throws {
        let tag = try parseAudio(bytes)
        #expect(tag.codec == codec && tag.packet == packet && tag.dataOffset == dataOffset)
        for length in 0..<dataOffset {
            #expect(throws: FLVError.truncated) { try parseAudio(Array(bytes[..<length])) }
        }
    }

    @Test("has a name for every codec")
    func names() {
        for number in UInt8.min..<16 {
            #expect(!FLVVideoTag.Codec.legacy(number).name.isEmpty && !FLVAudioTag.Codec.legacy(number).name.isEmpty)
        }
        let codes = ["avc1", "hvc1", "av01", "vp08", "vp09", "mp4a", "ac-3", "ec-3", ".mp3", "fLaC", "Opus"]
        for code in codes { #expect(FLVVideoTag.Codec.fourCC(code).name != code) }
        #expect(FLVVideoTag.Codec.fourCC("zzzz").name == "zzzz")
        #expect(FLVVideoTag.Codec.h264.name == "h264" && FLVAudioTag.Codec.aac.name == "aac")
    }

    @Test("writes headers that read back")
    func written() throws {
        let tag = try parseVideo(FLVVideoTag.header(.units, isKey: true, compositionTime: -40))
        #expect(tag.packet == .units && tag.isKey && tag.compositionTime == -40)
        #expect(try parseAudio(FLVAudioTag.header(.frame)).packet == .frame)
    }
}

private func parseVideo(_ bytes: [UInt8]) throws(FLVError) -> FLVVideoTag { try FLVVideoTag(parsing: bytes.span) }
private func parseAudio(_ bytes: [UInt8]) throws(FLVError) -> FLVAudioTag { try FLVAudioTag(parsing: bytes.span) }
