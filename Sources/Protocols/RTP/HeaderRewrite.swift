import Bytes

/// What one receiver's copy of a packet says instead: written over the header in place, without allocating.
public struct HeaderRewrite: Equatable, Sendable {
    /// 7 bits.
    public var payloadType: UInt8
    public var sequenceNumber: UInt16
    public var timestamp: UInt32
    public var ssrc: UInt32

    public init(payloadType: UInt8, sequenceNumber: UInt16, timestamp: UInt32, ssrc: UInt32) {
        (self.payloadType, self.sequenceNumber) = (payloadType, sequenceNumber)
        (self.timestamp, self.ssrc) = (timestamp, ssrc)
    }

    /// Writes the four fields; the marker stays.
    /// - Parameter packet: one that ``RTPHeader/init(parsing:)`` takes.
    /// - Throws: ``RTPError/truncated(needed:had:)``, and then nothing is written.
    public func apply(to packet: inout MutableSpan<UInt8>) throws(RTPError) {
        guard packet.count >= RTPHeader.fixedByteCount else {
            throw .truncated(needed: RTPHeader.fixedByteCount, had: packet.count)
        }
        packet[1] = packet[1] & 0x80 | payloadType & 0x7F
        packet.set(uint16: sequenceNumber, at: 2)
        packet.set(uint32: timestamp, at: 4)
        packet.set(uint32: ssrc, at: 8)
    }
}

extension HeaderExtensionMap {
    /// Gives each element of the packet's header extension the id that it has in `other`. What `other` does not name, or
    /// what its form cannot name, becomes padding, so that the packet keeps its length.
    public func translate(to other: Self, in packet: inout MutableSpan<UInt8>, _ header: RTPHeader) {
        let isOneByte = header.extensionProfile == HeaderExtensionBlock.Form.oneByte.profile
        var offset = header.extensionRange.lowerBound
        while let element = Self.element(from: offset, packet.span, header) {
            offset = element.range.upperBound
            let id = known(element.id).flatMap { other[$0] } ?? 0
            if id == 0 || (isOneByte && id > 14) {
                for index in element.start..<element.range.upperBound { packet[index] = 0 }
            } else {
                packet[element.start] = isOneByte ? id << 4 | packet[element.start] & 0x0F : id
            }
        }
    }

    private static func element(
        from offset: Int, _ packet: Span<UInt8>, _ header: RTPHeader
    ) -> HeaderExtensionReader.Element? {
        var reader = HeaderExtensionReader(packet, header, from: offset)
        return reader.next()
    }
}

/// Padding (RFC 3550 section 5.1), for packets that are to have one length.
public enum RTPPadding {
    /// Makes the packet, which fills the first `count` bytes of `buffer`, longer by `added`: zeros and their count.
    /// - Returns: the new length.
    /// - Throws: ``RTPError/noRoom`` if the buffer ends before, or the padding would be over 255 bytes.
    public static func append(_ added: Int, to buffer: inout MutableSpan<UInt8>, count: Int) throws(RTPError) -> Int {
        guard added > 0 else { return count }
        guard count >= RTPHeader.fixedByteCount, added <= 255, count + added <= buffer.count else { throw .noRoom }
        let before = buffer[0] & 0x20 == 0 ? 0 : Int(buffer[count - 1])
        guard before + added <= 255 else { throw .noRoom }
        if before > 0 { buffer[count - 1] = 0 }
        for index in count..<count + added - 1 { buffer[index] = 0 }
        buffer[count + added - 1] = UInt8(before + added)
        buffer[0] |= 0x20
        return count + added
    }
}
