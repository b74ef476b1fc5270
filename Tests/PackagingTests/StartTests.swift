import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Testing

@Suite("The beginning of a recording")
struct StartTests {
    @Test("writes the first fragment with the first key frame, at once")
    func firstFragment() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        var recorder = MP4Recorder()
        var disk = SimulatedDisk()
        for record in feed.records {
            recorder.receive(record)
            recorder.advance(to: record.time)
            disk.drain(&recorder)
            guard case .unit(let unit) = record.body, unit.track == FeedScript.track(.video, of: 1) else { continue }
            break
        }
        #expect(disk.activeAfterWrites == 2)
        #expect(disk.startedAt == FeedScript.epoch + clip.video[0].pts * 1_000_000)
        let movie = try parse(disk.bytes)
        #expect(movie.tracks[0].samples.map(\.pts) == [0])
        #expect(try Playback.decodedPictures(of: disk.bytes) == 1)
    }

    @Test("writes fragments of half a second at most, each acknowledged")
    func fragments() throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records, finish: false)
        #expect((16...24).contains(disk.writes.count))
        var last = 0.0
        for count in stride(from: 2, through: disk.writes.count, by: 2) {
            let end = try #require(try parse(disk.left(afterWrites: count)).tracks[0].samples.last.map(\.dts))
            #expect(Double(end) / 90_000 - last <= 0.5)
            last = Double(end) / 90_000
        }
        #expect(disk.acknowledged > UInt64(feed.records.count) - 60)
    }

    @Test("waits for the configuration of every published track, at most 2 s")
    func waits() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.publish(.audio, by: 2)  // never says what it sends
        feed.play(clip)
        var recorder = MP4Recorder()
        var disk = SimulatedDisk()
        var first: Int64?
        for record in feed.records {
            recorder.receive(record)
            recorder.advance(to: record.time)
            disk.drain(&recorder)
            if first == nil, !disk.bytes.isEmpty { first = record.time }
        }
        recorder.finish()
        disk.drain(&recorder)
        #expect((2_000_000_000...2_100_000_000).contains(try #require(first)))
        let movie = try parse(disk.bytes)
        #expect(movie.tracks[0].samples.count == clip.video.count)
    }

    @Test("takes a track that comes later into the same file")
    func later() throws {
        let first = try Clip.plain()
        let second = try Clip.bFrames().moved(by: 1500)
        var feed = FeedScript()
        feed.begin(first)
        feed.join(2)
        var early = first
        early.video = first.video.filter { $0.dts < 1500 }
        early.audio = first.audio.filter { $0.dts < 1500 }
        feed.play(early)
        feed.publish(.video, by: 2)
        feed.publish(.audio, by: 2)
        feed.describe(.video, of: 2, second)
        feed.describe(.audio, of: 2, second)
        var late = first
        late.video = first.video.filter { $0.dts >= 1500 }
        late.audio = first.audio.filter { $0.dts >= 1500 }
        feed.play([(late, 1, 1, 0), (second, 2, 1, 0)])
        let disk = record(feed.records)
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let movie = try parse(file)
            #expect(movie.tracks.count == 4)
            let played = try Playback(file)
            let zero = first.video[0].pts
            #expect(played[.video, 1].map(\.pts) == second.video.map { ($0.pts - zero) * 90 })
        }
    }

    @Test("names who is left out")
    func leftOut() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        for participant in 1...3 { feed.begin(clip, by: UInt32(participant)) }
        feed.play([(clip, 1, 1, 0), (clip, 2, 1, 0), (clip, 3, 1, 0)])
        let options = MP4Recorder.Options(maximumTracks: 4)
        let disk = record(feed.records, into: MP4Recorder(options: options))
        #expect(disk.warnings.count == 2)
        #expect(disk.warnings.allSatisfy { $0.code == "track_left_out" && $0.message.contains("p3") })
        #expect(try parse(disk.bytes).tracks.count == 4)
    }

    @Test("keeps to its selection")
    func selection() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip, by: 1)
        feed.begin(clip, by: 2)
        feed.play([(clip, 1, 1, 0), (clip, 2, 1, 0)])
        let options = MP4Recorder.Options(selection: .participant(identity: "p2", screenShare: false))
        let disk = record(feed.records, into: MP4Recorder(options: options))
        #expect(disk.statistics?.tracks.map(\.id).sorted() == ["TR_20", "TR_21"])
    }

    @Test("leaves no file when nothing came")
    func nothing() {
        let disk = record(FeedScript().records)
        #expect(disk.bytes.isEmpty)
        #expect(disk.statistics?.byteCount == 0)
    }

    @Test("goes on in a next part when the header has no more room")
    func full() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        var stamp: Int64 = 0
        for id in UInt32(1)...24 {  // an encoder that is restarted over and over
            var changed = clip
            changed.videoRecord += (0..<2000).map { UInt8(truncatingIfNeeded: Int(id) >> ($0 % 4 * 8)) }
            feed.describe(.video, id: id, changed)
            changed.video = clip.video.prefix(2).map { $0.moved(by: stamp) }
            changed.audio = []
            feed.play(changed, configuration: id)
            stamp += 80
        }
        let parts = PackagingTests.parts(of: feed.records)
        #expect((2...10).contains(parts.count))
        let frames = try parts.map { try parse($0.bytes).tracks.first { $0.track.kind == .video }?.samples.count ?? 0 }
        #expect(frames.reduce(0, +) == 48)
    }
}
