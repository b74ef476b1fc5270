import Jobs
import Testing

/// A generator that repeats: tests draw the same ids each time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("An identifier")
struct IdentifierTests {
    @Test("is its prefix and 12 characters, a session's 22", arguments: Identifier.all)
    func form(identifier: Identifier) {
        var generator = SplitMix(state: 7)
        let text = identifier.make(using: &generator)
        #expect(text.utf8.count == 3 + (identifier == .session ? 22 : 12))
        #expect(identifier.matches(text))
        #expect(Identifier.all.filter { $0.matches(text) } == [identifier])
        #expect(identifier.make(using: &generator) != text)
        #expect(identifier.make() != identifier.make())
    }

    @Test("draws each character equally often")
    func uniformity() {
        var generator = SplitMix(state: 1)
        var counts: [Character: Int] = [:]
        for character in Identifier.text(length: 62_000, using: &generator) { counts[character, default: 0] += 1 }
        #expect(counts.count == 62)
        #expect(counts.values.allSatisfy { (850...1150).contains($0) })
    }

    @Test(
        "is told from other text",
        arguments: ["", "EG_", "EG_12345678901", "EG_1234567890123", "eg_123456789012", "EG_12345678901-", "EG_ééééée"])
    func refusal(text: String) { #expect(!Identifier.egress.matches(text)) }
}
