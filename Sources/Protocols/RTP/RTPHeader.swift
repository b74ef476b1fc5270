import Bytes

/// The header of one RTP packet (RFC 3550 section 5.1), and where its parts lie.
public struct RTPHeader: Equatable, Sendable {
    /// Bytes of the fixed part.
    public static let fixedByteCount = 12

    public var marker: Bool
    /// 7 bits.
    public var payloadType: UInt8
    public var sequenceNumber: UInt16
    /// In ticks of the codec's clock rate: 90 000 Hz for video, 48 000 Hz for Opus.
    public var timestamp: UInt32
    public var ssrc: UInt32
    /// Contributing sources; 0 to 15.
    public private(set) var csrcCount = 0
    /// `defined by profile` of the header extension (section 5.3.1); `nil` without one.
    public private(set) var extensionProfile: UInt16?
    /// The words of the header extension, behind its own four bytes.
    public private(set) var extensionRange = 0..<0
    /// The payload, without padding.
    public private(set) var payloadRange = 0..<0

    /// A header without contributing sources and extension, to be written.
    public init(marker: Bool, payloadType: UInt8, sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32) {
        (self.marker, self.payloadType, self.sequenceNumber) = (marker, payloadType, sequenceNumber)
        (self.timestamp, self.ssrc) = (timestamp, ssrc)
    }

    /// Reads the header of `packet`, one whole UDP payload after SRTP, without allocating.
    /// - Throws: ``RTPError``
    public init(parsing packet: Span<UInt8>) throws(RTPError) {
        guard packet.count >= Self.fixedByteCount else {
            throw .truncated(needed: Self.fixedByteCount, had: packet.count)
        }
        guard packet[0] >> 6 == 2 else { throw .unsupportedVersion(packet[0] >> 6) }
        marker = packet[1] & 0x80 != 0
        payloadType = packet[1] & 0x7F
        sequenceNumber = packet.uint16(at: 2)
        timestamp = packet.uint32(at: 4)
        ssrc = packet.uint32(at: 8)
        csrcCount = Int(packet[0] & 0x0F)

        var start = Self.fixedByteCount + 4 * csrcCount
        if packet[0] & 0x10 != 0 {
            guard packet.count >= start + 4 else { throw .truncated(needed: start + 4, had: packet.count) }
            extensionProfile = packet.uint16(at: start)
            extensionRange = start + 4..<start + 4 + 4 * Int(packet.uint16(at: start + 2))
            start = extensionRange.upperBound
        }
        guard packet.count >= start else { throw .truncated(needed: start, had: packet.count) }

        var end = packet.count
        if packet[0] & 0x20 != 0 {
            let padding = packet[end - 1]
            guard padding > 0, end - Int(padding) >= start else { throw .invalidPadding(padding) }
            end -= Int(padding)
        }
        payloadRange = start..<end
    }

    /// Bytes before the payload: the fixed part, the contributing sources and the extension.
    public var byteCount: Int { payloadRange.lowerBound }

    /// Appends the header, with `block` as its extension if it holds anything; no contributing sources, no padding.
    /// - Throws: ``RTPError/noRoom``, and then nothing is written.
    public func write(
        _ block: HeaderExtensionBlock = HeaderExtensionBlock(.oneByte), into output: inout OutputSpan<UInt8>
    ) throws(RTPError) {
        guard output.freeCapacity >= Self.fixedByteCount + block.byteCount else { throw .noRoom }
        output.append(block.isEmpty ? 0x80 : 0x90)
        output.append((marker ? 0x80 : 0) | payloadType & 0x7F)
        output.append(uint16: sequenceNumber)
        output.append(uint32: timestamp)
        output.append(uint32: ssrc)
        block.write(into: &output)
    }
}
