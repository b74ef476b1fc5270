public import Feed
import Timing

/// One consumer's place in a room's feed: what it is to be given next.
///
/// First comes the state of the room at its start, as events; then the records that it selects, in order. A durable
/// consumer is registered with the ring, so that the ring holds what it has not acknowledged.
public struct FeedCursor: Sendable {
    public let selection: Subscribe.Selection
    public private(set) var position: UInt64
    /// The ring's number of a durable consumer.
    public let retention: Int?
    /// The ring's number of a live one.
    private let follower: Int?
    private var pending: [Record]
    private var selected: Set<TrackNumber>
    /// Who is selected by identity, of those that this consumer saw come: it may be behind their leaving.
    private var members: Set<ParticipantNumber> = []

    /// Begins at `start`. When `start` is a position that the ring no longer holds, a `missed` event comes first.
    public init(
        on ring: inout FeedRing, selection: Subscribe.Selection, start: Subscribe.Start, isDurable: Bool
    ) {
        self.selection = selection
        let wanted = ring.position(for: start, of: selection)
        position = max(wanted, ring.oldest)
        retention = isDurable ? ring.retain(from: position) : nil
        follower = isDurable ? nil : ring.follow(from: position)
        let state = ring.state(before: position)
        let time = ring.record(at: position)?.time ?? 0
        let start = position
        pending = state.snapshot.map { Record(position: start, time: time, body: .event($0)) }
        if wanted < position {
            pending.append(Record(position: position, time: time, body: .event(.missed(from: wanted, to: position))))
        }
        selected = Set(state.tracks(in: selection).map(\.info.number))
        for participant in state.participants.values { note(participant) }
    }

    /// The next record for this consumer, or `nil` at the live edge.
    public mutating func next(in ring: FeedRing) -> Record? {
        if !pending.isEmpty { return pending.removeFirst() }
        if position < ring.oldest { return skip(to: ring.oldest, in: ring) }
        if retention == nil, let cut = liveCut(in: ring) { return skip(to: cut, in: ring) }
        while let record = ring.record(at: position) {
            position += 1
            switch record.body {
            case .event(.published(let info)):
                if selects(info) { selected.insert(info.number) }
                return record
            case .event(.joined(let participant)):
                note(participant)
                return record
            case .event: return record
            case .unit(let unit): if selected.contains(unit.track) { return record }
            case .packet(let packet): if selected.contains(packet.track) { return record }
            }
        }
        return nil
    }

    /// The consumer has made everything before `position` safe.
    public func acknowledge(before position: UInt64, in ring: inout FeedRing) {
        if let retention { ring.acknowledge(retention, before: position) }
    }

    /// The consumer has been given all that was due: a live one needs no more of it.
    public func turnEnded(in ring: inout FeedRing) {
        if let follower { ring.advance(follower, to: position) }
    }

    /// The consumer is gone: the ring holds nothing for it any more.
    public func end(in ring: inout FeedRing) {
        for consumer in [retention, follower] { consumer.map { ring.release($0) } }
    }

    private mutating func note(_ participant: ParticipantInfo) {
        if case .participant(participant.identity, _) = selection { members.insert(participant.number) }
    }

    private func selects(_ info: TrackInfo) -> Bool {
        switch selection {
        case .all: true
        case .tracks(let ids): ids.contains(info.id)
        case .participant(_, let screenShare): members.contains(info.participant) && info.isScreenShare == screenShare
        }
    }

    /// Where a live consumer that lags is cut to, if it does and there is a later key frame.
    private func liveCut(in ring: FeedRing) -> UInt64? {
        guard let here = ring.record(at: position), ring.next > 0, let newest = ring.record(at: ring.next - 1),
            newest.time &- here.time > ring.limits.liveLag.nanoseconds,
            let cut = ring.cutPosition(of: selection), cut > position
        else { return nil }
        return cut
    }

    /// Jumps to `target` with a `missed` event and the room's state there, since events were skipped too.
    private mutating func skip(to target: UInt64, in ring: FeedRing) -> Record {
        let from = position
        let state = ring.state(before: target)
        let time = ring.record(at: target)?.time ?? 0
        pending = state.snapshot.map { Record(position: target, time: time, body: .event($0)) }
        selected.formUnion(state.tracks(in: selection).map(\.info.number))
        for participant in state.participants.values { note(participant) }
        position = target
        return Record(position: target, time: time, body: .event(.missed(from: from, to: target)))
    }
}
