import Crypto
import Spec
import Testing

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite("SHA-256")
struct SHA256Tests {
    static let digests: [(message: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ]

    @Test("gives the digests of FIPS 180-4", arguments: digests)
    func digest(message: String, digest: String) throws {
        #expect(hex(try SHA256.digest(of: Array(message.utf8))) == digest)
    }

    static let codes: [(key: [UInt8], message: String, code: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        ([], "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ]

    @Test("authenticates as RFC 4231 shows, and with an empty key", .rfc(4231, "4"), arguments: codes)
    func authenticationCode(key: [UInt8], message: String, code: String) throws {
        #expect(hex(try SHA256.authenticationCode(of: Array(message.utf8), key: key)) == code)
    }

    @Test("comparison in constant time")
    func comparison() {
        #expect(ConstantTime.areEqual([], []))
        #expect(ConstantTime.areEqual([1, 2], [1, 2]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 3]))
        #expect(!ConstantTime.areEqual([1, 2], [1]))
    }

    @Test("random bytes differ, and come in the number asked for")
    func random() throws {
        #expect(try RandomBytes.make(0).isEmpty)
        #expect(try RandomBytes.make(32).count == 32)
        #expect(try RandomBytes.make(32) != RandomBytes.make(32))
    }
}

@Suite("HMAC with SHA-1")
struct SHA1Tests {
    static let codes: [(key: [UInt8], message: String, code: String)] = [
        ([UInt8](repeating: 0x0B, count: 20), "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (
            [UInt8](repeating: 0xAA, count: 80), "Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        ),
        ([], "", "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"),
    ]

    @Test("authenticates as RFC 2202 shows, and with an empty key", .rfc(2202, "3"), arguments: codes)
    func authenticationCode(key: [UInt8], message: String, code: String) throws {
        #expect(hex(try SHA1.authenticationCode(of: Array(message.utf8), key: key)) == code)
    }
}
