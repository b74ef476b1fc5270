import Bytes

/// Whose datagram it is, by its first bytes (RFC 7983 section 7, RFC 5761 section 4).
public enum MultiplexedProtocol: Equatable, Sendable {
    case stun, dtls, rtp, rtcp

    /// `nil` for what belongs to none of them: drop it.
    public init?(of datagram: Span<UInt8>) {
        guard datagram.count >= 2 else { return nil }
        switch datagram[0] {
        case 0...3: self = .stun
        case 20...63: self = .dtls
        case 128...191: self = 192...223 ~= datagram[1] ? .rtcp : .rtp
        default: return nil
        }
    }
}
