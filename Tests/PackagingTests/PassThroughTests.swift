import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("A recorded stream", .spec("ISO/IEC 14496-12", "8.6"))
struct PassThroughTests {
    @Test("with B-frames keeps every picture, every delta, and begins at 0")
    func bFrames() throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let disk = record(feed.records)
        try check(disk, clip)
        #expect(try Playback.decodedPictures(of: disk.bytes) == clip.video.count)
    }

    @Test("is the same in batches of any size", arguments: [2, 7, 100, 100_000])
    func batches(size: Int) throws {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        try check(record(feed.records, batch: size), clip)
    }

    /// Pictures of the file are those of the clip; sound begins with the frame that overlaps the first picture.
    private func check(_ disk: SimulatedDisk, _ clip: Clip) throws {
        let zero = clip.video[0].pts
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let played = try Playback(file)
            let video = played[.video]
            #expect(video.map(\.pts) == clip.video.map { ($0.pts - zero) * 90 })
            #expect(video.map(\.dts) == clip.video.map { ($0.dts - zero) * 90 })
            #expect(video.map(\.isKey) == clip.video.map(\.isKey))
            #expect(!video.contains { $0.isDiscarded })
            let audio = played[.audio]
            let rate = Int64(clip.sampleRate)
            let first = clip.audio.firstIndex { $0.pts + 1024 * 1000 / rate >= zero } ?? 0
            #expect(audio.map(\.bytes) == clip.audio[first...].map(\.bytes))
            let start = (clip.audio[first].pts - zero) * rate / 1000
            #expect(audio.map(\.pts) == audio.indices.map { start + Int64($0) * 1024 })
        }
        let file = try parse(disk.bytes)
        #expect(file.isSealed)
        #expect(disk.wasBarred)
        #expect(disk.statistics?.unitsIn == Int64(clip.video.count + clip.audio.count))
    }
}
