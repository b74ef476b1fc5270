import Spec
import Testing

@testable import SRTP

@Suite("SRTP vectors")
struct VectorTests {
    @Test("session keys come of the master key", .rfc(3711, "B.3"))
    func keyDerivation() throws {
        let keys = try SessionKeys(.aes128CMHMACSHA1_80, SRTPTests.key(.aes128CMHMACSHA1_80))
        #expect(keys.key == hex("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(keys.salt == hex("30CBBC08863D8C85D49DB34A9AE1"))
        #expect(keys.authenticationKey == hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
    }

    /// The key stream of the appendix begins at index 0 of source 0: the payload of a packet of zeros with number 0.
    @Test("AES counter mode makes the key stream of the appendix", .rfc(3711, "B.2"))
    func counterMode() throws {
        let keys = SessionKeys(
            key: hex("2B7E151628AED2A6ABF7158809CF4F3C"), salt: hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
            authenticationKey: [UInt8](repeating: 0, count: 20))
        let profile = SRTPProfile.aes128CMHMACSHA1_80
        var sender = try SRTPSender(profile, SRTPTests.key(profile), keys)
        let packet = hex("80600000 00000000 00000000") + [UInt8](repeating: 0, count: 48)
        let protected = try protect(packet, &sender)
        #expect(
            Array(protected[12..<60])
                == hex(
                    """
                    E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0
                    """))
    }

    static let quidProQuo = SessionKeys(
        key: hex("000102030405060708090a0b0c0d0e0f"), salt: hex("51756964 2070726f 2071756f"), authenticationKey: [])

    @Test("AEAD_AES_128_GCM encrypts the packet of the appendix", .rfc(7714, "16.1.1"))
    func aead() throws {
        let profile = SRTPProfile.aeadAES128GCM
        var sender = try SRTPSender(profile, SRTPTests.key(profile), Self.quidProQuo)
        let packet = hex(
            """
            8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472
            6573
            """)
        #expect(
            try protect(packet, &sender)
                == hex(
                    """
                    8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b
                    36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce
                    """))
    }
}
