import Testing
import Timing

@Suite("Instants and durations")
struct TimingTests {
    @Test("differences and sums keep nanoseconds")
    func arithmetic() {
        let start = Instant(nanoseconds: 1_500_000_000)
        #expect(start + .milliseconds(250) == Instant(nanoseconds: 1_750_000_000))
        #expect(start - .seconds(2) == Instant(nanoseconds: -500_000_000))
        #expect(start - Instant(nanoseconds: 1) == .nanoseconds(1_499_999_999))
        var moved = start
        moved += .nanoseconds(1)
        #expect(moved > start)
        #expect(WallTime(nanoseconds: 5) - WallTime(nanoseconds: 7) == .nanoseconds(-2))
        #expect(WallTime(nanoseconds: 5) + .nanoseconds(2) == WallTime(nanoseconds: 7))
    }

    static let durations: [(duration: Duration, nanoseconds: Int64)] = [
        (.zero, 0), (.nanoseconds(-1), -1), (.milliseconds(-1500), -1_500_000_000),
        (.seconds(9_223_372_036), 9_223_372_036_000_000_000),
        (.seconds(9_223_372_037), .max), (.seconds(-9_300_000_000), .min), (.seconds(Int64.max), .max),
        (Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 900_000_000_000_000_000), .max),
    ]

    @Test("durations clamp to 292 years", arguments: durations)
    func nanoseconds(duration: Duration, nanoseconds: Int64) { #expect(duration.nanoseconds == nanoseconds) }

    @Test("seconds for people")
    func seconds() { #expect(Duration.milliseconds(1500).inSeconds == 1.5) }

    @Test("a bucket gives its burst at once, and then one each interval")
    func bucket() {
        var bucket = TokenBucket(burst: 3, interval: .seconds(1))
        func taken(_ count: Int, at seconds: Int64) -> Int {
            (0..<count).count { _ in bucket.take(at: seconds * 1_000_000_000) }
        }
        #expect(taken(5, at: 100) == 3)
        #expect(taken(5, at: 101) == 1)
        #expect(taken(5, at: 103) == 2)
        #expect(taken(9, at: 1000) == 3)
        #expect(taken(5, at: 10) == 0, "a clock that steps back brings nothing")
        #expect(taken(5, at: 11) == 1)
        var endless = TokenBucket(burst: .max, interval: .seconds(1))
        for time in [Int64.min, .max, 0, .max, .min] { _ = endless.take(at: time) }
    }
}
