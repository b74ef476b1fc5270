/// A point on the process's monotonic clock, in nanoseconds. Only the Shell reads clocks; everything below is told.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    public static func + (instant: Self, duration: Duration) -> Self {
        Self(nanoseconds: instant.nanoseconds &+ duration.nanoseconds)
    }
    public static func - (instant: Self, duration: Duration) -> Self {
        Self(nanoseconds: instant.nanoseconds &- duration.nanoseconds)
    }
    public static func - (later: Self, earlier: Self) -> Duration {
        .nanoseconds(later.nanoseconds &- earlier.nanoseconds)
    }
    public static func += (instant: inout Self, duration: Duration) { instant = instant + duration }
}

extension Duration {
    /// The whole duration in nanoseconds, clamped to Int64 (292 years).
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : sum
    }

    /// The whole duration in seconds, for people and for JSON.
    public var inSeconds: Double { Double(nanoseconds) / 1e9 }
}

/// A point of wall time, in nanoseconds since 1970-01-01T00:00:00Z (UTC without leap seconds).
public struct WallTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    public static func + (time: Self, duration: Duration) -> Self {
        Self(nanoseconds: time.nanoseconds &+ duration.nanoseconds)
    }
    public static func - (time: Self, duration: Duration) -> Self {
        Self(nanoseconds: time.nanoseconds &- duration.nanoseconds)
    }

    public static func - (later: Self, earlier: Self) -> Duration {
        .nanoseconds(later.nanoseconds &- earlier.nanoseconds)
    }
}
