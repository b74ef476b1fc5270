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
    ///
    /// Sound comes `lead` milliseconds before its picture.
    private func play(
        _ actions: [(time: Int64, action: (inout MP4Recorder) -> Void)], lead: Int64 = 0
    ) throws -> (clip: Clip, disks: [SimulatedDisk], records: [Record]) {
        let clip = try Clip.bFrames()
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip, soundLead: lead)
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

    @Test(
        "a pause is cut out: all pictures and all sound up to one place, and the next key frame right behind, in sync",
        arguments: [1300, 1450, 1490, 1530, 1990], [0, 60, -60])
    func pause(at time: Int64, lead: Int64) throws {
        let (clip, disks, _) = try play([(time, { $0.pause() }), (2600, { $0.resume() })], lead: lead)
        let disk = try #require(disks.first)
        let movie = try parse(disk.bytes)
        let pictures = movie.tracks[0].samples
        let shown = pictures.map(\.pts).sorted()
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == 3600 }, "the cut shows")
        let zero = clip.video[0].pts
        let key = try #require(clip.video.firstIndex { $0.isKey && $0.dts >= 2600 })
        let count = pictures.count - (clip.video.count - key)
        #expect(
            pictures.map { Array(disk.bytes[$0.range]) }.suffix(clip.video.count - key)
                == clip.video[key...].map(\.bytes))
        let end = (clip.video[..<count].map(\.pts).max() ?? 0) + 40 - zero
        #expect(disk.leftOut.map(\.at) == [end * 1_000_000])
        #expect(disk.leftOut.map(\.length) == [(clip.video[key].pts - zero - end) * 1_000_000])
        #expect((time...time + 300).contains(end + 120), "a pause ends where it was asked for, but for pictures begun")
        // Sound: no frame stands elsewhere beside its picture than it did.
        let sound = movie.tracks[1].samples
        let moved = clip.video[key].pts - zero - end
        for sample in sound {
            let bytes = Array(disk.bytes[sample.range])
            let at = Double(sample.pts) / 48 + Double(zero)
            let isThere = clip.audio.contains { frame in
                frame.bytes == bytes && [0, moved].contains { abs(Double(frame.pts - $0) - at) <= 12 }
            }
            #expect(isThere, "sound at \(at) ms")
        }
        let steps = zip(sound, sound.dropFirst()).map { $1.dts - $0.dts }
        #expect(steps.allSatisfy { (1024..<2 * 1024).contains($0) } && steps.count { $0 != 1024 } <= 1)
        #expect(disk.statistics?.timesRepaired == 0 && disk.warnings.isEmpty)
        #expect(try Playback(disk.bytes)[.video].count == pictures.count)
    }

    @Test("a pause that is taken back before its place is reached, and one behind which nothing comes")
    func brief() throws {
        let (clip, disks, _) = try play([(1300, { $0.pause() }), (1320, { $0.resume() }), (3980, { $0.pause() })])
        let disk = try #require(disks.first)
        let movie = try parse(disk.bytes)
        #expect(disk.leftOut.count == 1 && movie.isSealed)
        #expect(movie.tracks[0].samples.count > clip.video.count - 25)
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
