import Bytes
public import Timing

/// The packets that one stream sent last, to be sent again: a ring of bytes of a fixed size. Nothing allocates after
/// `init`.
public struct RetransmissionHistory: Sendable {
    private struct Entry {
        var sequenceNumber: UInt16 = 0
        var count = 0
        /// Of all bytes ever written; the place in the ring is its remainder.
        var position: Int64 = 0
        var instant = Instant(nanoseconds: 0)
    }

    private let maxAge: Duration
    private var bytes: [UInt8]
    private var entries: [Entry]
    private var written: Int64 = 0

    /// - Parameters:
    ///   - byteCount: of packets in all; a packet that is larger is not kept.
    ///   - packetCount: rounded up to a power of two, at most 32 768.
    ///   - maxAge: a packet that is older is not sent again.
    public init(byteCount: Int, packetCount: Int, maxAge: Duration = .seconds(1)) {
        bytes = [UInt8](repeating: 0, count: max(1, byteCount))
        var capacity = 1
        while capacity < min(packetCount, 32_768) { capacity *= 2 }
        entries = [Entry](repeating: Entry(), count: capacity)
        self.maxAge = maxAge
    }

    /// Keeps a copy of `packet`, in place of the oldest.
    public mutating func store(_ packet: Span<UInt8>, sequenceNumber: UInt16, at now: Instant) {
        let size = Int64(bytes.count)
        guard !packet.isEmpty, packet.count <= bytes.count else { return }
        let place = Int(written % size)
        if place + packet.count > bytes.count { written += size - Int64(place) }  // a packet is never cut
        let start = Int(written % size)
        var ring = bytes.mutableSpan
        ring.copy(packet, to: start)
        entries[index(of: sequenceNumber)] = Entry(
            sequenceNumber: sequenceNumber, count: packet.count, position: written, instant: now)
        written += Int64(packet.count)
    }

    /// Lends the packet of this number to `body`.
    /// - Returns: what `body` returns; `nil` if the packet was not kept, is too old or overwritten.
    public func withPacket<Result>(
        _ sequenceNumber: UInt16, at now: Instant, _ body: (Span<UInt8>) -> Result
    ) -> Result? {
        let entry = entries[index(of: sequenceNumber)]
        let size = Int64(bytes.count)
        guard entry.count > 0, entry.sequenceNumber == sequenceNumber, written - entry.position <= size,
            now <= entry.instant + maxAge
        else { return nil }
        let start = Int(entry.position % size)
        return body(bytes.span.extracting(start..<start + entry.count))
    }

    private func index(of sequenceNumber: UInt16) -> Int { Int(sequenceNumber) & (entries.count - 1) }
}

/// What one viewer may have sent again: requests cost it nothing and us much.
public struct RetransmissionLimit: Sendable {
    private let bytesPerSecond: Int64
    private let burst: Int64
    private var left: Int64
    private var since: Instant

    /// - Parameter burst: bytes that may go at once.
    public init(bytesPerSecond: Int64, burst: Int64, at now: Instant) {
        (self.bytesPerSecond, self.burst) = (max(0, bytesPerSecond), max(0, burst))
        (left, since) = (self.burst, now)
    }

    /// Whether `byteCount` may go now; if so they are taken.
    public mutating func take(_ byteCount: Int, at now: Instant) -> Bool {
        let passed = max(0, min((now - since).nanoseconds, 1_000_000_000))
        let (product, overflow) = bytesPerSecond.multipliedReportingOverflow(by: passed)
        let earned = overflow ? burst : product / 1_000_000_000
        if earned > 0 {
            left = min(burst, left + min(earned, burst))
            since = now
        }
        guard byteCount <= left else { return false }
        left -= Int64(byteCount)
        return true
    }
}
