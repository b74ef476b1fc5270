import Bytes

/// Takes the protection off what one peer sends (RFC 3711, RFC 7714), by libsrtp2: replay, rollover, authentication.
///
/// A packet of a source that was seen before allocates nothing here; Debian's libsrtp2 does, for each, within NSS. A source
/// takes memory only once a packet of it was authenticated.
public struct SRTPReceiver: ~Copyable, @unchecked Sendable {  // unchecked: one owner at a time holds the pointer
    /// Sources of one session.
    public static let maxStreams = 128
    /// Packets that a repeat is looked for in; what is older is dropped.
    public static let replayWindow = 2048

    public let profile: SRTPProfile
    private let context: LibsrtpContext
    private var ssrcs: [UInt32] = []

    /// - Parameter key: of the peer.
    /// - Throws: ``SRTPError``
    public init(_ profile: SRTPProfile, _ key: SRTPMasterKey) throws(SRTPError) {
        self.profile = profile
        context = try LibsrtpContext(.inbound, profile, key, window: Self.replayWindow)
        ssrcs.reserveCapacity(Self.maxStreams)
    }

    /// Authenticates and decrypts one RTP packet in place.
    /// - Returns: the length of the packet without its tag.
    /// - Throws: ``SRTPError``: drop the packet. Its bytes are then of no use.
    public mutating func unprotect(_ packet: inout MutableSpan<UInt8>) throws(SRTPError) -> Int {
        let header = try PacketHeader(packet.span, trailer: profile.overhead)
        let isKnown = try admit(header.ssrc)
        let count = try context.perform(.unprotect, on: &packet, count: packet.count)
        if !isKnown { ssrcs.append(header.ssrc) }
        return count
    }

    /// Authenticates and decrypts one RTCP datagram in place, compound or of reduced size.
    /// - Returns: the length of the datagram without index and tag.
    /// - Throws: ``SRTPError``: drop the datagram. Its bytes are then of no use.
    public mutating func unprotectRTCP(_ datagram: inout MutableSpan<UInt8>) throws(SRTPError) -> Int {
        let needed = 8 + profile.rtcpOverhead
        guard datagram.count >= needed else { throw .tooShort(needed: needed, had: datagram.count) }
        guard datagram[0] >> 6 == 2 else { throw .notRTP }
        let ssrc = datagram.span.uint32(at: 4)
        let isKnown = try admit(ssrc)
        let count = try context.perform(.unprotectRTCP, on: &datagram, count: datagram.count)
        if !isKnown { ssrcs.append(ssrc) }
        return count
    }

    /// Forgets a source that left, so that another may come. Its packets could be replayed from then on.
    public mutating func remove(ssrc: UInt32) {
        guard let index = ssrcs.firstIndex(of: ssrc) else { return }
        ssrcs.remove(at: index)
        context.remove(ssrc: ssrc)
    }

    /// - Returns: whether the source was seen before.
    private func admit(_ ssrc: UInt32) throws(SRTPError) -> Bool {
        if ssrcs.contains(ssrc) { return true }
        guard ssrcs.count < Self.maxStreams else { throw .tooManyStreams(limit: Self.maxStreams) }
        return false
    }
}
