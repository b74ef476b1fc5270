import Bytes
import Timing

/// How one source is received (RFC 3550 section 6.4.1).
public struct ReportBlock: Equatable, Sendable {
    public var ssrc: UInt32
    /// Of the packets since the last report, in 256ths.
    public var fractionLost: UInt8 = 0
    /// Since the beginning, 24 bits with a sign: duplicates count against losses.
    public var cumulativeLost: Int32 = 0
    /// With the count of cycles in the upper half.
    public var highestSequenceNumber: UInt32 = 0
    /// Interarrival jitter, in ticks of the stream's clock.
    public var jitter: UInt32 = 0
    /// ``NTPTimestamp/compact`` of the last sender report; 0 if none came.
    public var lastSenderReport: UInt32 = 0
    /// In 1/65 536 s.
    public var delaySinceLastSenderReport: UInt32 = 0

    static let byteCount = 24

    public init(ssrc: UInt32) { self.ssrc = ssrc }

    init?(_ body: inout ByteReader) {
        guard let ssrc = body.uint32(), let fraction = body.uint8(), let lost = body.uint24(),
            let highest = body.uint32(), let jitter = body.uint32(), let last = body.uint32(), let delay = body.uint32()
        else { return nil }
        self.ssrc = ssrc
        fractionLost = fraction
        cumulativeLost = Int32(bitPattern: lost << 8) >> 8
        (highestSequenceNumber, self.jitter) = (highest, jitter)
        (lastSenderReport, delaySinceLastSenderReport) = (last, delay)
    }

    func write(into bytes: inout [UInt8]) {
        bytes.append(uint32: ssrc)
        bytes.append(fractionLost)
        bytes.append(uint24: UInt32(bitPattern: max(-0x80_0000, min(cumulativeLost, 0x7F_FFFF))) & 0xFF_FFFF)
        for field in [highestSequenceNumber, jitter, lastSenderReport, delaySinceLastSenderReport] {
            bytes.append(uint32: field)
        }
    }

    /// The round trip to who wrote the block (section 6.4.1, figure 2); `nil` before it saw a sender report, and if its
    /// fields make none.
    /// - Parameter now: the time of arrival on the clock of our sender reports.
    public func roundTripTime(at now: NTPTimestamp) -> Duration? {
        guard lastSenderReport != 0 else { return nil }
        let trip = now.compact &- lastSenderReport &- delaySinceLastSenderReport
        guard trip < 0x8000_0000 else { return nil }  // before its time: a clock moved, or the peer makes it up
        return .nanoseconds(Int64(trip) * 1_000_000_000 / 65_536)
    }
}

/// What a sender says of its stream, and how it receives (RFC 3550 section 6.4.1).
public struct SenderReport: Equatable, Sendable {
    public var ssrc: UInt32
    /// The same instant on the sender's wall clock and on the stream's.
    public var ntp: NTPTimestamp
    public var timestamp: UInt32
    public var packetCount: UInt32
    /// Payload only.
    public var octetCount: UInt32
    /// At most 31.
    public var blocks: [ReportBlock]

    public init(
        ssrc: UInt32, ntp: NTPTimestamp, timestamp: UInt32, packetCount: UInt32, octetCount: UInt32,
        blocks: [ReportBlock] = []
    ) {
        (self.ssrc, self.ntp, self.timestamp) = (ssrc, ntp, timestamp)
        (self.packetCount, self.octetCount, self.blocks) = (packetCount, octetCount, blocks)
    }

    init?(blocks count: Int, _ body: inout ByteReader) {
        guard let ssrc = body.uint32(), let ntp = body.uint64(), let timestamp = body.uint32(),
            let packets = body.uint32(), let octets = body.uint32(), let blocks = ReportBlock.list(count, &body)
        else { return nil }
        self.init(
            ssrc: ssrc, ntp: NTPTimestamp(bits: ntp), timestamp: timestamp, packetCount: packets, octetCount: octets,
            blocks: blocks)
    }

    func writeBody(into bytes: inout [UInt8]) -> UInt8 {
        bytes.append(uint32: ssrc)
        bytes.append(uint64: ntp.bits)
        for field in [timestamp, packetCount, octetCount] { bytes.append(uint32: field) }
        return ReportBlock.write(blocks, into: &bytes)
    }
}

/// How a participant that sends nothing receives (RFC 3550 section 6.4.2).
public struct ReceiverReport: Equatable, Sendable {
    /// Of who reports.
    public var ssrc: UInt32
    /// At most 31.
    public var blocks: [ReportBlock]

    public init(ssrc: UInt32, blocks: [ReportBlock] = []) { (self.ssrc, self.blocks) = (ssrc, blocks) }

    init?(blocks count: Int, _ body: inout ByteReader) {
        guard let ssrc = body.uint32(), let blocks = ReportBlock.list(count, &body) else { return nil }
        self.init(ssrc: ssrc, blocks: blocks)
    }

    func writeBody(into bytes: inout [UInt8]) -> UInt8 {
        bytes.append(uint32: ssrc)
        return ReportBlock.write(blocks, into: &bytes)
    }
}

extension ReportBlock {
    /// `nil` if the body does not hold them all. What follows the blocks is a profile's own, and is passed over.
    fileprivate static func list(_ count: Int, _ body: inout ByteReader) -> [ReportBlock]? {
        guard body.remaining >= count * byteCount else { return nil }
        return (0..<count).compactMap { _ in ReportBlock(&body) }
    }

    fileprivate static func write(_ blocks: [ReportBlock], into bytes: inout [UInt8]) -> UInt8 {
        for block in blocks.prefix(31) { block.write(into: &bytes) }
        return UInt8(min(31, blocks.count))
    }
}
