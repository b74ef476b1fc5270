import Crypto
import JWT
import Spec
import Testing
import Timing

@Suite("Signed link", .rfc(2104, "5"))
struct SignedLinkTests {
    private static let end = WallTime(nanoseconds: 1_900_000_000_999_999_999)
    private static let now = WallTime(nanoseconds: 1_800_000_000_000_000_000)

    private func link(_ name: String = "EG_a") throws -> SignedLink {
        try SignedLink(to: name, until: Self.end) { message throws(CryptoError) in try sign(message) }
    }

    private func sign(_ message: [UInt8], key: [UInt8] = [1, 2, 3]) throws(CryptoError) -> [UInt8] {
        try SHA256.authenticationCode(of: message, key: key)
    }

    private func check(
        _ link: SignedLink, _ name: String = "EG_a", at now: WallTime = now, key: [UInt8] = [1, 2, 3]
    ) throws(SignedLink.Refusal) {
        try link.check(
            opens: name, at: now, sign: { try? sign($0, key: key) }, isEqual: { ConstantTime.areEqual($0, $1) })
    }

    @Test("opens what it was signed for, up to the second at which it ends")
    func opens() throws {
        let link = try link()
        let read = try #require(SignedLink(link.text))
        #expect(read == link && read.endsAt == 1_900_000_000 && link.text.utf8.count == 40)
        try check(read)
        try check(read, at: WallTime(nanoseconds: 1_899_999_999_999_999_999))
        #expect(throws: SignedLink.Refusal.expired) {
            try check(read, at: WallTime(nanoseconds: 1_900_000_000_000_000_000))
        }
    }

    @Test("does not open another thing, nor under another key")
    func others() throws {
        let link = try link()
        for name in ["EG_b", "", "EG_a ", "EG_aa"] {
            #expect(throws: SignedLink.Refusal.invalid) { try check(link, name) }
        }
        #expect(throws: SignedLink.Refusal.invalid) { try check(link, key: [1, 2, 4]) }
    }

    @Test("one bit changed anywhere, or a byte cut, opens nothing")
    func altered() throws {
        let text = Array(try link().text.utf8)
        for index in text.indices {
            for bit in 0..<7 {
                var changed = text
                changed[index] ^= 1 << UInt8(bit)
                guard let read = SignedLink(String(decoding: changed, as: UTF8.self)) else { continue }
                #expect(throws: SignedLink.Refusal.invalid) { try check(read) }
            }
        }
        for length in 0..<text.count { #expect(SignedLink(String(decoding: text[..<length], as: UTF8.self)) == nil) }
        #expect(SignedLink("public") == nil && SignedLink(String(repeating: "=", count: 40)) == nil)
    }
}
