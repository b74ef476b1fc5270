import Bytes

/// As much of an RTP header as protection needs (RFC 3711 section 3.1): all of it stays in the clear.
struct PacketHeader {
    let sequenceNumber: UInt16
    let ssrc: UInt32
    /// Bytes before the payload, header extension and all.
    let byteCount: Int

    /// - Parameter trailer: bytes that must follow the header.
    init(_ packet: Span<UInt8>, trailer: Int) throws(SRTPError) {
        guard packet.count >= 12 + trailer else { throw .tooShort(needed: 12 + trailer, had: packet.count) }
        guard packet[0] >> 6 == 2 else { throw .notRTP }
        var end = 12 + 4 * Int(packet[0] & 0x0F)
        if packet[0] & 0x10 != 0 {
            guard packet.count >= end + 4 else { throw .tooShort(needed: end + 4, had: packet.count) }
            end += 4 + 4 * Int(packet.uint16(at: end + 2))
        }
        guard packet.count >= end + trailer else { throw .tooShort(needed: end + trailer, had: packet.count) }
        sequenceNumber = packet.uint16(at: 2)
        ssrc = packet.uint32(at: 8)
        byteCount = end
    }
}
