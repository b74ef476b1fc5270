/// Why a packet of RTP or RTCP cannot be read or written. *Drop the packet and count it; the session goes on.*
public enum RTPError: Error, Equatable, Sendable {
    /// Bytes.
    case truncated(needed: Int, had: Int)
    case unsupportedVersion(UInt8)
    /// The count of padding octets is 0, or more than the packet has.
    case invalidPadding(UInt8)
    /// A field of an RTCP packet of this type contradicts its length or its standard.
    case malformed(packetType: UInt8)
    /// The buffer that was lent is too small, or a header extension does not fit its form.
    case noRoom
}
