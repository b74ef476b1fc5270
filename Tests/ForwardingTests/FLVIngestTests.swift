import Feed
import Forwarding
import Spec
import Testing

@Suite("From RTMP's messages to units", .spec("FLV 10.1", "annex E.4"))
struct FLVIngestTests {
    /// 1280 × 720, as x264 writes it.
    static let avcC: [UInt8] = [
        0x01, 0x64, 0x00, 0x1F, 0xFF, 0xE1, 0x00, 0x17, 0x67, 0x64, 0x00, 0x1F, 0xAC, 0xB4, 0x02, 0x80, 0x2D, 0xD0,
        0x80, 0x00, 0x00, 0x03, 0x00, 0x80, 0x00, 0x00, 0x1E, 0x07, 0x8C, 0x19, 0x50, 0x01, 0x00, 0x04, 0x68, 0xEF,
        0x3C, 0xB0, 0xFD, 0xF8, 0xF8, 0x00,
    ]

    static func video(key: Bool, compositionTime: Int32 = 0, bytes: Int = 100) -> ArraySlice<UInt8> {
        let time = UInt32(bitPattern: compositionTime)
        let header: [UInt8] = [
            key ? 0x17 : 0x27, 1, UInt8(truncatingIfNeeded: time >> 16), UInt8(truncatingIfNeeded: time >> 8),
            UInt8(truncatingIfNeeded: time),
        ]
        return
            (header + [0, 0, 0, UInt8(clamping: bytes), key ? 0x65 : 0x41] + [UInt8](repeating: 1, count: bytes - 1))[
                ...]
    }

    static let videoHeader = ([0x17, 0, 0, 0, 0] + avcC)[...]
    static let audioHeader: ArraySlice<UInt8> = [0xAF, 0, 0x11, 0x90]
    static let audioFrame: ArraySlice<UInt8> = [0xAF, 1, 0x21, 0x10, 0x05]

    @Test("a sequence header is a configuration, and its repetition is nothing")
    func configuration() {
        var ingest = FLVIngest(lastVideoID: 4)
        guard case .configuration(.video, let video)? = ingest.video(timestamp: 0, payload: Self.videoHeader),
            case .configuration(.audio, let audio)? = ingest.audio(timestamp: 0, payload: Self.audioHeader)
        else {
            Issue.record("no configuration")
            return
        }
        #expect(video.id == 5 && video.codec == .h264 && video.record == Self.avcC && video.timescale == 1000)
        #expect(video.width == 1280 && video.height == 720)
        #expect(audio.id == 1 && audio.codec == .aac && audio.sampleRate == 48_000 && audio.channels == 2)
        #expect(ingest.video(timestamp: 10, payload: Self.videoHeader) == nil)
        #expect(ingest.audio(timestamp: 10, payload: Self.audioHeader) == nil)
    }

    @Test("a frame keeps its bytes and its times, B-frames too")
    func unit() {
        var ingest = Self.configured()
        guard
            case .unit(.video, let unit)? = ingest.video(
                timestamp: 5000, payload: Self.video(key: true, compositionTime: 66))
        else {
            Issue.record("no unit")
            return
        }
        #expect(unit.dts == 5000 && unit.pts == 5066 && unit.isKey && unit.configuration == 1)
        #expect(Array(unit.bytes) == Array(Self.video(key: true).dropFirst(5)))
        guard
            case .unit(_, let early)? = ingest.video(
                timestamp: 40, payload: Self.video(key: false, compositionTime: -1))
        else {
            Issue.record("no unit")
            return
        }
        #expect(early.pts == 39 && !early.isKey)
    }

    static let refused: [[UInt8]] = [
        [], [0x17], [0x17, 0], [0x17, 0, 0, 0, 0], [0x17, 1, 0, 0, 0], [0x12, 1, 0, 0, 0, 9],
        [0x90, 0x68, 0x76, 0x63, 0x31],
        [0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xFF, 0xE0, 0], [0x17, 0, 0, 0, 0, 1, 100, 0, 30, 0xFF, 0xE1, 0, 0, 0],
    ]

    @Test("what does not parse, or is of another codec, is dropped and counted", arguments: refused)
    func dropped(payload: [UInt8]) {
        var ingest = FLVIngest()
        #expect(ingest.video(timestamp: 0, payload: payload[...]) == nil)
        #expect(ingest.report.droppedMessages == 1)
        #expect(ingest.audio(timestamp: 0, payload: ArraySlice(payload.map { $0 ^ 0x2F })) == nil)
    }

    @Test("a frame before its configuration is dropped")
    func early() {
        var ingest = FLVIngest()
        #expect(ingest.video(timestamp: 0, payload: Self.video(key: true)) == nil)
        #expect(ingest.audio(timestamp: 0, payload: Self.audioFrame) == nil)
        #expect(ingest.report.droppedMessages == 2)
    }

    @Test("survives every stamp", arguments: [Int64.min, .max, 0, -1])
    func stamps(stamp: Int64) {
        var ingest = Self.configured()
        for time in [stamp, 0, stamp, 40] {
            _ = ingest.video(timestamp: time, payload: Self.video(key: true, compositionTime: 8_388_607))
            _ = ingest.audio(timestamp: time, payload: Self.audioFrame)
        }
        #expect(ingest.report.video?.frames == 4)
    }

    static func configured() -> FLVIngest {
        var ingest = FLVIngest()
        _ = ingest.video(timestamp: 0, payload: videoHeader)
        _ = ingest.audio(timestamp: 0, payload: audioHeader)
        return ingest
    }
}

@Suite("Advice to the person at the encoder")
struct PublicationMeterTests {
    /// One way to stream, and the warnings that it should bring.
    struct Row: Sendable {
        var name: String
        var keyEvery = 60
        var step: @Sendable (Int) -> Int64 = { Int64($0) * 1000 / 30 }
        var compositionTime: Int32 = 0
        var hasAudio = true
        var codes: Set<String> = []
    }

    static let rows: [Row] = [
        Row(name: "good"),
        Row(name: "far key frames", keyEvery: 250, codes: ["key_frames_far_apart"]),
        Row(name: "B-frames", compositionTime: 66, codes: ["b_frames"]),
        Row(name: "no sound", hasAudio: false, codes: ["no_audio"]),
        Row(name: "uneven", step: { Int64($0 / 2) * 100 + Int64($0 % 2) * 20 }, codes: ["variable_frame_rate"]),
    ]

    @Test("names what is wrong, once, with a remedy", arguments: rows)
    func advice(row: Row) {
        var ingest = FLVIngestTests.configured()
        if !row.hasAudio {
            ingest = FLVIngest()
            _ = ingest.video(timestamp: 0, payload: FLVIngestTests.videoHeader)
        }
        for frame in 0..<900 {
            let stamp = row.step(frame)
            let payload = FLVIngestTests.video(
                key: frame % row.keyEvery == 0, compositionTime: row.compositionTime)
            _ = ingest.video(timestamp: stamp, payload: payload)
            if row.hasAudio { _ = ingest.audio(timestamp: stamp, payload: FLVIngestTests.audioFrame) }
        }
        #expect(Set(ingest.report.warnings.map(\.code)) == row.codes, "\(row.name)")
        #expect(ingest.report.warnings.count == row.codes.count)
        #expect(ingest.report.warnings.allSatisfy { !$0.remedy.isEmpty && !$0.message.isEmpty })
    }

    @Test("measures rate, bits and key-frame distance from the stamps")
    func rates() {
        var ingest = FLVIngestTests.configured()
        for frame in 0..<600 {
            let payload = FLVIngestTests.video(key: frame % 60 == 0)
            _ = ingest.video(timestamp: Int64(frame) * 1000 / 30, payload: payload)
        }
        let video = ingest.report.video
        #expect(video?.keyFrameSeconds == 2)
        #expect(abs((video?.framesPerSecond ?? 0) - 30) < 0.5)
        #expect(abs((video?.bitrateBps ?? 0) - 30 * 104 * 8) < 1000)
    }
}
