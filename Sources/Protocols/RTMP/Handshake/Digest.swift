import Bytes

/// HMAC-SHA256, lent by whoever has a cryptographic library: 32 bytes.
public typealias HMACSHA256 = @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

/// The digests that Flash Player and its server put into their handshakes. RTMP 1.0 does not know them; some clients do not
/// play or publish without. The keys are public and prove nothing: they are constants of the format.
struct HandshakeDigest: Sendable {
    /// Where the digest of a packet of 1536 bytes stands: four bytes that add up to its place, then 728 places.
    enum Scheme: CaseIterable {
        case first, second

        private var base: Int { self == .first ? 8 : 772 }

        func offset(in packet: [UInt8]) -> Int {
            let sum = packet[base..<base + 4].reduce(0) { $0 + Int($1) }
            return sum % 728 + base + 4
        }
    }

    static let packetBytes = 1536
    static let byteCount = 32

    static let clientKey = Array("Genuine Adobe Flash Player 001".utf8)
    static let serverKey = Array("Genuine Adobe Flash Media Server 001".utf8)
    /// Follows either key where an answer to a digest is signed.
    static let keyTail: [UInt8] = [
        0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
        0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
    ]

    let hmac: HMACSHA256

    /// The scheme and the digest of a first packet, if it holds one that its sender's key made.
    func find(in packet: [UInt8], key: [UInt8]) -> (scheme: Scheme, digest: [UInt8])? {
        for scheme in Scheme.allCases {
            let offset = scheme.offset(in: packet)
            let digest = Array(packet[offset..<offset + Self.byteCount])
            if digest == self.digest(of: packet, at: offset, key: key) { return (scheme, digest) }
        }
        return nil
    }

    /// Puts the digest into a first packet.
    func sign(_ packet: inout [UInt8], _ scheme: Scheme, key: [UInt8]) {
        let offset = scheme.offset(in: packet)
        packet.replaceSubrange(offset..<offset + Self.byteCount, with: digest(of: packet, at: offset, key: key))
    }

    /// Signs a second packet as an answer to the digest of the peer's first.
    func sign(_ packet: inout [UInt8], answering digest: [UInt8], key: [UInt8]) {
        let body = Array(packet.dropLast(Self.byteCount))
        packet = body + hmac(hmac(key + Self.keyTail, digest), body)
    }

    private func digest(of packet: [UInt8], at offset: Int, key: [UInt8]) -> [UInt8] {
        hmac(key, Array(packet[..<offset] + packet[(offset + Self.byteCount)...]))
    }
}
