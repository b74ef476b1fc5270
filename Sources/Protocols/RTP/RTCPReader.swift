import Bytes

/// Reads the packets of one RTCP datagram in turn, compound or of reduced size (RFC 3550 section 6.1, RFC 5506).
///
/// Each packet is read within its own length. What is malformed ends the datagram: what came before stands.
public struct RTCPReader: ~Escapable {
    private let datagram: Span<UInt8>
    private var offset = 0

    /// - Parameter datagram: one whole UDP payload after SRTCP.
    @_lifetime(copy datagram)
    public init(_ datagram: Span<UInt8>) { self.datagram = datagram }

    /// The next packet; `nil` at the end, and behind an error.
    /// - Throws: ``RTPError``
    public mutating func next() throws(RTPError) -> RTCPPacket? {
        guard offset < datagram.count else { return nil }
        let start = offset
        offset = datagram.count  // unless this packet is sound
        guard datagram.count - start >= 4 else { throw .truncated(needed: 4, had: datagram.count - start) }
        let first = datagram[start]
        guard first >> 6 == 2 else { throw .unsupportedVersion(first >> 6) }
        let length = 4 + 4 * Int(datagram.uint16(at: start + 2))
        guard datagram.count - start >= length else { throw .truncated(needed: length, had: datagram.count - start) }
        var end = start + length
        if first & 0x20 != 0 {
            let padding = datagram[end - 1]
            guard padding > 0, padding % 4 == 0, Int(padding) <= length - 4 else { throw .invalidPadding(padding) }
            end -= Int(padding)
        }
        var body = ByteReader(datagram.extracting(start + 4..<end))
        let type = datagram[start + 1]
        let packet = Self.packet(type, count: first & 0x1F, &body)
        guard let packet else { throw .malformed(packetType: type) }
        offset = start + length
        return packet
    }

    private static func packet(_ type: UInt8, count: UInt8, _ body: inout ByteReader) -> RTCPPacket? {
        switch (type, count) {
        case (RTCPPacket.PacketType.senderReport, _):
            return SenderReport(blocks: Int(count), &body).map { .senderReport($0) }
        case (RTCPPacket.PacketType.receiverReport, _):
            return ReceiverReport(blocks: Int(count), &body).map { .receiverReport($0) }
        case (RTCPPacket.PacketType.sourceDescription, _):
            return SourceDescription.chunks(Int(count), &body).map { .sourceDescription($0) }
        case (RTCPPacket.PacketType.goodbye, _):
            return Goodbye(sources: Int(count), &body).map { .goodbye($0) }
        case (RTCPPacket.PacketType.transportFeedback, RTCPPacket.Format.nack):
            return GenericNACK(&body).map { .nack($0) }
        case (RTCPPacket.PacketType.transportFeedback, RTCPPacket.Format.transportWide):
            return TransportFeedback(&body).map { .transportFeedback($0) }
        case (RTCPPacket.PacketType.payloadFeedback, RTCPPacket.Format.pictureLoss):
            guard let sender = body.uint32(), let media = body.uint32() else { return nil }
            return .pictureLossIndication(sender: sender, media: media)
        case (RTCPPacket.PacketType.payloadFeedback, RTCPPacket.Format.fullIntra):
            return FullIntraRequest(&body).map { .fullIntraRequest($0) }
        case (RTCPPacket.PacketType.payloadFeedback, RTCPPacket.Format.applicationLayer):
            return ReceiverEstimatedMaximumBitrate.packet(&body)
        default:
            return .other(type: type, format: count)
        }
    }
}
