/// The SRTP profile that a handshake chose, and the master keys of both directions (RFC 5764 section 4.2). Prints no key.
public struct DTLSKeys: Sendable, CustomStringConvertible, CustomReflectable {
    public struct Master: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
        public let key: [UInt8]
        public let salt: [UInt8]

        public var description: String { "Master(***)" }
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// Of the registry: 1 is SRTP_AES128_CM_HMAC_SHA1_80, 7 is SRTP_AEAD_AES_128_GCM.
    public let profile: UInt16
    /// What we protect with.
    public let local: Master
    /// What the peer protects with.
    public let remote: Master

    /// - Parameter material: the client's key, the server's, the client's salt, the server's.
    init(profile: UInt16, _ material: [UInt8], keyLength: Int, saltLength: Int, _ role: DTLSSession.Role) {
        let salts = 2 * keyLength
        let client = Master(
            key: Array(material[..<keyLength]), salt: Array(material[salts..<salts + saltLength]))
        let server = Master(
            key: Array(material[keyLength..<salts]), salt: Array(material[(salts + saltLength)...]))
        self.profile = profile
        (local, remote) = role == .client ? (client, server) : (server, client)
    }

    public var description: String { "DTLSKeys(profile: \(profile), ***)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
