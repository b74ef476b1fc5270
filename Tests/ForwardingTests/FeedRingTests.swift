import Feed
import Forwarding
import Testing

@Suite("What a room's feed holds")
struct FeedRingTests {
    @Test("without consumers, the last GOP and no more")
    func lastGOP() {
        var feeding = Feeding()
        feeding.play(frames: 100, gop: 30)
        let oldest = feeding.ring.record(at: feeding.ring.oldest)?.unit
        #expect(oldest?.isKey == true)
        #expect(oldest?.dts == 3600)
        #expect(feeding.ring.byteCount == 10 * 110)
    }

    @Test("what a durable consumer has not acknowledged, until it does")
    func unacknowledged() {
        var feeding = Feeding()
        let cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        feeding.play(frames: 100, gop: 30)
        #expect(feeding.ring.oldest == cursor.position)
        cursor.acknowledge(before: feeding.ring.next, in: &feeding.ring)
        #expect(feeding.ring.byteCount == 10 * 110)
        feeding.play(frames: 60, gop: 30)
        cursor.end(in: &feeding.ring)
        #expect(feeding.ring.byteCount == 30 * 110)
    }

    @Test("never more than the limit of bytes, cut at a key frame")
    func byteLimit() {
        var feeding = Feeding(limits: .init(bytes: 50_000, span: .seconds(1000)))
        _ = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        for _ in 0..<50 {
            feeding.play(frames: 10, gop: 10, bytes: 1000)
            #expect(feeding.ring.byteCount <= 50_000)
        }
        #expect(feeding.ring.record(at: feeding.ring.oldest)?.unit?.isKey == true)
        #expect(feeding.ring.droppedRecords > 0)
    }

    @Test("never more than the limit of time")
    func timeLimit() {
        var feeding = Feeding(limits: .init(span: .seconds(4)))
        _ = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        feeding.play(frames: 500, gop: 25)
        #expect(feeding.ring.next - feeding.ring.oldest <= 2 * 101)
    }

    @Test("a GOP that never ends stays within the limit too")
    func endlessGOP() {
        var feeding = Feeding(limits: .init(bytes: 20_000))
        feeding.play(frames: 2000, gop: 100_000)
        #expect(feeding.ring.byteCount <= 20_000)
    }
}

@Suite("A consumer of a feed")
struct FeedCursorTests {
    @Test("is told the room's state before its first unit, which is the key frame held")
    func snapshotFirst() {
        var feeding = Feeding()
        feeding.play(frames: 40, gop: 30)
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        let records = cursor.drain(feeding.ring)
        let units = records.compactMap(\.unit)
        #expect(records.prefix(6).compactMap(\.event).count == 6)
        #expect(units.first?.isKey == true && units.first?.dts == 1200)
        #expect(units.count == 20)
    }

    @Test("gets only the tracks that it selects, and those published later")
    func selection() {
        var feeding = Feeding()
        var cursor = FeedCursor(
            on: &feeding.ring, selection: .tracks(["TR_a", "TR_new"]), start: .gop, isDurable: false)
        feeding.play(frames: 3, gop: 3)
        feeding.publish(TrackNumber(rawValue: 5), "TR_new", .audio, .microphone)
        feeding.unit(TrackNumber(rawValue: 5))
        let tracks = cursor.drain(feeding.ring).compactMap(\.unit?.track.rawValue)
        #expect(tracks == [2, 2, 2, 5])
    }

    @Test("that resumes gets the next position and nothing twice")
    func resume() {
        var feeding = Feeding()
        var first = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        feeding.play(frames: 50, gop: 10)
        let seen = first.drain(feeding.ring)
        first.acknowledge(before: 30, in: &feeding.ring)
        feeding.play(frames: 10, gop: 10)
        var second = FeedCursor(on: &feeding.ring, selection: .all, start: .position(30), isDurable: true)
        first.end(in: &feeding.ring)
        let again = second.drain(feeding.ring)
        #expect(again.contains { if case .missed = $0.event { true } else { false } } == false)
        let positions = Set(seen.filter { $0.position < 30 && $0.unit != nil }.map(\.position))
            .union(again.filter { $0.unit != nil }.map(\.position))
        #expect(positions.count == 120)
    }

    @Test("that comes too late is told what it missed, and goes on at a key frame")
    func missed() {
        var feeding = Feeding(limits: .init(bytes: 10_000))
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .gop, isDurable: true)
        feeding.play(frames: 300, gop: 10, bytes: 400)
        let records = cursor.drain(feeding.ring)
        guard
            case .missed(let from, let to)? = records.compactMap(\.event).first(where: {
                if case .missed = $0 { true } else { false }
            })
        else {
            Issue.record("no missed event")
            return
        }
        #expect(from < to && to == feeding.ring.oldest)
        #expect(records.compactMap(\.unit).first?.isKey == true)
    }

    @Test("that is live and lags two seconds is cut to the latest key frame")
    func liveCut() {
        var feeding = Feeding()
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .live, isDurable: false)
        var holder = FeedCursor(on: &feeding.ring, selection: .all, start: .live, isDurable: true)
        feeding.play(frames: 130, gop: 25)
        let units = cursor.drain(feeding.ring).compactMap(\.unit)
        #expect(units.first?.dts == 5000)
        #expect(holder.drain(feeding.ring).compactMap(\.unit).count == 260)
    }
}
