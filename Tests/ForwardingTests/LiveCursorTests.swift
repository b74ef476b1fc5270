import Feed
import Forwarding
import Testing

@Suite("A live consumer that comes round now and then")
struct LiveCursorTests {
    @Test("loses nothing when several GOPs end between its turns")
    func shortGOPs() {
        var feeding = Feeding()
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .live, isDurable: false)
        var units = 0
        for _ in 0..<50 {
            feeding.play(frames: 6, gop: 2)
            units += cursor.drain(feeding.ring).compactMap(\.unit).count
            cursor.turnEnded(in: &feeding.ring)
        }
        #expect(units == 50 * 12)
    }

    @Test("gets the sound of a room without a picture")
    func soundAlone() {
        var feeding = Feeding()
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .live, isDurable: false)
        _ = cursor.drain(feeding.ring)
        for _ in 0..<10 {
            feeding.unit(Feeding.audio, key: true)
            feeding.milliseconds += 21
        }
        #expect(cursor.drain(feeding.ring).compactMap(\.unit).count == 10)
    }

    @Test("has two seconds held for it, and no more")
    func bounded() {
        var feeding = Feeding()
        var cursor = FeedCursor(on: &feeding.ring, selection: .all, start: .live, isDurable: false)
        feeding.play(frames: 500, gop: 5)
        #expect(feeding.ring.next - feeding.ring.oldest <= 104)
        cursor.end(in: &feeding.ring)
        #expect(feeding.ring.next - feeding.ring.oldest == 10)
        _ = cursor.next(in: feeding.ring)
    }
}

@Suite("A consumer that lags behind who has left")
struct SelectionTests {
    static let selections: [Subscribe.Selection] = [
        .participant(identity: "alice", screenShare: false), .tracks(["TR_x"]), .all,
    ]

    @Test("still gets their units", arguments: selections)
    func left(selection: Subscribe.Selection) {
        var feeding = Feeding()
        var cursor = FeedCursor(on: &feeding.ring, selection: selection, start: .live, isDurable: true)
        let alice = ParticipantNumber(rawValue: 20)
        let track = TrackNumber(rawValue: 21)
        feeding.event(.joined(ParticipantInfo(number: alice, id: "PA_2", identity: "alice", name: "")))
        feeding.event(
            .published(
                TrackInfo(
                    number: track, id: "TR_x", participant: alice, kind: .audio, source: .microphone, form: .units)))
        for _ in 0..<3 { feeding.unit(track, key: true) }
        feeding.event(.unpublished(track))
        feeding.event(.left(alice))
        #expect(cursor.drain(feeding.ring).compactMap(\.unit).count == 3)
    }
}
