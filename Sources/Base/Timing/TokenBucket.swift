/// Lets so many things happen at once, and from then on one each interval.
public struct TokenBucket: Equatable, Sendable {
    /// Both in nanoseconds: what one thing takes, and what the full bucket holds.
    private let interval: Int64
    private let capacity: Int64
    /// When the bucket is full again, on the caller's clock.
    private var fullAt = Int64.min

    public init(burst: Int, interval: Duration) {
        self.interval = max(1, interval.nanoseconds)
        let (product, overflow) = self.interval.multipliedReportingOverflow(by: Int64(max(1, burst)))
        capacity = overflow ? .max : product
    }

    /// - Parameter now: nanoseconds of one clock; should it step back, what was taken counts from there on.
    /// - Returns: false when there is none left.
    public mutating func take(at now: Int64) -> Bool {
        fullAt = min(max(fullAt, now), now &+ capacity)
        guard fullAt &- now <= capacity &- interval else { return false }
        fullAt = fullAt &+ interval
        return true
    }
}
