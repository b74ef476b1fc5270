import Codecs
import Spec
import Testing

@Suite("AudioSpecificConfig", .spec("ISO/IEC 14496-3", "1.6.2.1"))
struct AudioSpecificConfigTests {
    struct Row: Sendable {
        var what: String
        var bytes: [UInt8]
        var coreRate: UInt32
        var rate: UInt32
        var channels: Int
        var samples = 1024
    }

    static let rows = [
        Row(what: "GStreamer: LC 48 kHz stereo", bytes: hex("1190"), coreRate: 48000, rate: 48000, channels: 2),
        Row(what: "ffmpeg: and no SBR", bytes: hex("119056e500"), coreRate: 48000, rate: 48000, channels: 2),
        Row(what: "LC 44.1 kHz mono", bytes: hex("1208"), coreRate: 44100, rate: 44100, channels: 1),
        Row(what: "LC 48 kHz 5.1", bytes: hex("11b0"), coreRate: 48000, rate: 48000, channels: 6),
        Row(what: "LC 48 kHz 7.1", bytes: hex("11b8"), coreRate: 48000, rate: 48000, channels: 8),
        Row(what: "LC 7350 Hz mono", bytes: hex("1608"), coreRate: 7350, rate: 7350, channels: 1),
        Row(what: "960 samples", bytes: hex("1194"), coreRate: 48000, rate: 48000, channels: 2, samples: 960),
        Row(what: "HE-AAC, explicit", bytes: hex("2b118800"), coreRate: 24000, rate: 48000, channels: 2, samples: 2048),
        Row(
            what: "HE-AAC v2, explicit", bytes: hex("eb098800"), coreRate: 24000, rate: 48000, channels: 2,
            samples: 2048),
        Row(
            what: "HE-AAC, backward compatible", bytes: hex("131056e598"), coreRate: 24000, rate: 48000, channels: 2,
            samples: 2048),
        Row(
            what: "HE-AAC v2, backward compatible", bytes: hex("130856e59d4880"), coreRate: 24000, rate: 48000,
            channels: 2, samples: 2048),
        Row(what: "rate 37800 by escape", bytes: hex("1780 49d410"), coreRate: 37800, rate: 37800, channels: 2),
        Row(what: "downsampled SBR", bytes: hex("119056e598"), coreRate: 48000, rate: 48000, channels: 2),
        Row(
            what: "program config: front pair", bytes: hex("1180 04c4 0000 2000"), coreRate: 48000, rate: 48000,
            channels: 2),
    ]

    @Test("gives rates, channels and samples of a frame", arguments: rows)
    func fields(row: Row) throws {
        let config = try parse(row.bytes)
        #expect(config.coreSampleRate == row.coreRate)
        #expect(config.sampleRate == row.rate)
        #expect(config.channels == row.channels)
        #expect(config.samplesPerFrame == row.samples)
        #expect(config.objectType == 2)
    }

    static let refused: [(bytes: [UInt8], error: AACError)] = [
        ([], .truncated),
        ([0x11], .truncated),
        (hex("1690"), .reservedSampleRate(13)),
        (hex("1780000010"), .reservedSampleRate(0)),
        (hex("11c0"), .reservedChannels(8)),
        (hex("1180000000000000"), .reservedChannels(0)),  // a program without channels
        (hex("fb6000"), .unsupportedObjectType(59)),
        (hex("0190"), .unsupportedObjectType(0)),
        (hex("139056e59c00"), .reservedSampleRate(48000)),
    ]

    @Test("refuses what no decoder can take", arguments: refused)
    func refuses(bytes: [UInt8], error: AACError) {
        #expect(throws: error) { try parse(bytes) }
    }

    @Test("refuses or reads every prefix, and never traps", arguments: rows)
    func truncation(row: Row) {
        for length in 0..<row.bytes.count { _ = try? parse(Array(row.bytes[..<length])) }
        #expect(throws: AACError.truncated) { try parse([]) }
        #expect(throws: AACError.truncated) { try parse([row.bytes[0]]) }
    }

    @Test("writes AAC-LC that reads back", arguments: [7350, 8000, 22050, 37800, 44100, 48000, 96000, 192_000])
    func written(rate: UInt32) throws {
        for channels in [1, 2, 3, 4, 5, 6, 8] {
            let bytes = try #require(AudioSpecificConfig.lowComplexity(sampleRate: rate, channels: channels))
            let config = try parse(bytes)
            #expect(config.sampleRate == rate && config.channels == channels && config.objectType == 2)
        }
    }

    @Test("writes nothing for what it cannot say")
    func unwritable() {
        #expect(AudioSpecificConfig.lowComplexity(sampleRate: 48000, channels: 7) == nil)
        #expect(AudioSpecificConfig.lowComplexity(sampleRate: 0, channels: 2) == nil)
        #expect(AudioSpecificConfig.lowComplexity(sampleRate: 1 << 24, channels: 2) == nil)
    }
}

private func parse(_ bytes: [UInt8]) throws(AACError) -> AudioSpecificConfig {
    try AudioSpecificConfig(parsing: bytes.span)
}
