import Timeline

/// A browser that publishes sound and a picture over a bad network, by a seed: it gives what arrives, in the order in which
/// it does, and knows what it lost.
struct PacketPublisher {
    struct Conditions: Sendable {
        var lossPercent: Double
        /// The sound's sample clock against the sender's, and the sender's clock against the room's, in parts per million.
        var soundRate: Double
        var senderRate: Double
    }

    enum Event {
        case packet(PacketTimeline<Int64>.Header, track: Int)
        case report(ssrc: UInt32, ntp: UInt64, timestamp: UInt32, track: Int)
    }

    struct Arrival {
        var at: Int64
        var order: Int
        /// When it was captured, by the room's clock.
        var captured: Int64
        var event: Event
        /// It was sent before.
        var isCopy = false
    }

    /// Packets that were lost one after another.
    struct Hole: Equatable {
        var track: Int
        var ssrc: UInt32
        var first: UInt16
        var count: Int
    }

    private struct Stream {
        var ssrc: UInt32
        var sequence: UInt16
        var timestampBase: UInt32
        /// Lost since the last that was sent; `nil` until one came through.
        var lost: Int?
    }

    static let sound = 0
    static let picture = 1
    static let ticks: [Int64] = [48_000, 90_000]

    private let conditions: Conditions
    private var random: Seeded
    private var streams: [Stream]
    /// Two layers of the picture, of which one is sent on.
    private var layers: [Stream]
    private var layer = 0
    private var nextSound: Int64 = 0
    private var nextPicture: Int64 = 60 * second  // the second track comes late
    private var nextReports: [Int64] = [second, 61 * second]
    private var nextBlackout: Int64
    private var nextSwitch: Int64 = 37 * 60 * second
    private var order = 0
    private(set) var blackouts = 0
    private(set) var holes: [Hole] = []

    init(seed: UInt64, _ conditions: Conditions) {
        self.conditions = conditions
        random = Seeded(seed)
        streams = [Stream(ssrc: 1000, sequence: 65_500, timestampBase: .max - 48_000 * 90)]
        layers = [2000, 3000].map {
            Stream(ssrc: $0, sequence: 65_000, timestampBase: .max - 90_000 * 300 &- UInt32($0))
        }
        nextBlackout = 200 * second + random.below(300 * second)
    }

    /// Holes that were stated are forgotten.
    mutating func takeHoles() -> [Hole] {
        defer { holes = [] }
        return holes
    }

    /// What is sent up to `end` (room time).
    mutating func send(upTo end: Int64, into arrivals: inout [Arrival]) {
        while min(nextSound, nextPicture) < end {
            if nextSound <= nextPicture { sendSound(into: &arrivals) } else { sendPicture(into: &arrivals) }
        }
    }

    /// The sender's clock, near its wrap of 2036; and a sample clock on it.
    private func sender(_ time: Int64) -> Int64 { time + Int64(Double(time) * conditions.senderRate / 1e6) }
    private func samples(_ time: Int64, _ track: Int) -> Int64 {
        let rate = track == Self.sound ? conditions.soundRate : 0
        let here = sender(time)
        let exact = here + Int64(Double(here) * rate / 1e6)
        let (whole, rest) = exact.quotientAndRemainder(dividingBy: second)
        return whole * Self.ticks[track] + rest * Self.ticks[track] / second
    }

    private func isMuted(_ time: Int64) -> Bool { time % (50 * 60 * second) >= 49 * 60 * second + 30 * second }

    private mutating func sendSound(into arrivals: inout [Arrival]) {
        let time = nextSound
        nextSound += 20 * millisecond
        report(streams[0], Self.sound, every: 5 * second, at: time, into: &arrivals)
        guard !isMuted(time) else { return }
        var stream = streams[0]
        put(&stream, Self.sound, at: time, sentAt: time + 5 * millisecond, into: &arrivals)
        streams[0] = stream
    }

    private mutating func sendPicture(into arrivals: inout [Arrival]) {
        let time = nextPicture
        nextPicture += second / 30
        if time >= nextSwitch {  // another layer of simulcast: what was lost last of the old one cannot be known
            nextSwitch += 37 * 60 * second
            layers[layer].lost = nil
            layer = 1 - layer
            layers[layer].lost = nil
        }
        report(layers[layer], Self.picture, every: second, at: time, into: &arrivals)
        report(layers[1 - layer], Self.picture, every: 0, at: time, into: &arrivals)
        var stream = layers[layer]
        for piece in 0..<2 {
            put(&stream, Self.picture, at: time, sentAt: time + (10 + Int64(piece)) * millisecond, into: &arrivals)
        }
        layers[layer] = stream
    }

    private mutating func put(
        _ stream: inout Stream, _ track: Int, at time: Int64, sentAt sent: Int64, into arrivals: inout [Arrival]
    ) {
        let header = PacketTimeline<Int64>.Header(
            sequenceNumber: stream.sequence,
            timestamp: stream.timestampBase &+ UInt32(truncatingIfNeeded: samples(time, track)), ssrc: stream.ssrc)
        stream.sequence &+= 1
        guard !isLost(at: time) else {
            stream.lost = stream.lost.map { $0 + 1 }
            return
        }
        if let lost = stream.lost, lost > 0 {
            holes.append(
                Hole(
                    track: track, ssrc: stream.ssrc, first: header.sequenceNumber &- UInt16(truncatingIfNeeded: lost),
                    count: lost))
        }
        stream.lost = 0
        // The first of a stream is never overtaken: what comes before it would be of no sequence.
        let isCalm = time % (37 * 60 * second) < second || time < 61 * second && track == Self.picture || time < second
        deliver(.packet(header, track: track), captured: time, at: sent + delay(isCalm: isCalm), into: &arrivals)
        if random.chance(0.5) {
            deliver(
                .packet(header, track: track), captured: time, at: sent + 150 * millisecond, isCopy: true,
                into: &arrivals)
        }
    }

    private mutating func isLost(at time: Int64) -> Bool {
        if time > nextBlackout + 2 * second {
            blackouts += 1
            nextBlackout = time + 600 * second + random.below(1200 * second)
        }
        return time >= nextBlackout && time < nextBlackout + 2 * second || random.chance(conditions.lossPercent)
    }

    /// 40 ms, and up to 30 ms of jitter; two in a hundred are overtaken by what comes after them.
    private mutating func delay(isCalm: Bool) -> Int64 {
        if isCalm { return 40 * millisecond }
        return (40 + random.below(30) + (random.chance(2) ? 60 : 0)) * millisecond
    }

    private mutating func report(
        _ stream: Stream, _ track: Int, every interval: Int64, at time: Int64, into arrivals: inout [Arrival]
    ) {
        if interval > 0 {
            guard time >= nextReports[track] else { return }
            nextReports[track] = time + interval
        } else {
            guard time % (2 * second) < second / 30 else { return }
        }
        let lateness = random.chance(3) ? 3 * second : random.below(40) * millisecond
        let fate = random.chance(10)
        guard !fate else { return }
        let clock = sender(time)
        let seconds = UInt64(UInt32(truncatingIfNeeded: Int64(UInt32.max) - 1800 + clock / second))
        let fraction = UInt64(clock % second) << 32 / UInt64(second)
        deliver(
            .report(
                ssrc: stream.ssrc, ntp: seconds << 32 | fraction,
                timestamp: stream.timestampBase &+ UInt32(truncatingIfNeeded: samples(time, track)), track: track),
            captured: time, at: time + 45 * millisecond + lateness, into: &arrivals)
    }

    private mutating func deliver(
        _ event: Event, captured: Int64, at arrival: Int64, isCopy: Bool = false, into arrivals: inout [Arrival]
    ) {
        order += 1
        arrivals.append(Arrival(at: arrival, order: order, captured: captured, event: event, isCopy: isCopy))
    }
}
