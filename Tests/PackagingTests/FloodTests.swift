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

    private func unit(_ kind: TrackInfo.Kind, _ bytes: [UInt8], isKey: Bool = false) -> Unit {
        Unit(
            track: FeedScript.track(kind, of: 1), configuration: 1, pts: 0, dts: 0, isKey: isKey || kind == .audio,
            bytes: bytes[...])
    }
}
