import Codecs
import Feed
import ISOBMFF
import Testing

@testable import Packaging

/// A publisher that sends as many and as small units as a connection carries.
@Suite("A flood of small units")
struct FloodTests {
    /// A slice of a picture, as small as one can be.
    private static let slice: [UInt8] = [0, 0, 0, 2, 0x41, 0x9A]

    @Test("costs a recorder no more for each unit when a fragment has many", .timeLimit(.minutes(1)))
    func fragments() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.unit(unit(.video, clip.video[0].bytes, isKey: true), at: 0)
        feed.unit(unit(.audio, clip.audio[0].bytes), at: 0)
        for index in 0..<60_000 { feed.unit(unit(.video, Self.slice), at: Int64(index) * 5000) }
        var recorder = MP4Recorder()
        var disk = SimulatedDisk()
        for (index, record) in feed.records.enumerated() {
            recorder.receive(record)
            guard index.isMultiple(of: 1000) else { continue }
            recorder.advance(to: record.time)
            disk.drain(&recorder)
        }
        recorder.finish()
        disk.drain(&recorder)
        #expect(try parse(disk.bytes).tracks[0].samples.count == 60_001)
    }

    @Test("is not kept while a picture is waited for", .timeLimit(.minutes(1)), arguments: [0, 5000])
    func held(step: Int64) throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.unit(unit(.video, Self.slice), at: 0)
        for index in 0..<50_000 { feed.unit(unit(.audio, [0x21, 0]), at: Int64(index) * step) }
        var room = RecordedRoom(selection: .all)
        var held = HeldMedia(base: room)
        var most = 0
        for record in feed.records {
            if case .event(let event) = record.body { room.apply(event) }
            held.receive(record, room)
            most = max(most, held.records.count)
        }
        #expect(held.start(at: feed.now, wait: 0, room, isLast: false) == nil)
        #expect(most <= 16_385)
        #expect(held.records.last?.position == feed.records.last?.position)
    }

    /// Twenty key frames a second for `seconds`, each with another configuration of some kilobytes, or with another
    /// parameter set in it; then a minute and a half with the last one.
    private func changes(seconds: Int, inBand: Bool) throws -> FeedScript {
        var clip = try Clip.plain()
        let whole = try AVCDecoderConfigurationRecord(parsing: clip.videoRecord.span)
        let picture = whole.pictureParameterSets[0]
        let (key, record) = (clip.video[0].bytes, clip.videoRecord)
        var feed = FeedScript()
        feed.begin(clip)
        for index in 0..<(seconds + 90) * 20 {
            let number = min(index, seconds * 20)
            let mark = [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number), 0x80]
            let time = Int64(index) * 50
            var bytes = key
            if inBand {
                let set = picture + mark
                bytes = [0, 0, 0, UInt8(set.count)] + set + key
            } else {
                clip.videoRecord = record + [UInt8](repeating: 7, count: 2000) + mark
                feed.describe(.video, id: UInt32(number + 2), clip)
            }
            var picture = unit(.video, bytes, isKey: true)
            (picture.configuration, picture.pts, picture.dts) = (inBand ? 1 : UInt32(number + 2), time, time)
            feed.unit(picture, at: time * 1_000_000)
            var sound = unit(.audio, clip.audio[0].bytes)
            (sound.pts, sound.dts) = (time, time)
            feed.unit(sound, at: time * 1_000_000)
        }
        return feed
    }

    // All that is published stands in the state and the playlists of each publication.
    @Test("of changes makes a presentation of bounded size", .timeLimit(.minutes(1)), arguments: [true, false])
    func changesInHLS(inBand: Bool) throws {
        let feed = try changes(seconds: 60, inBand: inBand)
        var segmenter = HLSSegmenter(options: .init(segmentDuration: .seconds(2)))
        var warnings: [RecorderWarning] = []
        var stateBytes = 0
        var headers: Set<String> = []
        var publications = 0
        func drain() {
            while true {
                switch segmenter.pollOutput() {
                case .publish(let publication):
                    publications += 1
                    for file in publication.files {
                        if file.name == HLSSegmenter.stateName { stateBytes = file.bytes.count }
                        if file.name.hasSuffix(".mp4") { headers.insert(file.name) }
                    }
                case .warning(let warning): warnings.append(warning)
                case .leftOut: break
                case .finished, .wait: return
                }
            }
        }
        for record in feed.records {
            segmenter.receive(record)
            segmenter.advance(to: record.time)
            drain()
        }
        segmenter.finish()
        drain()
        #expect(warnings.map(\.code) == ["units_left_out"])
        #expect(headers.count <= 70)
        #expect(publications < 200)
        #expect(stateBytes < 400 << 10)
        #expect(segmenter.statistics.duration > .seconds(145), "the picture goes on once it stays the same")
    }

    @Test("of changes makes a bounded number of parts", .timeLimit(.minutes(1)), arguments: [true, false])
    func changesInMP4(inBand: Bool) throws {
        let parts = PackagingTests.parts(of: try changes(seconds: 60, inBand: inBand).records)
        #expect(parts.count <= 12)
        #expect(parts.flatMap(\.warnings).map(\.code) == ["units_left_out"])
        let last = try parse(try #require(parts.last).bytes)
        #expect(last.tracks.first { $0.track.kind == .video }?.samples.count ?? 0 >= 500)
        let sounds = try parts.map { try parse($0.bytes).tracks.first { $0.track.kind == .audio }?.samples.count ?? 0 }
        #expect(sounds.reduce(0, +) >= 150 * 20)
    }

    private func unit(_ kind: TrackInfo.Kind, _ bytes: [UInt8], isKey: Bool = false) -> Unit {
        Unit(
            track: FeedScript.track(kind, of: 1), configuration: 1, pts: 0, dts: 0, isKey: isKey || kind == .audio,
            bytes: bytes[...])
    }
}
