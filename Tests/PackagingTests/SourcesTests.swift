import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

/// Streams as encoders send them, each read back by libavformat from the finished and from the unfinished file.
@Suite("Every kind of source", .spec("ISO/IEC 14496-12", "8.6"))
struct SourcesTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var clip: @Sendable () throws -> Clip
        var testDescription: String { name }

        init(_ name: String, _ clip: @escaping @Sendable () throws -> Clip) {
            self.name = name
            self.clip = clip
        }
    }

    static let rows: [Row] = [
        Row("25 fps, 3 B-frames, 48 kHz stereo", { try .bFrames().repeated(3, seconds: 4) }),
        Row("30 fps, 44.1 kHz mono", { try .plain().repeated(3, seconds: 3) }),
        Row("60 fps, 48 kHz stereo") {
            try .bFrames().repeated(5, seconds: 4).restamped(framesPerSecond: 60, count: 1200, gop: 60)
        },
        Row("30 fps, a key frame every 8.33 s") {
            try .plain().repeated(9, seconds: 3).restamped(framesPerSecond: 30, count: 800, gop: 250)
        },
        Row("1 fps", { try .plain().repeated(2, seconds: 3).restamped(framesPerSecond: 1, count: 6, gop: 2) }),
        Row("stamps behind a 32-bit wrap", { try .plain().moved(by: 1 << 32) }),
        Row("sound 900 ms before the picture") {
            var clip = try Clip.plain()
            clip.video = clip.video.map { $0.moved(by: 900) }
            return clip
        },
        Row("sound 900 ms after the picture") {
            var clip = try Clip.plain()
            clip.audio = clip.audio.map { $0.moved(by: 900) }
            return clip
        },
        Row("sound 11 ms before the picture") {
            var clip = try Clip.plain()
            clip.video = clip.video.map { $0.moved(by: 11) }
            return clip
        },
    ]

    @Test("comes back with its counts, times and bytes", arguments: rows)
    func row(row: Row) throws {
        let clip = try row.clip()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            try check(Playback(file), clip, isSealed: file.count == disk.bytes.count)
        }
        let length = Double(try #require(Playback(disk.bytes).duration)) / 1e6
        #expect(abs(length - (disk.statistics?.duration ?? .zero) / .seconds(1)) < 0.001)
        #expect(disk.statistics?.timesRepaired == 0)
        #expect(disk.warnings.isEmpty)
    }

    private func check(_ played: Playback, _ clip: Clip, isSealed: Bool) throws {
        let zero = clip.video[0].pts
        let video = played[.video]
        #expect(video.map(\.pts) == clip.video.map { ($0.pts - zero) * 90 })
        #expect(video.map(\.dts) == clip.video.map { ($0.dts - zero) * 90 })
        #expect(!video.contains { $0.isDiscarded })
        let rate = Int64(clip.sampleRate)
        let first = try #require(clip.audio.firstIndex { $0.pts * rate + 1024 * 1000 > zero * rate })
        let audio = played[.audio]
        #expect(audio.count == clip.audio.count - first)
        #expect(audio.map(\.bytes) == clip.audio[first...].map(\.bytes))
        let start = (clip.audio[first].pts - zero) * rate / 1000
        // An empty edit is in ticks of the movie, 90 000 a second: the last tick may differ.
        #expect(zip(audio, 0...).allSatisfy { abs(($0.0.pts ?? 0) - start - $0.1 * 1024) <= 1 })
    }

    @Test("HE-AAC counts samples of its core", .spec("ISO/IEC 14496-3", "1.6.2.1"))
    func highEfficiency() throws {
        var clip = try Clip.bFrames()
        clip.audioRecord = [0x2B, 0x11, 0x88, 0x00]  // SBR over 24 kHz stereo
        clip.sampleRate = 48_000
        let frame = try #require(clip.audio.first)
        clip.audio = (0..<Int64(90)).map {
            let stamp = $0 * 1024 * 1000 / 24_000
            return Clip.Frame(pts: stamp, dts: stamp, isKey: true, bytes: frame.bytes)
        }
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        let played = try Playback(disk.bytes)
        let sound = try #require(played.streams.first { $0.kind == .audio })
        #expect(sound.timescale == 24_000)
        #expect(sound.sampleRate == 48_000)
        #expect(sound.channels == 2)
        #expect(sound.configuration == clip.audioRecord)
        let times = played[.audio].compactMap(\.pts)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 1024 })
    }

    @Test("sound alone begins at its first frame, after the wait for a picture")
    func soundOnly() throws {
        var clip = try Clip.plain()
        clip.video = []
        var feed = FeedScript()
        feed.join()
        feed.publish(.audio)
        feed.describe(.audio, clip)
        feed.play(clip)
        let disk = record(feed.records)
        let audio = try Playback(disk.bytes)[.audio]
        #expect(audio.map(\.bytes) == clip.audio.map(\.bytes))
        #expect(audio.first?.pts == 0)
        #expect(disk.statistics?.tracks.count == 1)
        #expect(disk.startedAt == FeedScript.epoch + clip.audio[0].pts * 1_000_000)
    }

    @Test("two participants share one clock: the room's")
    func twoParticipants() throws {
        let first = try Clip.bFrames()
        let second = try Clip.plain()
        let offsets: [Int64] = [100_000_000, 742_123_457]
        var feed = FeedScript()
        feed.begin(first, by: 1, offset: offsets[0])
        feed.begin(second, by: 2, offset: offsets[1])
        feed.play([(first, 1, 1, offsets[0]), (second, 2, 1, offsets[1])])
        let disk = record(feed.records)
        let zero = first.video[0].pts * 1_000_000 + offsets[0]
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let played = try Playback(file)
            #expect(played[.video].count == first.video.count)
            let video = played[.video, 1]
            #expect(video.count == second.video.count)
            let start = Double(second.video[0].pts * 1_000_000 + offsets[1] - zero) / 1e9
            #expect(abs(Double(try #require(video.first?.pts)) / 90_000 - start) < 0.0001)
            let deltas = zip(video, video.dropFirst()).map { ($1.pts ?? 0) - ($0.pts ?? 0) }
            #expect(deltas == zip(second.video, second.video.dropFirst()).map { ($1.pts - $0.pts) * 90 })
            #expect(played[.audio, 1].count == second.audio.count)
        }
        let streams = try Playback(disk.bytes).streams
        #expect(streams.filter { $0.kind == .video }.map(\.isDefault) == [true, false])
        #expect(streams.filter { $0.kind == .video }.map(\.handlerName) == ["p1 (camera)", "p2 (camera)"])
    }
}
