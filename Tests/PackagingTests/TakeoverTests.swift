import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("A recording that was killed", .spec("ISO/IEC 14496-12", "8.8"))
struct TakeoverTests {
    /// One stream whose sound changes its configuration and whose clock jumps, so that there is state to resume.
    static func script() throws -> [Record] {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip, offset: 7_300_000)
        feed.play(clip, offset: 7_300_000)
        feed.event(.anchored(ParticipantNumber(rawValue: 1), offset: 6_100_000_000))
        feed.play(clip, offset: 6_100_000_000)
        return feed.records
    }

    /// Kills at every write, before it and within it; what is adopted and recorded from its position on must be the file
    /// that nobody killed.
    @Test("goes on in its file and loses nothing", arguments: [0, 9, 300, 5000])
    func adopt(partial: Int) throws {
        let whole = try Self.adopt(Self.script(), partial: partial)
        let played = try Playback(whole.bytes)
        #expect(played[.video].count == 200)
    }

    @Test("knows until when pictures are shown whose B-frames never came")
    func missing() throws {
        var clip = try Clip.bFrames()
        let last = try #require(
            clip.video.indices.dropFirst(30).first { clip.video[$0].pts - clip.video[$0].dts > 120 })
        clip.video = Array(clip.video[...last])
        clip.audio = clip.audio.filter { $0.pts < clip.video[last].dts }
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        // The encoder was started again at once: its first picture is to be shown with those that are missing.
        let offset = (clip.video[last].dts + 40 - clip.video[0].dts) * 1_000_000
        feed.event(.anchored(ParticipantNumber(rawValue: 1), offset: offset))
        feed.play(clip, offset: offset)
        let whole = try Self.adopt(feed.records, partial: 0, tracks: 0..<1)
        let shown = try frames(of: whole.bytes)[0].map(\.pts)
        #expect(Set(shown).count == shown.count)
    }

    /// Kills at every write; `tracks` of what is adopted and recorded on are those of the file that nobody killed.
    private static func adopt(
        _ records: [Record], partial: Int, tracks: Range<Int> = 0..<2
    ) throws -> SimulatedDisk {
        let feed = FeedScript(records)
        let whole = record(records)
        let wanted = try frames(of: whole.bytes)
        for kill in 1..<whole.writes.count {
            let left = whole.left(afterWrites: kill, partial: partial)
            guard case .open(let file) = scan(left) else {
                #expect(kill == 1 || kill >= whole.writes.count - 1, "write \(kill)")  // a draft, or sealed
                continue
            }
            let recorder = try #require(MP4Recorder(adopting: file))
            let position = try #require(recorder.nextPosition)
            let cut = Array(left.prefix(Int(file.byteCount)))
            let disk = record(feed.from(position), into: recorder, file: cut)
            #expect(try frames(of: disk.bytes)[tracks] == wanted[tracks], "write \(kill)")
            #expect(disk.statistics?.unitsIn == whole.statistics?.unitsIn, "write \(kill)")
            #expect(disk.statistics?.timesRepaired == 0)
        }
        return whole
    }

    @Test("plays what had been acknowledged, and can be sealed as it is")
    func playable() throws {
        let records = try Self.script()
        let whole = record(records)
        for kill in 1..<whole.writes.count where kill % 3 == 1 {
            let left = whole.left(afterWrites: kill, partial: 1000)
            let held = try parse(left)
            let played = try Playback(left)
            for (index, track) in held.tracks.enumerated() {
                #expect(played.packets[index].count >= track.samples.count)
            }
            guard case .open(let file) = scan(left) else { continue }
            var recorder = try #require(MP4Recorder(adopting: file))
            var disk = SimulatedDisk()
            disk.bytes = Array(left.prefix(Int(file.byteCount)))
            recorder.finish()
            disk.drain(&recorder)
            #expect(try frames(of: disk.bytes) == frames(of: left).filter { !$0.isEmpty })
            #expect(try parse(disk.bytes).isSealed)
        }
    }

    @Test("opens wherever the last write was cut")
    func torn() throws {
        let whole = record(try Self.script())
        for kill in [3, 4, 5, 40, whole.writes.count - 2] {
            let before = try parse(whole.left(afterWrites: kill)).tracks[0].samples.count
            for partial in Array(0...40) + Array(stride(from: 41, to: 1500, by: 53)) {
                let played = try Playback(whole.left(afterWrites: kill, partial: partial))
                #expect(played[.video].count >= before, "write \(kill), \(partial) bytes")
            }
        }
    }

    @Test("acknowledges nothing that is not in the file")
    func acknowledged() throws {
        let records = try Self.script()
        var recorder = MP4Recorder()
        var disk = SimulatedDisk()
        for record in records {
            recorder.receive(record)
            disk.drain(&recorder)
            guard case .open(let file) = scan(disk.bytes) else { continue }
            #expect(disk.acknowledged == MP4Recorder(adopting: file)?.nextPosition)
            #expect(disk.acknowledged <= record.position)
        }
    }

    @Test("is sealed already: there is nothing to go on with")
    func sealed() throws {
        let whole = record(try Self.script())
        #expect(scan(whole.bytes) == .sealed)
        #expect(scan([]) == .unusable)
        #expect(scan(Array(whole.bytes.prefix(16_000))) == .unusable)
        let unsealed = whole.left(afterWrites: whole.writes.count - 1)
        #expect(scan(Array(unsealed.prefix(16_384))) == .unusable)
    }
}

/// What a sample is, wherever it stands.
struct FrameFact: Equatable {
    var dts: Int64
    var pts: Int64
    var duration: Int64
    var isSync: Bool
    var bytes: [UInt8]
}

func frames(of file: [UInt8]) throws -> [[FrameFact]] {
    try parse(file).tracks.map { track in
        track.samples.map {
            FrameFact(dts: $0.dts, pts: $0.pts, duration: $0.duration, isSync: $0.isSync, bytes: Array(file[$0.range]))
        }
    }
}
