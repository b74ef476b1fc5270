import Timing

/// Puts the packets of one participant in order and on the room's clock (DESIGN section 3): what a recorder of packet
/// tracks and a depacketiser stand on. It reads no bytes: the caller parses RTP and RTCP and says what was in them.
///
/// After **every** input drain ``pollOutput()`` until it says `wait`. Times are nanoseconds of room time. What is held is
/// bounded: 512 packets a track, 8 stream clocks a track.
public struct PacketTimeline<Payload: Sendable>: Sendable {
    /// The header fields of one RTP packet (RFC 3550 section 5.1) that time is made from.
    public struct Header: Equatable, Sendable {
        public var sequenceNumber: UInt16
        public var timestamp: UInt32
        public var ssrc: UInt32

        public init(sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32) {
            (self.sequenceNumber, self.timestamp, self.ssrc) = (sequenceNumber, timestamp, ssrc)
        }
    }

    public struct PlacedPacket: Sendable {
        public var track: Int
        public var ssrc: UInt32
        /// Extended, so that they never wrap.
        public var sequence: Int64
        public var timestamp: Int64
        /// When it was captured, as far as its sender says.
        public var roomTime: Int64
        public var payload: Payload
    }

    /// Packets of a stream that did not come in time.
    public struct Gap: Equatable, Sendable {
        public var track: Int
        public var ssrc: UInt32
        /// Extended sequence numbers.
        public var packets: Range<Int64>
        /// Room time of the packets before and behind it.
        public var from: Int64
        public var to: Int64
    }

    public enum Output: Sendable {
        case packet(PlacedPacket)
        /// Follows the packet behind it.
        case gap(Gap)
        case wait(until: Int64?)
    }

    public struct Statistics: Equatable, Sendable {
        public var duplicates: Int64 = 0
        public var late: Int64 = 0
        public var lost: Int64 = 0
        public var restarts: Int64 = 0

        public init() {}
    }

    public private(set) var statistics = Statistics()
    private var clock = SenderClock()
    private var seconds = ExtendedCounter<UInt32>()
    private var tracks: [Int: PacketTrack<Payload>] = [:]
    private var outputs: [Output] = []
    private var now: Int64 = .min

    public init() {}

    /// Packets that wait for their turn.
    public var heldCount: Int { tracks.values.reduce(outputs.count) { $0 + $1.heldCount } }
    /// Streams whose clocks are remembered.
    public var clockCount: Int { tracks.values.reduce(0) { $0 + $1.clockCount } }
    /// By how much the participant's clock is slower than the room's: 0.0002 is 200 ppm.
    public var drift: Double { clock.drift }

    // MARK: Inputs

    /// Takes a packet of `track`, whose clock has `ticksPerSecond`.
    public mutating func receive(
        _ header: Header, track: Int, ticksPerSecond: Int64, payload: Payload, at now: Int64
    ) {
        self.now = max(self.now, now)
        var known = tracks.removeValue(forKey: track) ?? PacketTrack(number: track, ticksPerSecond: ticksPerSecond)
        known.receive(header, payload, at: now, &clock, &statistics, &outputs)
        tracks[track] = known
    }

    /// Takes a sender report: at `ntp` (RFC 3550 section 4) of its sender's clock the stream's timestamp was `timestamp`.
    /// Reports of streams that send nothing (other layers of simulcast) are remembered.
    public mutating func report(
        ssrc: UInt32, ntp: UInt64, timestamp: UInt32, track: Int, ticksPerSecond: Int64, at now: Int64
    ) {
        self.now = max(self.now, now)
        let second = seconds.extend(UInt32(truncatingIfNeeded: ntp >> 32))
        let fraction = ((ntp & 0xFFFF_FFFF) &* 1_000_000_000) >> 32
        let time = second &* 1_000_000_000 &+ Int64(fraction)
        var known = tracks.removeValue(forKey: track) ?? PacketTrack(number: track, ticksPerSecond: ticksPerSecond)
        let change = known.report(ssrc, timestamp, time: time, at: now, &clock)
        tracks[track] = known
        guard let change else { return }
        for other in tracks.keys where other != track { tracks[other]?.moveClocks(by: change) }
    }

    /// Moves time forward: what was waited for long enough is lost.
    public mutating func advance(to now: Int64) {
        self.now = max(self.now, now)
        for track in tracks.keys.sorted() { tracks[track]?.drain(at: self.now, clock, &statistics, &outputs) }
    }

    /// The track ended: what is held goes out.
    public mutating func close(track: Int) {
        tracks[track]?.flush(at: now, clock, &statistics, &outputs)
        tracks[track] = nil
    }

    // MARK: Outputs

    /// The next that came of the inputs, oldest first; in order within each track. Call until it returns `wait`.
    public mutating func pollOutput() -> Output {
        if outputs.isEmpty { return .wait(until: tracks.values.compactMap(\.deadline).min()) }
        return outputs.removeFirst()
    }
}
