import Timing

/// Maps the stamps of one source clock (an RTMP publisher, a file) onto room time by the lower envelope of
/// arrival − stamp over ten seconds, so that jitter of the network cannot enter (DESIGN section 3).
///
/// All times are nanoseconds. One map serves all tracks of the source.
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
        var lastStamp: Int64
        var lastArrival: Int64
    }

    private var anchor: Anchor?
    /// The least arrival − stamp of each of the last ten seconds, oldest first.
    private var envelope: [(second: Int64, least: Int64)] = []

    public init() {}

    /// Forgets the source's clock: the next stamp anchors anew. For a new publication on the same participant.
    public mutating func restart() {
        anchor = nil
        envelope.removeAll(keepingCapacity: true)
    }

    /// Takes one stamp and its arrival, both in nanoseconds, and gives its place on the room's clock.
    public mutating func map(stamp: Int64, arrival: Int64) -> Mapped {
        guard var known = anchor else { return anchorAnew(stamp: stamp, roomTime: arrival, arrival: arrival) }
        let stampStep = stamp &- known.lastStamp
        let arrivalStep = arrival &- known.lastArrival
        if stampStep < -Self.backwardNanoseconds || stampStep &- arrivalStep > Self.forwardNanoseconds {
            let roomTime = known.lastStamp &+ known.offset &+ max(0, arrivalStep)
            return anchorAnew(stamp: stamp, roomTime: roomTime, arrival: arrival)
        }
        observe(arrival &- stamp, at: arrival)
        if stampStep > 0 {
            let wanted = (envelope.lazy.map(\.least).min() ?? known.offset) &- known.offset
            let most = stampStep / 1_000_000 * Self.slewLimit
            known.offset &+= min(max(wanted, -most), most)
            known.lastStamp = stamp
        }
        known.lastArrival = arrival
        anchor = known
        return Mapped(roomTime: stamp &+ known.offset, anchoredOffset: nil)
    }

    private mutating func anchorAnew(stamp: Int64, roomTime: Int64, arrival: Int64) -> Mapped {
        envelope.removeAll(keepingCapacity: true)
        let offset = roomTime &- stamp
        observe(arrival &- stamp, at: arrival)
        anchor = Anchor(offset: offset, lastStamp: stamp, lastArrival: arrival)
        return Mapped(roomTime: roomTime, anchoredOffset: offset)
    }

    private mutating func observe(_ distance: Int64, at arrival: Int64) {
        let second = arrival / 1_000_000_000
        if let last = envelope.last, last.second == second {
            envelope[envelope.count - 1].least = min(last.least, distance)
        } else {
            envelope.append((second, distance))
            if envelope.count > 10 { envelope.removeFirst() }
        }
    }
}
