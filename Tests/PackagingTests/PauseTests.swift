import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("A pause, and a split", .spec("ISO/IEC 14496-12", "8.6.1"))
struct PauseTests {
    /// Four seconds with B-frames and a key frame each second, and what becomes of it when `action` is done at `time`
    /// (milliseconds of room time).
    private func play(_ actions: [(time: Int64, action: (inout MP4Recorder) -> Void)]) throws -> (
        clip: Clip, disks: [SimulatedDisk], records: [Record]
    ) {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        var actions = actions
        var recorder = MP4Recorder()
        var disks = [SimulatedDisk()]
        func drain() {
            disks[disks.count - 1].drain(&recorder)
            guard disks[disks.count - 1].fullReason != nil, disks[disks.count - 1].statistics == nil else { return }
            let next = recorder.nextPart()
            recorder.finish()
            disks[disks.count - 1].drain(&recorder)
            recorder = next
            disks.append(SimulatedDisk())
            disks[disks.count - 1].drain(&recorder)
        }
        for record in feed.records {
            while let next = actions.first, record.time >= next.time * 1_000_000 {
                next.action(&recorder)
                actions.removeFirst()
                drain()
            }
            recorder.receive(record)
            recorder.advance(to: record.time)
            drain()
        }
        recorder.finish()
        drain()
        return (clip, disks, feed.records)
    }

    @Test("a pause is cut out: the next key frame follows right behind, in sync", arguments: [1300, 1990])
    func pause(at time: Int64) throws {
        let (clip, disks, _) = try play([(time, { $0.pause() }), (2400, { $0.resume() })])
        let disk = try #require(disks.first)
        let movie = try parse(disk.bytes)
        let zero = clip.video[0].pts
        let before = clip.video.filter { $0.dts < time }
        let key = try #require(clip.video.firstIndex { $0.isKey && $0.dts >= 2400 })
        let after = clip.video[key...]
        let moved = clip.video[key].dts - (before[before.count - 1].dts + 40)
        let wanted = before.map { ($0.pts - zero) * 90 } + after.map { ($0.pts - zero - moved) * 90 }
        #expect(movie.tracks[0].samples.map(\.pts) == wanted)
        #expect(disk.leftOut.map(\.length) == [moved * 1_000_000])
        let sound = movie.tracks[1].samples.map(\.dts)
        let steps = zip(sound, sound.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { (1024...3 * 1024).contains($0) } && steps.count { $0 != 1024 } <= 1)
        #expect(disk.statistics?.timesRepaired == 0 && disk.warnings.isEmpty)
        #expect(try Playback(disk.bytes)[.video].count == wanted.count)
    }

    @Test("what is left out is safe too; a takeover knows of the pause")
    func takeover() throws {
        let (_, disks, records) = try play([(1300, { $0.pause() }), (2400, { $0.resume() })])
        let disk = try #require(disks.first)
        #expect(disk.acknowledged == UInt64(records.count))
        let wanted = try frames(of: disk.bytes)
        let kill = disk.writes.count - 6
        guard case .open(let file) = scan(disk.left(afterWrites: kill, partial: 50)) else {
            Issue.record("no file")
            return
        }
        let recorder = try #require(MP4Recorder(adopting: file))
        let position = try #require(recorder.nextPosition)
        let again = record(
            FeedScript(records).from(position), into: recorder, file: Array(disk.bytes.prefix(Int(file.byteCount))))
        #expect(try frames(of: again.bytes) == wanted)
    }

    @Test("a split loses nothing and has nothing twice", arguments: [[1300], [300, 1100, 2950]])
    func split(times: [Int64]) throws {
        let (clip, disks, _) = try play(times.map { ($0, { $0.split() }) })
        let whole = try frames(of: try play([]).disks[0].bytes)
        #expect(disks.count == times.count + 1)
        let parts = try disks.map { try frames(of: $0.bytes) }
        for track in 0..<2 {
            #expect(parts.flatMap { $0[track].map(\.bytes) } == whole[track].map(\.bytes))
            #expect(parts.allSatisfy { $0[track].first?.isSync == true })
        }
        for disk in disks {
            #expect(try parse(disk.bytes).isSealed)
            let played = try Playback(disk.bytes)
            let (video, audio) = (played[.video], played[.audio])
            let offset = Double(audio.compactMap(\.pts)[0]) / 48 - Double(video.compactMap(\.pts)[0]) / 90
            #expect((-22...30).contains(offset), "sound begins \(offset) ms behind the picture")
        }
        #expect(parts.dropFirst().allSatisfy { $0[0][0].pts == 0 })
        #expect(clip.video.count == parts.reduce(0) { $0 + $1[0].count })
    }
}
