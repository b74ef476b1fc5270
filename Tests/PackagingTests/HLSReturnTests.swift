import Feed
import HLS
import ISOBMFF
import Packaging
import Spec
import Testing
import Timing

/// A publisher that is away for a while, and of whom the room says nothing.
@Suite("HLS segmenter, behind a gap", .spec("rfc8216bis", "4.4.3.1"))
struct HLSReturnTests {
    /// `first`, nothing for `gap` milliseconds while time goes by, and `second` with another configuration number.
    private func present(_ first: Clip, _ second: Clip, gap: Int64) throws -> HLSFolder {
        var feed = FeedScript()
        feed.begin(first)
        feed.play(first)
        let count = feed.records.count
        let end = feed.now
        let offset = (4000 + gap) * 1_000_000
        feed.event(.anchored(ParticipantNumber(rawValue: 1), offset: offset))
        for kind in [TrackInfo.Kind.audio, .video] { feed.describe(kind, id: 2, second) }
        feed.play(second, configuration: 2, offset: offset)
        var segmenter = HLSSegmenter(options: .init(segmentDuration: .seconds(2)))
        var folder = HLSFolder()
        var warnings = segment(Array(feed.records[..<count]), &segmenter, into: &folder)
        for step in stride(from: Int64(100), to: gap, by: 100) {
            segmenter.advance(to: end + step * 1_000_000)
            drain(&segmenter, &folder, &warnings)
        }
        warnings += segment(Array(feed.records[count...]), &segmenter, into: &folder)
        segmenter.finish()
        drain(&segmenter, &folder, &warnings)
        #expect(try folder.samples(of: "video.m3u8").count == first.video.count + second.video.count)
        return folder
    }

    @Test(
        "no segment is longer than was promised, and those behind the gap are as long as those before it",
        arguments: [Int64(100), 350, 500, 900, 1100, 1240, 1600, 1990, 2500, 5000])
    func lengths(gap: Int64) throws {
        let clip = try Clip.bFrames()
        let folder = try present(clip, clip.repeated(3, seconds: 4), gap: gap)
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.targetDuration == 2)
        #expect(playlist.segments.suffix(5).dropLast().allSatisfy { $0.duration == .seconds(2) }, "\(playlist.text)")
        #expect(gap <= 2000 || playlist.segments.reduce(0) { $0 + $1.discontinuities } == 1)
    }

    @Test("sound that is back a moment before its picture waits for it", arguments: [Int64(24), 300])
    func soundFirst(lead: Int64) throws {
        var second = try Clip.plain().repeated(2, seconds: 3)
        second.video = second.video.map { $0.moved(by: lead) }
        let folder = try present(.bFrames(), second, gap: 4000)
        for name in ["video.m3u8", "audio-1.m3u8"] {
            let segments = try folder.playlist(name).segments
            #expect(segments.reduce(0) { $0 + $1.discontinuities } == 1, "\(name): \(segments)")
            #expect(segments.allSatisfy { !$0.isGap })
        }
    }

    @Test("sound that is back long before its picture has segments of its own", arguments: [Int64(500), 1500, 1900])
    func soundLongFirst(lead: Int64) throws {
        var second = try Clip.plain().repeated(2, seconds: 3)
        second.video = second.video.map { $0.moved(by: lead) }
        let folder = try present(.bFrames(), second, gap: 4000)
        try expectLegal(folder)
        let sound = try folder.samples(of: "audio-1.m3u8").suffix(second.audio.count)
        #expect(sound.map(\.bytes) == second.audio.map(\.bytes))
    }

    @Test("sound that goes on while the picture is away", arguments: [Int64(2100), 2900, 3700, 6000])
    func soundOnly(gap: Int64) throws {
        var clip = try Clip.plain().repeated(4, seconds: 3)
        clip.video = clip.video.map { $0.dts < 5000 ? $0 : $0.moved(by: gap) }
        clip.audio = clip.audio.filter { $0.pts < 11_000 }
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        var segmenter = HLSSegmenter(options: .init(segmentDuration: .seconds(2)))
        var folder = HLSFolder()
        var warnings = segment(feed.records, &segmenter, into: &folder)
        segmenter.finish()
        drain(&segmenter, &folder, &warnings)
        try expectLegal(folder)
        #expect(try folder.samples(of: "video.m3u8").count == clip.video.count)
        #expect(try folder.samples(of: "audio-1.m3u8").count == clip.audio.count)
    }

    @Test("pictures that were reordered end where those begin that are not", arguments: [Int64(40), 200, 1000])
    func reordered(gap: Int64) throws {
        let folder = try present(.bFrames(), .plain(), gap: gap)
        let segments = try folder.playlist("video.m3u8").segments
        #expect(segments.reduce(0) { $0 + $1.discontinuities } == 1)
        for (segment, next) in zip(segments, segments.dropFirst()) {
            let (begin, end) = (try #require(segment.programDateTime), try #require(next.programDateTime))
            #expect(begin.nanoseconds + segment.duration.nanoseconds <= end.nanoseconds + 1000)
        }
    }

    /// Both playlists have as many segments and breaks, none longer than was promised.
    private func expectLegal(_ folder: HLSFolder) throws {
        let playlists = try ["video.m3u8", "audio-1.m3u8"].map { try folder.playlist($0) }
        for playlist in playlists {
            let limit = Duration.seconds(playlist.targetDuration) + .milliseconds(500)
            #expect(playlist.segments.allSatisfy { $0.duration < limit }, "\(playlist.text)")
        }
        #expect(playlists[0].segments.count == playlists[1].segments.count)
        #expect(playlists[0].segments.map(\.discontinuities) == playlists[1].segments.map(\.discontinuities))
    }

    @Test("sound that is back without its picture goes on alone after two seconds")
    func soundAlone() throws {
        var second = try Clip.plain().repeated(4, seconds: 3)
        second.video = second.video.map { $0.moved(by: 6000) }
        let folder = try present(.bFrames(), second, gap: 4000)
        let sound = try folder.samples(of: "audio-1.m3u8").suffix(second.audio.count)
        #expect(sound.map(\.bytes) == second.audio.map(\.bytes))
        #expect(try folder.playlist("video.m3u8").segments.contains { $0.isGap })
    }
}
