import Bytes

/// Retransmissions on a stream of their own (RFC 4588): the payload begins with the original sequence number.
public enum RTXPacket {
    /// Bytes of the original sequence number.
    public static let overhead = 2

    /// Makes the original of a retransmission in place: the header moves up over the original sequence number.
    /// - Parameters:
    ///   - packet: one whole RTP packet of the RTX stream.
    ///   - ssrc: of the original stream; so is `payloadType`.
    /// - Returns: where the original packet begins in `packet`: it ends where that ends. `nil` if it is only padding, as
    ///   senders probe with.
    /// - Throws: ``RTPError``
    public static func restore(
        _ packet: inout MutableSpan<UInt8>, _ header: RTPHeader, ssrc: UInt32, payloadType: UInt8
    ) throws(RTPError) -> Int? {
        let payload = header.payloadRange
        guard !payload.isEmpty else { return nil }
        guard payload.upperBound <= packet.count, payload.count >= overhead else {
            throw .truncated(needed: payload.lowerBound + overhead, had: payload.upperBound)
        }
        let sequenceNumber = packet.span.uint16(at: payload.lowerBound)
        for index in (0..<header.byteCount).reversed() { packet[index + overhead] = packet[index] }
        packet[overhead + 1] = (header.marker ? 0x80 : 0) | payloadType & 0x7F
        packet.set(uint16: sequenceNumber, at: overhead + 2)
        packet.set(uint32: ssrc, at: overhead + 8)
        return overhead
    }

    /// Appends the retransmission of `packet`; contributing sources and header extension are carried over, padding is not
    /// (section 4).
    /// - Parameter sequenceNumber: the next of the RTX stream; `ssrc` and `payloadType` are that stream's too.
    /// - Throws: ``RTPError``, and then nothing is written.
    public static func write(
        retransmitting packet: Span<UInt8>, ssrc: UInt32, payloadType: UInt8, sequenceNumber: UInt16,
        into output: inout OutputSpan<UInt8>
    ) throws(RTPError) {
        let header = try RTPHeader(parsing: packet)
        guard output.freeCapacity >= header.payloadRange.upperBound + overhead else { throw .noRoom }
        output.append(packet[0] & ~0x20)
        output.append((header.marker ? 0x80 : 0) | payloadType & 0x7F)
        output.append(uint16: sequenceNumber)
        output.append(uint32: header.timestamp)
        output.append(uint32: ssrc)
        output.append(copying: packet.extracting(RTPHeader.fixedByteCount..<header.byteCount))
        output.append(uint16: header.sequenceNumber)
        output.append(copying: packet.extracting(header.payloadRange))
    }
}
