import Timing

/// Maps the RTP timestamps of one stream (one SSRC) onto its sender's clock by sender reports (RFC 3550 section 6.4.1).
///
/// Until the first report it is provisional: anchored where the stream's first packet came. A report never makes a step: what
/// it shows is taken up over two seconds, or longer, so that time goes on by 1 % faster or slower at most.
struct StreamClock: Sendable {
    /// A report this far from what is known must be borne out by the next one, in nanoseconds.
    private static let jumpLimit: Int64 = 1_000_000_000
    private static let correctionTime: Int64 = 2_000_000_000
    /// The rate is measured over this much of the sender's time.
    private static let shortestBaseline: Int64 = 20_000_000_000
    private static let longestBaseline: Int64 = 120_000_000_000
    private static let rateLimit = 0.002

    private struct Point: Sendable {
        var timestamp: Int64
        var time: Int64
    }

    /// The extended timestamps of the stream's packets and reports.
    var timestamps = ExtendedCounter<UInt32>()
    private let ticksPerSecond: Int64
    /// A point of the map as it is used, from which time goes on.
    private var base: Point
    /// How much more (or less) than its rate the time goes on by, and over how long.
    private var correction: Int64 = 0
    private var correctionSpan: Int64 = correctionTime
    /// Reports between which the rate is measured: the second becomes the first when it is old.
    private var first: Point?
    private var second: Point?
    private var last: Point?
    private var doubted: Int64?
    /// By how much the stream's clock is faster than nominal against its sender's, negated: 0.0002 is 200 ppm slow.
    private(set) var drift = 0.0
    var isProvisional: Bool { last == nil }

    init(ticksPerSecond: Int64, timestamp: Int64, time: Int64) {
        self.ticksPerSecond = max(1, ticksPerSecond)
        base = Point(timestamp: timestamp, time: time)
    }

    /// The sender's time of `timestamp`, in nanoseconds.
    func time(of timestamp: Int64) -> Int64 {
        let elapsed = nanoseconds(timestamp &- base.timestamp)
        let part = min(1, max(0, Double(elapsed) / Double(correctionSpan)))
        return base.time &+ elapsed &+ Int64(Double(elapsed) * drift) &+ Int64(Double(correction) * part)
    }

    /// Takes a report: at `time` of the sender's clock its timestamp was `timestamp`. One that comes out of order says
    /// nothing new.
    /// - Returns: by how much the sender's clock itself jumped, if it did.
    mutating func report(_ timestamp: Int64, time: Int64) -> Int64? {
        if let last, timestamp <= last.timestamp { return nil }
        let known = self.time(of: timestamp)
        let error = time &- known
        if last != nil, error.magnitude > Self.jumpLimit.magnitude {
            guard let doubted, (error &- doubted).magnitude < 100_000_000 else {
                doubted = error
                return nil
            }
            move(by: error)
            self.doubted = nil
            return error
        }
        doubted = nil
        base = Point(timestamp: timestamp, time: known)
        correction = error
        correctionSpan = max(Self.correctionTime, Int64(clamping: error.magnitude &* 100))
        measure(Point(timestamp: timestamp, time: time))
        return nil
    }

    /// The sender's clock jumped, or is known only now: every time moves with it.
    mutating func move(by nanoseconds: Int64) {
        base.time &+= nanoseconds
        (first, second, last) = (nil, nil, last)
    }

    private mutating func measure(_ point: Point) {
        last = point
        let from = first ?? point
        first = from
        let baseline = point.time &- from.time
        guard baseline >= Self.shortestBaseline else { return }
        let nominal = Double(nanoseconds(point.timestamp &- from.timestamp))
        guard nominal > 0 else { return }
        drift = min(Self.rateLimit, max(-Self.rateLimit, Double(baseline) / nominal - 1))
        guard baseline > Self.longestBaseline / 2 else { return }
        if let half = second {
            if baseline > Self.longestBaseline { (first, second) = (half, point) }
        } else {
            second = point
        }
    }

    private func nanoseconds(_ ticks: Int64) -> Int64 {
        let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: ticksPerSecond)
        return seconds &* 1_000_000_000 &+ rest &* 1_000_000_000 / ticksPerSecond
    }
}
