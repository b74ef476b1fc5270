import Testing
import Timing

@testable import Service

@Suite("Two encoders with one key")
struct TakeoverGuardTests {
    @Test("may take over twice within 30 s; then the live one stays for 60 s")
    func flapping() {
        var takeovers = TakeoverGuard()
        let allowed = [0, 5, 10, 40, 69, 71, 72, 73].map { takeovers.allows(at: Self.at($0)) }
        #expect(allowed == [true, true, false, false, false, true, true, false])
    }

    @Test("that come back now and then always may")
    func seldom() {
        var takeovers = TakeoverGuard()
        #expect((0..<50).allSatisfy { takeovers.allows(at: Self.at($0 * 31)) })
    }

    static func at(_ seconds: Int) -> Instant { Instant(nanoseconds: Int64(seconds) * 1_000_000_000) }
}
