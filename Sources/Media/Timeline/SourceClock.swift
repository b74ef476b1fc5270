import Timing

/// Maps the stamps of one source clock (an RTMP publisher, a file) onto room time by the lower envelope of
/// arrival − stamp over ten seconds, so that jitter of the network cannot enter (DESIGN section 3).
///
/// All times are nanoseconds. One map serves all tracks of the source; what is a jump is seen in each track by itself,
/// since tracks come interleaved, seconds apart.
public struct SourceClock: Sendable {
    /// A stamp that runs ahead of its arrival by more than this is a jump, not jitter.
    public static let forwardJump = Duration.seconds(3)
    /// A stamp that falls back by more than this is a jump.
    public static let backwardJump = Duration.milliseconds(500)
    // Nanoseconds, since a Duration is converted by a division of 128 bits.
    private static let forwardNanoseconds = forwardJump.nanoseconds
    private static let backwardNanoseconds = backwardJump.nanoseconds
    /// The most that the map moves per nanosecond of source time, in parts per million.
    static let slewLimit: Int64 = 500

    public struct Mapped: Equatable, Sendable {
        /// The stamp on the room's clock.
        public var roomTime: Int64
        /// Set when the map was anchored anew at this stamp: room time = stamp + offset from here on.
        public var anchoredOffset: Int64?
    }

    private struct Anchor {
        var offset: Int64
        /// The greatest stamp, and when the last one of the source came.
        var lastStamp: Int64
        var lastArrival: Int64
        var number: Int
    }

    /// The last stamp of one track, and the anchor by which it was mapped.
    private struct Lane {
        let track: Int
        var stamp: Int64
        var arrival: Int64
        var offset: Int64
        var anchor: Int
    }

    private var anchor: Anchor?
    /// So few that a search is faster than a table.
    private var lanes: [Lane] = []
    /// Of arrival − stamp.
    private var envelope = LowerEnvelope()

    public init() {}

    /// Forgets the source's clock: the next stamp anchors anew. For a new publication on the same participant.
    public mutating func restart() {
        anchor = nil
        lanes.removeAll(keepingCapacity: true)
        envelope.removeAll()
    }

    /// Takes one stamp and its arrival, both in nanoseconds, and gives its place on the room's clock.
    /// - Parameter track: any number that tells the source's tracks apart, a few in all.
    public mutating func map(stamp: Int64, arrival: Int64, track: Int = 0) -> Mapped {
        guard let known = anchor else {
            return anchorAnew(stamp: stamp, roomTime: arrival, arrival: arrival, track: track, number: 0)
        }
        let index = lanes.firstIndex { $0.track == track }
        let lane = index.map { lanes[$0] }
        if let index, let lane, follows(stamp, lane, at: arrival) {
            if lane.anchor == known.number { return follow(stamp, arrival, track, known) }
            if !fits(stamp, known, at: arrival) {  // the rest of what was sent before another track jumped
                lanes[index].stamp = stamp
                lanes[index].arrival = arrival
                return Mapped(roomTime: stamp &+ lane.offset, anchoredOffset: nil)
            }
        }
        if lane?.anchor != known.number, fits(stamp, known, at: arrival) {
            return follow(stamp, arrival, track, known)
        }
        let roomTime = known.lastStamp &+ known.offset &+ max(0, arrival &- known.lastArrival)
        return anchorAnew(stamp: stamp, roomTime: roomTime, arrival: arrival, track: track, number: known.number &+ 1)
    }

    /// Whether `stamp` goes on from the last one of its track.
    private func follows(_ stamp: Int64, _ lane: Lane, at arrival: Int64) -> Bool {
        let step = stamp &- lane.stamp
        return step >= -Self.backwardNanoseconds && step &- (arrival &- lane.arrival) <= Self.forwardNanoseconds
    }

    /// Whether `stamp` stands by the present anchor about where the room is.
    private func fits(_ stamp: Int64, _ anchor: Anchor, at arrival: Int64) -> Bool {
        let ahead = stamp &- anchor.lastStamp &- max(0, arrival &- anchor.lastArrival)
        return -Self.forwardNanoseconds...Self.forwardNanoseconds ~= ahead
    }

    private mutating func follow(_ stamp: Int64, _ arrival: Int64, _ track: Int, _ known: Anchor) -> Mapped {
        var known = known
        envelope.observe(arrival &- stamp, at: arrival)
        let step = stamp &- known.lastStamp
        if step > 0 {
            let wanted = (envelope.minimum ?? known.offset) &- known.offset
            let most = step / 1_000_000 &* Self.slewLimit
            known.offset &+= min(max(wanted, -most), most)
            known.lastStamp = stamp
        }
        known.lastArrival = arrival
        anchor = known
        note(Lane(track: track, stamp: stamp, arrival: arrival, offset: known.offset, anchor: known.number))
        return Mapped(roomTime: stamp &+ known.offset, anchoredOffset: nil)
    }

    private mutating func anchorAnew(
        stamp: Int64, roomTime: Int64, arrival: Int64, track: Int, number: Int
    ) -> Mapped {
        envelope.removeAll()
        let offset = roomTime &- stamp
        envelope.observe(arrival &- stamp, at: arrival)
        anchor = Anchor(offset: offset, lastStamp: stamp, lastArrival: arrival, number: number)
        note(Lane(track: track, stamp: stamp, arrival: arrival, offset: offset, anchor: number))
        return Mapped(roomTime: roomTime, anchoredOffset: offset)
    }

    private mutating func note(_ lane: Lane) {
        if let index = lanes.firstIndex(where: { $0.track == lane.track }) {
            lanes[index] = lane
        } else {
            lanes.append(lane)
        }
    }
}
