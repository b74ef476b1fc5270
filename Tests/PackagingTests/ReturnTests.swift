import FFmpeg
import Feed
import ISOBMFF
import Packaging
import Spec
import Testing

@Suite("A publisher that returns", .spec("ISO/IEC 14496-12", "8.8.12"))
struct ReturnTests {
    /// What a new gateway's feed says of the same publisher: positions from 0, other numbers, stamps from 0.
    static func second(_ clip: Clip, epoch: Int64, identity number: UInt32) -> [Record] {
        var feed = FeedScript()
        feed.join(number)
        for kind in [TrackInfo.Kind.audio, .video] {
            feed.publish(kind, by: number)
            feed.describe(kind, of: number, clip)
        }
        feed.play(clip, by: number)
        var records = feed.records
        records[0].body = .event(.clock(epoch: epoch))
        return records
    }

    @Test("after a restart of the gateway goes on in its tracks, in sync, behind a gap", arguments: [true, false])
    func restart(isSealed: Bool) throws {
        let clip = try Clip.bFrames()
        let whole = record(try Self.first(clip).records)
        let left = isSealed ? whole.bytes : whole.left(afterWrites: whole.writes.count - 3, partial: 100)
        let file = try #require(isSealed ? reopened(left) : opened(left))
        let recorder = try #require(MP4Recorder(adopting: file))
        #expect(recorder.epoch == FeedScript.epoch)
        var bytes = Array(left.prefix(Int(file.byteCount)))
        let unseal = HybridHead.unseal
        bytes.replaceSubrange(Int(unseal.offset)..<Int(unseal.offset) + unseal.bytes.count, with: unseal.bytes)
        let epoch = FeedScript.epoch + 9_000_000_000
        let disk = record(Self.second(clip, epoch: epoch, identity: 1), into: recorder, file: bytes)
        #expect(disk.fullReason == nil && disk.statistics?.timesRepaired == 0)
        let movie = try parse(disk.bytes)
        #expect(movie.tracks.count == 2 && movie.isSealed)
        let zero = clip.video[0].pts
        let again = movie.tracks[0].samples.suffix(clip.video.count).map(\.pts)
        #expect(again == clip.video.map { ($0.pts - zero + 9000) * 90 })
        let sound = try #require(movie.tracks[1].samples.suffix(clip.audio.count).first)
        #expect(abs(Double(sound.pts) / 48 - Double(clip.audio[0].pts - zero + 9000)) < 22)
        #expect(try Playback(disk.bytes)[.video].count == movie.tracks[0].samples.count)
        // Killed again before anything of the new feed stood in the file: nothing of the old is read as of the new.
        let killed = try #require(opened(bytes))
        #expect(MP4Recorder(adopting: killed)?.epoch == FeedScript.epoch)
    }

    @Test("as a new participant goes on in the tracks that it had; another person gets tracks of their own")
    func rejoin() throws {
        let clip = try Clip.bFrames()
        var feed = try Self.first(clip)
        for kind in [TrackInfo.Kind.audio, .video] { feed.event(.unpublished(FeedScript.track(kind, of: 1))) }
        feed.event(.left(ParticipantNumber(rawValue: 1)))
        let alice = ParticipantNumber(rawValue: 7)
        feed.event(.joined(ParticipantInfo(number: alice, id: "PA_7", identity: "p1", name: "")))
        feed.event(.anchored(alice, offset: 20_000_000_000))
        for kind in [TrackInfo.Kind.audio, .video] {
            feed.publish(kind, by: 7)
            feed.describe(kind, of: 7, try Clip.plain())
        }
        feed.play(try Clip.plain(), by: 7, offset: 20_000_000_000)
        feed.begin(clip, by: 2, offset: 30_000_000_000)
        feed.play(clip, by: 2, offset: 30_000_000_000)
        let movie = try parse(record(feed.records).bytes)
        let pictures = try Clip.plain().video.count
        #expect(movie.tracks.map(\.track.kind) == [.video, .audio, .video, .audio])
        #expect(movie.tracks[0].samples.count == clip.video.count + pictures)
        #expect(movie.tracks[0].samples.suffix(pictures).allSatisfy { $0.description == 2 })
        #expect(movie.tracks[2].samples.count == clip.video.count)
    }

    @Test("hours later begins the next file")
    func hours() throws {
        let clip = try Clip.plain()
        var feed = try Self.first(clip)
        feed.event(.clock(epoch: FeedScript.epoch + 4_000_000_000_000))
        #expect(record(feed.records).fullReason == .newEpoch)
    }

    private static func first(_ clip: Clip) throws -> FeedScript {
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        return feed
    }

    private func opened(_ file: [UInt8]) -> HybridFile? { if case .open(let found) = scan(file) { found } else { nil } }

    private func reopened(_ file: [UInt8]) -> HybridFile? {
        guard scan(file) == .sealed, case .open(let found) = scan(file, reopens: true) else { return nil }
        return found
    }
}
