import Feed
import ISOBMFF
import Packaging
import Testing

@Suite("A recorder in trouble")
struct RobustnessTests {
    @Test("does not hold back its acknowledgement for a track that fell silent")
    func silent() throws {
        var clip = try Clip.plain().repeated(3, seconds: 3)
        clip.audio.removeAll { $0.dts > 2000 }
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records, finish: false)
        #expect(disk.acknowledged > UInt64(feed.records.count) - 40)
    }

    @Test("writes what it holds when the feed stands still")
    func still() throws {
        let clip = try Clip.plain()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        var recorder = MP4Recorder()
        var disk = SimulatedDisk()
        for record in feed.records { recorder.receive(record) }
        recorder.advance(to: feed.now)
        while case .some(let deadline) = drained(&recorder, &disk) { recorder.advance(to: deadline) }
        #expect(disk.acknowledged == UInt64(feed.records.count))
        #expect(try parse(disk.bytes).tracks[0].samples.count == clip.video.count)
        recorder.finish()
        disk.drain(&recorder)
        #expect(try parse(disk.bytes).tracks.map { $0.samples.count } == [clip.video.count, disk.soundFrames])
    }

    /// Drains, and says when the recorder wants to be called again.
    private func drained(_ recorder: inout MP4Recorder, _ disk: inout SimulatedDisk) -> Int64? {
        disk.drain(&recorder)
        guard case .wait(let until) = recorder.pollOutput() else { return nil }
        return until
    }

    @Test("takes any stamp, any bytes, any order of events, and never traps", arguments: 1...40)
    func nonsense(seed: Int) throws {
        let clip = try Clip.plain()
        var random = Seeded(state: UInt64(seed))
        var feed = FeedScript()
        feed.begin(clip)
        let stamps: [Int64] = [0, 1, -1, .min, .max, 1 << 31, 1 << 32, 1 << 53, -(1 << 40)]
        for step in 0..<600 {
            let isVideo = random.next() % 2 == 0
            let frames = isVideo ? clip.video : clip.audio
            let frame = frames[Int(random.next() % UInt64(frames.count))]
            let kind = random.next() % 24
            let number = ParticipantNumber(rawValue: UInt32(random.next() % 3))
            switch kind {
            case 0: feed.event(.anchored(number, offset: stamps[Int(random.next() % 9)]))
            case 1: feed.event(.unpublished(FeedScript.track(isVideo ? .video : .audio, of: 1)))
            case 2: feed.publish(isVideo ? .video : .audio)
            case 3: feed.event(.left(number))
            case 4: feed.event(.missed(from: random.next() % 10, to: random.next() % 10))
            default: break
            }
            var bytes = frame.bytes
            if kind == 5 { bytes = [] }
            if kind == 6 { bytes[0] = 0xFF }
            let wild = kind == 7 ? stamps[Int(random.next() % 9)] : Int64(step) * 20
            let unit = Unit(
                track: FeedScript.track(isVideo ? .video : .audio, of: 1), configuration: kind == 8 ? 9 : 1,
                pts: kind == 9 ? stamps[Int(random.next() % 9)] : wild, dts: wild, isKey: frame.isKey,
                bytes: bytes[...])
            feed.unit(unit, at: Int64(step) * 20_000_000)
        }
        let disk = record(feed.records)
        guard !disk.bytes.isEmpty else { return }
        let statistics = try #require(disk.statistics)
        let frames = statistics.tracks.reduce(0) { $0 + $1.frames }
        #expect(frames > 100)
        #expect(frames - statistics.framesFilled + statistics.unitsSkipped <= Int64(feed.records.count))
        #expect(scan(disk.bytes) == .sealed)
    }
}

/// Numbers that are the same each time (SplitMix64).
private struct Seeded {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension SimulatedDisk {
    fileprivate var soundFrames: Int {
        (statistics?.tracks.first { $0.id == "TR_10" }?.frames).map(Int.init) ?? 0
    }
}
