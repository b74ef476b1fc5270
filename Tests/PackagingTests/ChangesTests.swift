import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("What changes in mid-stream", .spec("ISO/IEC 14496-15", "5.4"))
struct ChangesTests {
    let alice = ParticipantNumber(rawValue: 1)

    @Test("a new configuration gets a further sample entry")
    func configuration() throws {
        var first = try Clip.bFrames()
        first.audio.removeAll { $0.dts > 3970 }
        let second = try Clip.plain().moved(by: 4000)
        var feed = FeedScript()
        feed.begin(first)
        feed.play(first)
        feed.describe(.video, id: 2, second)
        feed.describe(.audio, id: 2, second)
        feed.play(second, configuration: 2)
        feed.describe(.video, id: 3, first)
        feed.play(first.moved(by: 7000), configuration: 3, kinds: [.video])
        let disk = record(feed.records)
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let movie = try parse(file)
            #expect(movie.tracks.map { $0.track.entries.count } == [2, 2])
            let used = movie.tracks[0].samples.map(\.description)
            #expect(used == first.video.map { _ in 1 } + second.video.map { _ in 2 } + first.video.map { _ in 1 })
            let played = try Playback(file)
            #expect(played[.video].count == used.count)
            #expect(played[.audio].count == movie.tracks[1].samples.count)
        }
        #expect(try Playback.decodedPictures(of: disk.bytes) == 2 * first.video.count + second.video.count)
        #expect(disk.statistics?.timesRepaired == 0)
        let statistics = try #require(disk.statistics)
        let (zero, video) = (first.video[0].pts, statistics.tracks[0])
        #expect(video.forms.map(\.width) == [160, 128, 160] && video.identity == "p1" && video.isVideo)
        #expect(video.forms.map(\.from).prefix(2) == [.zero, .milliseconds(second.video[0].pts - zero)])
        #expect(statistics.tracks[1].forms.map(\.sampleRate) == [48_000, 44_100])
        #expect(statistics.clock?.zeroAt == statistics.startedAt)
        #expect(statistics.clock?.sources.map(\.identity) == ["p1"])
        #expect(statistics.clock?.sources.map(\.stamp) == [.milliseconds(zero)])
    }

    @Test("parameter sets in band: equal ones go, others get an entry")
    func inBand() throws {
        let own = try Clip.plain()
        let other = try Clip.bFrames()
        var clip = own
        clip.video = own.video.map { $0.isKey ? $0.preceded(by: sets(of: own.videoRecord)) : $0 }
        clip.video += other.video.map { $0.isKey ? $0.preceded(by: sets(of: other.videoRecord)) : $0 }
            .map { $0.moved(by: 3000) }
        clip.audio = []
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        let movie = try parse(disk.bytes)
        let video = try #require(movie.tracks.first)
        #expect(video.track.entries.count == 2)
        #expect(video.track.entries.map(\.width) == [128, 160])
        #expect(video.samples.count == clip.video.count)
        let bytes = video.samples.map { Array(disk.bytes[$0.range]) }
        #expect(bytes == own.video.map(\.bytes) + other.video.map(\.bytes))
    }

    @Test("a source that returns with stamps from 0 goes on after a gap, in sync")
    func returns() throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        feed.event(.unpublished(FeedScript.track(.video, of: 1)))
        feed.event(.unpublished(FeedScript.track(.audio, of: 1)))
        feed.publish(.audio)
        feed.publish(.video)
        feed.describe(.video, id: 2, clip)
        feed.describe(.audio, id: 2, clip)
        feed.event(.anchored(alice, offset: 10_000_000_000))
        feed.play(clip, configuration: 2, offset: 10_000_000_000)
        let disk = record(feed.records)
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let played = try Playback(file)
            let zero = clip.video[0].pts
            let pts = played[.video].compactMap(\.pts)
            #expect(pts == clip.video.map { ($0.pts - zero) * 90 } + clip.video.map { ($0.pts - zero + 10_000) * 90 })
            let sound = played[.audio]
            let later = sound.count - clip.audio.count
            #expect(abs((sound[later].pts ?? 0) - (clip.audio[0].pts - zero + 10_000) * 48) < 48)
        }
        #expect(try parse(disk.bytes).tracks[0].track.entries.count == 1)
        let gaps = try #require(disk.statistics?.gaps)
        #expect(gaps.map(\.track) == ["TR_11", "TR_10"])
        #expect(gaps.allSatisfy { $0.cause == .away && abs($0.length / .seconds(1) - 6) < 0.05 })
        #expect(gaps.map(\.isFilled) == [false, true])
    }

    @Test("a new anchor that would lay new media over old moves the whole source")
    func overlap() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        feed.event(.anchored(alice, offset: 1_000_000_000))
        feed.play(clip, offset: 1_000_000_000)
        let disk = record(feed.records)
        #expect(disk.statistics?.timesRepaired == 0)
        let movie = try parse(disk.bytes)
        let video = movie.tracks[0].samples.map(\.pts)
        let again = video[clip.video.count] - video[0]
        #expect(again >= 3000 * 90 - 40 * 90)
        let audio = movie.tracks[1].samples
        #expect(audio.count == 2 * clip.audio.count)
        let sound = Double(audio[clip.audio.count].pts) / 44_100
        let wanted = Double(again) / 90_000 + Double(clip.audio[0].pts - clip.video[0].pts) / 1000
        #expect(abs(sound - wanted) < 0.1)
    }

    @Test(
        "a hole in the sound is filled with silence; jitter does not make one",
        arguments: [(60, true), (500, true), (9, false)])
    func hole(milliseconds: Int64, isKept: Bool) throws {
        var clip = try Clip.bFrames().repeated(2, seconds: 4)
        let half = clip.audio.count / 2
        let isJitter = !isKept
        clip.audio = clip.audio.enumerated().map { index, frame in
            let moves = isJitter ? index % 2 == 1 : index >= half
            return moves ? frame.moved(by: milliseconds) : frame
        }
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        let times = try parse(disk.bytes).tracks[1].samples.map(\.dts)
        let length = Double(try #require(times.last) - (try #require(times.first))) / 48
        let filled = Int(try #require(disk.statistics?.framesFilled))
        #expect(filled == (isKept ? Int(milliseconds) * 48 / 1024 : 0))
        let wanted = Double(1024 * (times.count - filled - 1)) / 48 + (isKept ? Double(milliseconds) : 0)
        #expect(abs(length - wanted) < 10)
        #expect(disk.statistics?.gaps.count == (milliseconds > 100 ? 1 : 0))
    }

    @Test("decoding times that do not rise are moved, counted and said")
    func falling() throws {
        var clip = try Clip.plain()
        clip.audio = []
        clip.video[10].dts = clip.video[8].dts
        clip.video[40].dts = clip.video[39].dts
        var feed = FeedScript()
        feed.begin(clip)
        for frame in clip.video {  // in the order in which they were sent
            let unit = Unit(
                track: FeedScript.track(.video, of: 1), configuration: 1, pts: frame.pts, dts: frame.dts,
                isKey: frame.isKey, bytes: frame.bytes[...])
            feed.unit(unit, at: feed.now)
        }
        let disk = record(feed.records)
        #expect(disk.statistics?.timesRepaired == 2)
        #expect(disk.warnings.map(\.code) == ["times_repaired"])
        let played = try Playback(disk.bytes)
        #expect(played[.video].map(\.pts) == clip.video.map { ($0.pts - clip.video[0].pts) * 90 })
    }

    @Test("records that were missed are counted; the picture goes on at a key frame")
    func missed() throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let from = try #require(feed.records.firstIndex { $0.time > 1_300_000_000 })
        let to = try #require(feed.records.firstIndex { $0.time > 1_700_000_000 })
        var records = Array(feed.records[..<from])
        let event = RoomEvent.missed(from: UInt64(from), to: UInt64(to))
        records.append(Record(position: UInt64(to), time: feed.records[to].time, body: .event(event)))
        records += feed.records[to...]
        let disk = record(records)
        #expect(disk.statistics?.unitsLost == Int64(to - from))
        #expect(disk.warnings.map(\.code) == ["units_missed"])
        let movie = try parse(disk.bytes)
        let zero = clip.video[0].pts
        let kept = clip.video.filter { $0.dts <= 1300 || $0.dts >= 2000 }
        #expect(movie.tracks[0].samples.map(\.pts) == kept.map { ($0.pts - zero) * 90 })
        let last = try #require(movie.tracks[1].samples.last)
        #expect(abs(Double(last.pts) / 48 - Double(clip.audio[clip.audio.count - 1].pts - zero)) < 2)
    }
}

/// The parameter sets of an AVCDecoderConfigurationRecord with one of each, as length-prefixed NAL units.
private func sets(of record: [UInt8]) -> [UInt8] {
    let spsLength = Int(record[6]) << 8 | Int(record[7])
    let sps = Array(record[8..<8 + spsLength])
    let rest = 8 + spsLength + 1
    let ppsLength = Int(record[rest]) << 8 | Int(record[rest + 1])
    let pps = Array(record[rest + 2..<rest + 2 + ppsLength])
    let delimiter: [UInt8] = [0x09, 0xF0]
    let filler: [UInt8] = [0x0C, 0xFF, 0xFF, 0x80]
    return [delimiter, sps, pps, filler].flatMap { [0, 0, UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
}

extension Clip.Frame {
    fileprivate func preceded(by units: [UInt8]) -> Self {
        Self(pts: pts, dts: dts, isKey: isKey, bytes: units + bytes)
    }
}
