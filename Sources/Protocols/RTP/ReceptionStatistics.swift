public import Timing

/// What one stream's receiver reports of it (RFC 3550 appendices A.1, A.3 and A.8). Extended numbers are 64 bits wide.
public struct ReceptionStatistics: Sendable {
    /// A.1: a step further than that begins anew, if the next packet confirms it; so does one back beyond `maxMisorder`.
    public static let maxDropout: Int64 = 3000
    public static let maxMisorder: Int64 = 100

    public let ssrc: UInt32
    private let ticksPerSecond: Int64
    private var sequence = ExtendedCounter<UInt16>()
    private var base: Int64 = 0
    private var received: Int64 = 0
    private var expectedBefore: Int64 = 0
    private var receivedBefore: Int64 = 0
    /// What would follow a packet that stood far off.
    private var resumption: UInt16?
    private var transit: UInt32?
    /// In sixteenths of a tick.
    private var scaledJitter: UInt32 = 0
    private var senderReport: (compact: UInt32, arrival: Instant)?
    /// How often the numbers began anew.
    public private(set) var restarts = 0

    /// - Parameter ticksPerSecond: the clock rate of the stream's timestamps.
    public init(ssrc: UInt32, ticksPerSecond: Int64) {
        self.ssrc = ssrc
        self.ticksPerSecond = ticksPerSecond
    }

    /// Interarrival jitter, in ticks.
    public var jitter: UInt32 { scaledJitter >> 4 }
    public var receivedCount: Int64 { received }
    public var expectedCount: Int64 { sequence.furthest.map { $0 - base + 1 } ?? 0 }
    /// Under 0 when packets came twice.
    public var lostCount: Int64 { expectedCount - received }

    /// Takes a packet. Deviation: A.1 puts a new source on probation; here SRTP has authenticated it.
    /// - Returns: its extended sequence number; `nil` for one that stands far off, which is not counted until the next
    ///   packet follows it.
    @discardableResult
    public mutating func receive(sequenceNumber: UInt16, timestamp: UInt32, at now: Instant) -> Int64? {
        if let furthest = sequence.furthest {
            let step = sequence.place(sequenceNumber) - furthest
            if step > Self.maxDropout || step <= -Self.maxMisorder {
                guard sequenceNumber == resumption else {
                    resumption = sequenceNumber &+ 1
                    return nil
                }
                restart(at: sequenceNumber)
                restarts += 1
            }
        } else {
            restart(at: sequenceNumber)
        }
        resumption = nil
        received += 1
        measure(timestamp, at: now)
        return sequence.extend(sequenceNumber)
    }

    /// Takes a sender report of the stream.
    public mutating func receive(_ ntp: NTPTimestamp, at now: Instant) { senderReport = (ntp.compact, now) }

    /// A.3. The next report's `fractionLost` begins here.
    public mutating func report(at now: Instant) -> ReportBlock {
        var block = ReportBlock(ssrc: ssrc)
        let expected = expectedCount - expectedBefore
        let lost = expected - (received - receivedBefore)
        (expectedBefore, receivedBefore) = (expectedCount, received)
        if expected > 0, lost > 0 { block.fractionLost = UInt8(clamping: (lost << 8) / expected) }
        block.cumulativeLost = Int32(max(-0x80_0000, min(lostCount, 0x7F_FFFF)))
        block.highestSequenceNumber = UInt32(truncatingIfNeeded: sequence.furthest ?? 0)
        block.jitter = jitter
        if let senderReport {
            block.lastSenderReport = senderReport.compact
            block.delaySinceLastSenderReport = NTPTimestamp.compact(now - senderReport.arrival)
        }
        return block
    }

    private mutating func restart(at sequenceNumber: UInt16) {
        sequence = ExtendedCounter()
        base = Int64(sequenceNumber)
        (received, expectedBefore, receivedBefore) = (0, 0, 0)
        transit = nil
    }

    /// A.8, in integers as there.
    private mutating func measure(_ timestamp: UInt32, at now: Instant) {
        let (seconds, rest) = now.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let arrival = seconds &* ticksPerSecond &+ rest &* ticksPerSecond / 1_000_000_000
        let transit = UInt32(truncatingIfNeeded: arrival) &- timestamp
        defer { self.transit = transit }
        guard let before = self.transit else { return }
        let difference = Int32(bitPattern: transit &- before).magnitude
        scaledJitter = scaledJitter &+ difference &- (scaledJitter &+ 8) >> 4
    }
}
