import Codecs
import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("Gaps", .spec("ISO/IEC 14496-3", "4.4.2.1"))
struct GapTests {
    /// The clip, without what was sent from `from` to `to` (milliseconds).
    private func holed(_ from: Int64, _ to: Int64, _ kinds: [TrackInfo.Kind]) throws -> Clip {
        var clip = try Clip.plain().repeated(4, seconds: 3)
        if kinds.contains(.video) { clip.video.removeAll { (from..<to).contains($0.dts) } }
        if kinds.contains(.audio) { clip.audio.removeAll { (from..<to).contains($0.dts) } }
        return clip
    }

    private func recorded(_ clip: Clip) -> SimulatedDisk {
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        return record(feed.records)
    }

    @Test("in sound are filled with silence of the same configuration, in the finished and in the killed file")
    func sound() throws {
        let clip = try holed(4000, 7000, [.audio])
        let disk = recorded(clip)
        let config = try AudioSpecificConfig(parsing: clip.audioRecord.span)
        let silence = try #require(SilentFrame.aac(config))
        let zero = clip.video[0].pts
        for file in [disk.bytes, disk.left(afterWrites: disk.writes.count - 2)] {
            let audio = try Playback(file)[.audio]
            let made = audio.filter { $0.bytes == silence }
            #expect((127...130).contains(made.count))
            let times = audio.compactMap(\.pts)
            #expect(zip(times, times.dropFirst()).allSatisfy { (1023...2048).contains($1 - $0) })
            let last = try #require(times.last)
            #expect(abs(last - (clip.audio[clip.audio.count - 1].pts - zero) * 441 / 10) < 441)
        }
        let gap = try #require(disk.statistics?.gaps.first)
        #expect(gap.track == "TR_10" && gap.cause == .silence && gap.isFilled)
        #expect(abs(gap.length / .seconds(1) - 3) < 0.05)
        #expect(disk.statistics?.gapCount == 1)
        #expect(disk.statistics?.gapTime == gap.length)
    }

    @Test("in the picture: up to 2 s the last frame lasts longer, beyond that it holds and the gap is told")
    func picture() throws {
        for (to, isTold) in [(Int64(5900), false), (8000, true)] {
            let clip = try holed(4000, to, [.video])
            let disk = recorded(clip)
            let samples = try parse(disk.bytes).tracks[0].samples
            #expect(samples.map(\.pts) == clip.video.map { ($0.pts - clip.video[0].pts) * 90 })
            #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.dts + $0.duration == $1.dts })
            #expect(disk.statistics?.gaps.map(\.cause) == (isTold ? [.silence] : []))
        }
    }

    @Test("of both are two spans, and one stretch of time")
    func both() throws {
        let disk = recorded(try holed(3000, 8000, [.audio, .video]))
        #expect(disk.statistics?.gapCount == 2)
        let time = try #require(disk.statistics?.gapTime)
        #expect(abs(time / .seconds(1) - 5) < 0.06)
    }

    @Test("stand in the file as they would have, wherever it was killed and gone on in", arguments: [0, 700])
    func takeover(partial: Int) throws {
        let clip = try holed(4000, 6500, [.audio, .video])
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        let whole = record(feed.records)
        let wanted = try frames(of: whole.bytes)
        for kill in 2..<whole.writes.count - 2 {
            guard case .open(let file) = scan(whole.left(afterWrites: kill, partial: partial)) else { continue }
            let recorder = try #require(MP4Recorder(adopting: file))
            let position = try #require(recorder.nextPosition)
            let cut = Array(whole.left(afterWrites: kill, partial: partial).prefix(Int(file.byteCount)))
            let disk = record(feed.from(position), into: recorder, file: cut)
            #expect(try frames(of: disk.bytes) == wanted, "write \(kill)")
            #expect(disk.statistics?.gaps == whole.statistics?.gaps, "write \(kill)")
            #expect(disk.statistics?.framesFilled == whole.statistics?.framesFilled, "write \(kill)")
        }
    }

    /// LC of 1 to 8 channels; SBR over 24 kHz stereo, and SBR and PS over 24 kHz mono.
    static let records: [[UInt8]] =
        [1, 2, 3, 4, 5, 6, 8].compactMap { AudioSpecificConfig.lowComplexity(sampleRate: 48_000, channels: $0) }
        + [[0x2B, 0x11, 0x88, 0x00], [0xEB, 0x09, 0x88, 0x00]]

    @Test("are silent to a decoder, whatever the channels", arguments: records)
    func decoded(record: [UInt8]) throws {
        let frame = try #require(SilentFrame.aac(try AudioSpecificConfig(parsing: record.span)))
        #expect(frame.count <= 25)
        var clip = try Clip.plain()
        (clip.video, clip.audioRecord, clip.sampleRate, clip.channels) = ([], record, 48_000, 2)
        clip.audio = (0..<Int64(100)).map {
            Clip.Frame(pts: $0 * 64 / 3, dts: $0 * 64 / 3, isKey: true, bytes: frame)
        }
        var feed = FeedScript()
        feed.join()
        feed.publish(.audio)
        feed.describe(.audio, clip)
        feed.play(clip)
        #expect(try Playback.decodedFrames(of: .audio, in: PackagingTests.record(feed.records).bytes) == 100)
    }

    @Test("with channels that only a program config names, or another object type, are left as holes")
    func hole() throws {
        let named: [UInt8] = [0x11, 0x80, 0x04, 0xC8, 0x04, 0x00, 0x00]
        if let config = try? AudioSpecificConfig(parsing: named.span) { #expect(SilentFrame.aac(config) == nil) }
        let main = try AudioSpecificConfig(parsing: [UInt8]([0x09, 0x90]).span)
        #expect(SilentFrame.aac(main) == nil)
    }
}
