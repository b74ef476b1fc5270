/// A protection profile of DTLS-SRTP; the raw value is the registry's (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
public enum SRTPProfile: UInt16, CaseIterable, Sendable {
    case aes128CMHMACSHA1_80 = 0x0001
    case aeadAES128GCM = 0x0007

    /// Bytes of a master key.
    public var keyLength: Int { 16 }

    /// Bytes of a master salt.
    public var saltLength: Int { self == .aeadAES128GCM ? 12 : 14 }

    /// Bytes that an RTP packet grows by: the tag.
    public var overhead: Int { self == .aeadAES128GCM ? 16 : 10 }

    /// Bytes that an RTCP datagram grows by: the tag, and the index with its E flag.
    public var rtcpOverhead: Int { overhead + 4 }
}

/// A master key and its salt, for one direction. Prints neither.
public struct SRTPMasterKey: Sendable, CustomStringConvertible, CustomReflectable {
    let key: [UInt8]
    let salt: [UInt8]

    public init(key: [UInt8], salt: [UInt8]) { (self.key, self.salt) = (key, salt) }

    public var description: String { "SRTPMasterKey(***)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    func check(for profile: SRTPProfile) throws(SRTPError) {
        guard key.count == profile.keyLength, salt.count == profile.saltLength else { throw .unusableKey }
    }
}
