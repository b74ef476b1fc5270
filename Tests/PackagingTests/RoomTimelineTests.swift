import Feed
import ISOBMFF
import Packaging
import Spec
import Testing
import Timing

@Suite("A room's timeline", .spec("ISO/IEC 14496-12", "8.6"))
struct RoomTimelineTests {
    @Test("gives the zero first, then the tracks, then every sample with its time, duration and bytes")
    func samples() throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let outputs = play(feed.records)
        guard case .began(let beginning) = outputs.first else {
            Issue.record("no beginning")
            return
        }
        #expect(beginning.zero == clip.video[0].pts * 1_000_000)
        #expect(beginning.startedAt.nanoseconds == FeedScript.epoch + beginning.zero)
        let tracks = outputs.compactMap { if case .track(let track) = $0 { track } else { nil } }
        #expect(tracks.map(\.isVideo) == [true, false])
        #expect(tracks.map(\.index) == [0, 1])
        #expect(outputs.last == .finished)
        let video = samples(of: 0, outputs)
        #expect(
            video.map { tracks[0].nanoseconds(at: $0.time + Int64($0.compositionOffset)) / 1_000_000 }
                == clip.video.map { $0.pts - clip.video[0].pts })
        #expect(zip(video, video.dropFirst()).allSatisfy { $0.time + $0.duration == $1.time })
        #expect(video.map(\.isDurationEstimated) == video.indices.map { $0 == video.count - 1 })
        let sound = samples(of: 1, outputs)
        #expect(sound.map { Array($0.bytes) } == clip.audio.suffix(sound.count).map(\.bytes))
        #expect(sound.allSatisfy { $0.duration == 1024 })
    }

    @Test("goes on from its state, sample for sample", arguments: [20, 150, 283, 301])
    func resume(at count: Int) throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let whole = play(feed.records)
        var timeline = RoomTimeline()
        var first: [RoomTimeline.Output] = []
        for record in feed.records.prefix(count) {
            timeline.receive(record)
            drain(&timeline, &first)
        }
        let bytes = try #require(timeline.resumeBytes())
        var resumed = try #require(RoomTimeline(resuming: bytes, tracks: timeline.tracks))
        for record in feed.from(try #require(resumed.safePosition)) {
            resumed.receive(record)
            drain(&resumed, &first)
        }
        resumed.finish()
        drain(&resumed, &first)
        for track in [0, 1] {
            #expect(samples(of: track, first).map(Fact.init) == samples(of: track, whole).map(Fact.init))
        }
        #expect(RoomTimeline(resuming: bytes, tracks: []) == nil)
        #expect(RoomTimeline(resuming: Array(bytes.dropLast()), tracks: timeline.tracks) == nil)
    }

    @Test("leaves out a track whose configuration fits no header")
    func tooLarge() throws {
        var clip = try Clip.plain()
        clip.videoRecord += [UInt8](repeating: 0, count: 5000)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        #expect(disk.warnings.map(\.code) == ["track_left_out"])
        #expect(disk.fullReason == nil)
        #expect(try parse(disk.bytes).tracks.map { $0.samples.count } == [clip.audio.count])
    }

    private func samples(of track: Int, _ outputs: [RoomTimeline.Output]) -> [PlacedSample] {
        outputs.compactMap { if case .sample(let sample) = $0, sample.track == track { sample } else { nil } }
    }
}

/// What of a sample is the same in every attempt.
private struct Fact: Equatable {
    var time: Int64
    var duration: Int64
    var bytes: [UInt8]

    init(_ sample: PlacedSample) { (time, duration, bytes) = (sample.time, sample.duration, Array(sample.bytes)) }
}

private func play(_ records: [Record]) -> [RoomTimeline.Output] {
    var timeline = RoomTimeline()
    var outputs: [RoomTimeline.Output] = []
    for record in records {
        timeline.receive(record)
        drain(&timeline, &outputs)
    }
    timeline.finish()
    drain(&timeline, &outputs)
    return outputs
}

private func drain(_ timeline: inout RoomTimeline, _ outputs: inout [RoomTimeline.Output]) {
    while true {
        let output = timeline.pollOutput()
        if case .wait = output { return }
        outputs.append(output)
    }
}
