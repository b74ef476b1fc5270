import Feed
import HLS
import ISOBMFF
import Packaging
import Spec
import Testing
import Timing

@Suite("HLS segmenter", .spec("rfc8216bis", "6.2.1"))
struct HLSSegmenterTests {
    private func feed(_ clip: Clip) -> FeedScript {
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        return feed
    }

    @Test("cuts at key frames, and holds unit for unit what the MP4 of the same feed holds", arguments: [2, 3, 6])
    func units(seconds: Int) throws {
        let clip = try Clip.bFrames().repeated(5, seconds: 4)
        let folder = present(feed(clip).records, .init(segmentDuration: .seconds(seconds)))
        let film = record(feed(clip).records).bytes
        let tracks = try parse(film).tracks
        let video = try folder.samples(of: "video.m3u8")
        let sound = try folder.samples(of: "audio-1.m3u8")
        #expect(video.map(\.bytes) == tracks[0].samples.map { Array(film[$0.range]) })
        #expect(sound.map(\.bytes) == tracks[1].samples.map { Array(film[$0.range]) })
        // The same times, both from one zero two seconds in.
        #expect(video.map { $0.pts - 2 * 90_000 } == tracks[0].samples.map(\.pts))
        #expect(sound.map { $0.pts - 2 * 48_000 } == tracks[1].samples.map(\.pts))
        #expect(try folder.segments(of: "video.m3u8").allSatisfy { $0.first?.isSync == true })
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.targetDuration == seconds && playlist.isEnded && playlist.kind == .vod)
        #expect(playlist.segments.dropLast().allSatisfy { $0.duration == .seconds(seconds) })
        #expect(playlist.duration == .milliseconds(20_000))
        let soundLength = try folder.playlist("audio-1.m3u8").duration
        #expect(abs((soundLength - .seconds(20)).nanoseconds) < 150_000_000)
    }

    @Test("the main playlist says what is there", .spec("rfc8216bis", "4.4.6.2"))
    func main() throws {
        let clip = try Clip.bFrames().repeated(3, seconds: 4)
        let folder = present(feed(clip).records, .init(segmentDuration: .seconds(2)))
        let main = try folder.main
        let variant = try #require(main.variants.first)
        #expect(main.hasIndependentSegments)
        #expect(variant.uri == "video.m3u8" && variant.audio == "audio")
        #expect(variant.codecs.count == 2 && variant.codecs[0].hasPrefix("avc1.") && variant.codecs[1] == "mp4a.40.2")
        #expect(variant.frameRate == 25)
        #expect(main.renditions.map(\.uri) == ["audio-1.m3u8"] && main.renditions[0].channels == 2)
        let average = try #require(variant.averageBandwidth)
        #expect(average > 0 && average <= variant.bandwidth)
        let first = try folder.playlist("video.m3u8").segments[0].programDateTime
        #expect(first == folder.startedAt)
    }

    @Test("each segment decodes alone behind its header")
    func decodes() throws {
        let clip = try Clip.bFrames().repeated(2, seconds: 4)
        let folder = present(feed(clip).records, .init(segmentDuration: .seconds(3)))
        for segment in try folder.playlist("video.m3u8").segments {
            let file = try folder.file(of: segment.uri, header: "video-init-1.mp4")
            let pictures = try Playback.decodedPictures(of: file)
            #expect(pictures == Int((segment.duration.inSeconds * 25).rounded()))
        }
    }

    @Test("the target duration is the longest group that was seen, and is kept", .spec("rfc8216bis", "4.4.3.1"))
    func longGroups() throws {
        let clip = try Clip.plain().restamped(framesPerSecond: 30, count: 900, gop: 249).repeated(1, seconds: 3)
        let folder = present(feed(clip).records, .init(segmentDuration: .seconds(4)))
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.targetDuration == 9)
        #expect(playlist.segments.dropLast().allSatisfy { $0.duration == .milliseconds(8300) })
        #expect(try folder.main.hasIndependentSegments)
    }

    @Test("a group that is longer than was promised is cut, and the promise of independent segments taken back")
    func longerGroup() throws {
        let base = try Clip.plain()
        var clip = base.restamped(framesPerSecond: 30, count: 300, gop: 30)
        let long = base.restamped(framesPerSecond: 30, count: 600, gop: 600).moved(by: 10_000)
        clip.video += long.video
        clip.audio = []
        var feed = FeedScript()
        feed.join()
        feed.publish(.video)
        feed.describe(.video, clip)
        feed.play(clip, kinds: [.video])
        let folder = present(feed.records, .init(segmentDuration: .seconds(3)))
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.targetDuration == 3)
        #expect(try !folder.main.hasIndependentSegments)
        #expect(try folder.samples(of: "video.m3u8").count == 900)
        #expect(playlist.segments.allSatisfy { $0.discontinuities == 0 })
    }

    @Test("a live playlist slides, keeps three target durations, and forgets what no client asks for")
    func live() throws {
        let clip = try Clip.bFrames().repeated(15, seconds: 4)
        let folder = present(feed(clip).records, .init(segmentDuration: .seconds(2), window: 4))
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.segments.count == 4 && playlist.kind == nil && playlist.isEnded)
        #expect(playlist.mediaSequence == 26)
        #expect(playlist.segments[0].map == "video-init-1.mp4")
        let kept = folder.files.keys.filter { $0.hasPrefix("video-") && $0.hasSuffix(".m4s") }
        #expect(kept.count < 14 && kept.contains("video-29.m4s") && !kept.contains("video-3.m4s"))
    }

    @Test("sound alone, and a picture alone, are presentations too", arguments: [TrackInfo.Kind.audio, .video])
    func alone(kind: TrackInfo.Kind) throws {
        let clip = try Clip.bFrames().repeated(4, seconds: 4)
        var feed = FeedScript()
        feed.join()
        feed.publish(kind)
        feed.describe(kind, clip)
        feed.play(clip, kinds: [kind])
        let folder = present(feed.records, .init(segmentDuration: .seconds(4)))
        let name = kind == .video ? "video.m3u8" : "audio-1.m3u8"
        #expect(try folder.samples(of: name).count == (kind == .video ? clip.video : clip.audio).count)
        let main = try folder.main
        #expect(main.variants.map(\.uri) == [name] && main.renditions.isEmpty)
        #expect(main.variants[0].codecs.count == 1 && (main.variants[0].resolution != nil) == (kind == .video))
    }

    @Test(
        "a publisher that comes back goes on behind a discontinuity, in every rendition", .spec("rfc8216bis", "4.4.4.3")
    )
    func away() throws {
        let clip = try Clip.bFrames().repeated(2, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        for kind in [TrackInfo.Kind.video, .audio] { feed.event(.unpublished(FeedScript.track(kind, of: 1))) }
        feed.now += 10_000_000_000
        let offset = feed.now
        feed.event(.anchored(ParticipantNumber(rawValue: 1), offset: offset))
        for kind in [TrackInfo.Kind.audio, .video] {
            feed.publish(kind)
            feed.describe(kind, clip)
        }
        feed.play(clip, offset: offset)
        let folder = present(feed.records, .init(segmentDuration: .seconds(4)))
        for name in ["video.m3u8", "audio-1.m3u8"] {
            let playlist = try folder.playlist(name)
            let breaks = playlist.segments.indices.filter { playlist.segments[$0].discontinuities > 0 }
            #expect(breaks == [2], "\(name): \(playlist.text)")
            let segment = playlist.segments[2]
            let before = try #require(playlist.segments[1].programDateTime)
            #expect(try abs((#require(segment.programDateTime) - before).inSeconds - 14) < 0.2)
            #expect(segment.map != nil)
        }
        try expectSameUnits(folder, feed.records)
    }

    @Test("a stall without a key frame behind it is held, and the segments stay legal")
    func stall() throws {
        let clip = try Clip.bFrames().repeated(4, seconds: 4)
        var stalled = clip
        stalled.video = clip.video.map { $0.dts < 5480 ? $0 : $0.moved(by: 5000) }
        stalled.audio = clip.audio.map { $0.dts < 5480 ? $0 : $0.moved(by: 5000) }
        let folder = present(feed(stalled).records, .init(segmentDuration: .seconds(6)))
        try expectSameUnits(folder, feed(stalled).records)
        #expect(try folder.playlist("video.m3u8").duration == .milliseconds(21_000))
    }

    @Test("a second video is left out, and said to be; a second sound joins the group, behind silence")
    func second() throws {
        let clip = try Clip.bFrames().repeated(4, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        var other = FeedScript()
        other.begin(clip.moved(by: 0), by: 2, offset: 6_000_000_000)
        other.play(clip, by: 2, offset: 6_000_000_000)
        let merged = merge(feed.records, Array(other.records.dropFirst()), after: 6_000_000_000)
        var segmenter = HLSSegmenter(options: .init(segmentDuration: .seconds(2)))
        var folder = HLSFolder()
        var warnings = segment(merged, &segmenter, into: &folder)
        segmenter.finish()
        drain(&segmenter, &folder, &warnings)
        #expect(warnings.map(\.code) == ["track_left_out"])
        #expect(try folder.main.renditions.map(\.uri) == ["audio-1.m3u8", "audio-2.m3u8"])
        let late = try folder.playlist("audio-2.m3u8")
        #expect(late.segments.count >= 8 && late.segments.prefix(8).allSatisfy { !$0.isGap })
        let sound = try folder.samples(of: "audio-2.m3u8")
        #expect(sound.suffix(clip.audio.count).map(\.bytes) == clip.audio.map(\.bytes))
        let silence = sound.dropLast(clip.audio.count)
        #expect(Set(silence.map(\.bytes)).count == 1 && abs(silence.count - 277) < 3)
        #expect(zip(sound, sound.dropFirst()).allSatisfy { $0.dts + 1024 == $1.dts })
    }

    /// Records of two feeds as one, the second not before `time`.
    private func merge(_ first: [Record], _ second: [Record], after time: Int64) -> [Record] {
        let all = first.map { ($0, $0.time) } + second.map { ($0, max($0.time, time)) }
        return all.enumerated().sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
            .enumerated().map {
                Record(position: UInt64($0.offset), time: $0.element.element.1, body: $0.element.element.0.body)
            }
    }

    @Test("a new size is a new header behind a discontinuity")
    func newConfiguration() throws {
        let first = try Clip.bFrames().repeated(2, seconds: 4)
        let second = try Clip.plain().repeated(3, seconds: 3).moved(by: 8000)
        var feed = FeedScript()
        feed.begin(first)
        feed.play(first, kinds: [.video])
        feed.describe(.video, id: 2, second)
        feed.play(second, configuration: 2, kinds: [.video])
        let folder = present(feed.records, .init(segmentDuration: .seconds(3)))
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.segments.compactMap(\.map) == ["video-init-1.mp4", "video-init-2.mp4"])
        #expect(playlist.segments.first { $0.map == "video-init-2.mp4" }?.discontinuities == 1)
        #expect(try folder.samples(of: "video.m3u8").count == first.video.count + second.video.count)
        #expect(try folder.main.variants[0].codecs.count == 2)
    }
}

/// The presentation holds, unit for unit, what the MP4 of the same feed holds.
private func expectSameUnits(_ folder: HLSFolder, _ records: [Record]) throws {
    let film = record(records).bytes
    for (track, name) in zip(try parse(film).tracks, ["video.m3u8", "audio-1.m3u8"]) {
        let cut = try folder.samples(of: name).map(\.bytes)
        let units = track.samples.map { Array(film[$0.range]) }
        // Where sound is missing the MP4 has one frame of silence, again and again.
        let filled = Set(units).subtracting(cut)
        #expect(filled.count <= (track.track.kind == .audio ? 1 : 0))
        #expect(cut == units.filter { !filled.contains($0) })
    }
}

@Suite("HLS segmenter, taken over")
struct HLSTakeoverTests {
    @Test(
        "a kill at any file loses nothing, and no segment changes",
        arguments: Array(stride(from: 0, through: 40, by: 1)))
    func killed(after files: Int) throws {
        let clip = try Clip.bFrames().repeated(5, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let options = HLSSegmenter.Options(segmentDuration: .seconds(2))
        let whole = present(feed.records, options)

        var folder = HLSFolder()
        folder.filesLeft = files
        var segmenter = HLSSegmenter(options: options)
        for record in feed.records where folder.filesLeft > 0 {
            _ = segment([record], &segmenter, into: &folder)
        }
        folder.filesLeft = .max
        var start: UInt64 = 0
        var next = HLSSegmenter(options: options)
        if let state = folder.files[HLSSegmenter.stateName] {
            next = try #require(HLSSegmenter(adopting: state, options: options))
            start = try #require(next.nextPosition)
        }
        var warnings = segment(feed.from(start), &next, into: &folder)
        next.finish()
        drain(&next, &folder, &warnings)
        for name in ["video.m3u8", "audio-1.m3u8"] {
            #expect(try folder.samples(of: name) == whole.samples(of: name))
            #expect(try folder.playlist(name).segments == whole.playlist(name).segments)
        }
        #expect(try folder.main == whole.main)
        #expect(next.statistics.unitsIn == Int64(clip.video.count + clip.audio.count))
    }

    @Test("a presentation that was left to a later attempt does not say that it ended")
    func suspended() throws {
        let clip = try Clip.bFrames().repeated(3, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let options = HLSSegmenter.Options(segmentDuration: .seconds(3))
        var folder = HLSFolder()
        var segmenter = HLSSegmenter(options: options)
        var warnings = segment(Array(feed.records.prefix(300)), &segmenter, into: &folder)
        segmenter.suspend()
        drain(&segmenter, &folder, &warnings)
        #expect(try !folder.playlist("video.m3u8").isEnded)
        let state = try #require(folder.files[HLSSegmenter.stateName])
        var next = try #require(HLSSegmenter(adopting: state, options: options))
        warnings += segment(feed.from(try #require(next.nextPosition)), &next, into: &folder)
        next.finish()
        drain(&next, &folder, &warnings)
        #expect(try folder.playlist("video.m3u8").isEnded && warnings.isEmpty)
        try expectSameUnits(folder, feed.records)
    }

    @Test("a state that is cut is none of ours, and never traps")
    func truncation() throws {
        let clip = try Clip.bFrames().repeated(2, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let folder = present(feed.records, .init(segmentDuration: .seconds(2)))
        let state = try #require(folder.files[HLSSegmenter.stateName])
        #expect(HLSSegmenter(adopting: state) != nil)
        for length in stride(from: 0, to: state.count, by: 7) {
            #expect(HLSSegmenter(adopting: Array(state[..<length])) == nil)
        }
    }
}
