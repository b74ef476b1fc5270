import Codecs
import Spec
import Testing

@testable import RTMP

@Suite("Real publishers, recorded", .spec("RTMP 1.0", "7"))
struct RecordedPublisherTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var encoder: String
        var metadataEncoder: String
        var size: [Int]
        var pictures: Int
        var keys: Int
        var sampleRate: UInt32

        var testDescription: String { encoder }
    }

    static let rows = [
        Row(
            bytes: Vectors.ffmpeg, encoder: "FMLE/3.0 (compatible; Lavf59.27.100)", metadataEncoder: "Lavf59.27.100",
            size: [64, 48], pictures: 10, keys: 2, sampleRate: 44100),
        Row(
            bytes: Vectors.obs, encoder: "FMLE/3.0 (compatible; FMSc/1.0)", metadataEncoder: "obs-output module",
            size: [128, 72], pictures: 40, keys: 4, sampleRate: 48000),
    ]

    @Test("are understood, whatever pieces their bytes come in", arguments: rows)
    func publisher(row: Row) throws {
        var host = Host(accepts: true)
        host.receive(row.bytes, pieces: 1400)
        try check(host, row)
        for size in [1, 7, 4000] {
            var other = Host(accepts: true)
            other.receive(row.bytes, pieces: size)
            #expect(other.events == host.events)
        }
        let commands = try host.commands()
        #expect(commands.first == "_result NetConnection.Connect.Success")
        #expect(commands.contains("onStatus NetStream.Publish.Start"))
        #expect(commands.filter { $0 == "_result" }.count == 3)  // releaseStream, FCPublish, createStream
    }

    private func check(_ host: Host, _ row: Row) throws {
        guard case .publish(let info) = host.events.first else {
            Issue.record("no request to publish")
            return
        }
        #expect(info.app == "live" && info.streamKey == "key" && info.flashVersion == row.encoder)
        #expect(host.events.last == .unpublished)
        var pictures = 0
        var keys = 0
        for event in host.events {
            switch event {
            case .metadata(let metadata):
                #expect(metadata.encoder?.contains(row.metadataEncoder) == true)
                #expect([metadata.width, metadata.height] == row.size && metadata.frameRate == 10)
            case .video(_, let body):
                let tag = try videoTag(body)
                if tag.packet == .sequenceHeader {
                    let sps = try record(Array(body[tag.dataOffset...])).sequenceParameterSet()
                    #expect([sps.width, sps.height] == row.size)
                } else if tag.packet == .units {
                    pictures += 1
                    keys += tag.isKey ? 1 : 0
                }
            case .audio(_, let body) where body[1] == 0:
                #expect(try config(Array(body[2...])).sampleRate == row.sampleRate)
            case .publish, .audio, .unpublished, .close: break
            }
        }
        #expect(pictures >= row.pictures && keys >= row.keys)
    }

    @Test("OBS sends its parameter sets in band, and filler; the filter leaves what a file needs")
    func filtered() throws {
        var host = Host(accepts: true)
        host.receive(Vectors.obs, pieces: 1400)
        var filter: AccessUnitFilter?
        var received = 0
        var kept = 0
        for case .video(_, let body) in host.events {
            let tag = try videoTag(body)
            let data = body[tag.dataOffset...]
            switch tag.packet {
            case .sequenceHeader: filter = AccessUnitFilter(try record(Array(data)))
            case .units:
                let unit = try #require(try filter?.filter(data))
                #expect(unit.changedConfiguration == nil && unit.hasIDRSlice == tag.isKey && !unit.bytes.isEmpty)
                received += data.count
                kept += unit.bytes.count
            case .endOfSequence, nil: break
            }
        }
        #expect(kept < received / 2)
    }

    @Test("cut anywhere they end by a timeout, and never trap", arguments: rows)
    func truncation(row: Row) {
        for length in stride(from: 0, to: row.bytes.count, by: 13) {
            var host = Host(accepts: true)
            host.receive(Array(row.bytes[..<length]), pieces: 5000)
            let ended = host.events.last == .unpublished
            host.advance(to: 100)
            #expect(host.closed != nil || ended)
        }
    }

    @Test("with any byte changed they never trap", arguments: rows)
    func damage(row: Row) {
        var generator = SplitMix(state: 7)
        let end = min(row.bytes.count, 12_000)
        for _ in 0..<400 {
            var bytes = Array(row.bytes[..<end])
            bytes[generator.next(end)] = UInt8(generator.next(256))
            bytes[3073 + generator.next(end - 3073)] = UInt8(generator.next(256))
            var host = Host(accepts: true)
            host.receive(bytes, pieces: 4000)
            host.advance(to: 100)
        }
    }
}

private func videoTag(_ bytes: [UInt8]) throws(FLVError) -> FLVVideoTag { try FLVVideoTag(parsing: bytes.span) }

private func record(_ bytes: [UInt8]) throws(H264Error) -> AVCDecoderConfigurationRecord {
    try AVCDecoderConfigurationRecord(parsing: bytes.span)
}

private func config(_ bytes: [UInt8]) throws(AACError) -> AudioSpecificConfig {
    try AudioSpecificConfig(parsing: bytes.span)
}
