import Timing

/// Counts received bytes: for acknowledgements (RTMP 1.0 section 5.4.3) and against the limit of the rate.
struct ReceiveWindow: Sendable {
    /// Before a peer says otherwise.
    static let defaultBytes = 2_500_000
    /// How long a burst at the limit's rate may stand at once.
    private static let burstSeconds = 10

    /// Bytes between acknowledgements.
    var window = Self.defaultBytes
    private var received = 0
    private var acknowledged = 0
    private let bytesPerSecond: Int
    /// Bytes over what the rate has let through, and when that was reckoned.
    private var excess = 0
    private var reckoned: Instant

    init(bitrate: Int, at now: Instant) {
        bytesPerSecond = max(bitrate / 8, 1)
        reckoned = now
    }

    /// - Returns: false once the rate is over its limit.
    mutating func add(_ count: Int, at now: Instant) -> Bool {
        received &+= count
        let elapsed = max(now.nanoseconds &- reckoned.nanoseconds, 0)
        // Short steps would be lost in the division; they stay until a millisecond is together.
        if elapsed >= 1_000_000 {
            let passed = min(elapsed / 1_000_000, 3_600_000) * Int64(bytesPerSecond) / 1000
            excess = max(excess - Int(clamping: passed), 0)
            reckoned = now
        }
        excess += count
        return excess <= bytesPerSecond * Self.burstSeconds
    }

    /// The sequence number to acknowledge, once a window is full.
    mutating func dueAcknowledgement() -> UInt32? {
        guard received &- acknowledged >= max(window, 1) else { return nil }
        acknowledged = received
        return UInt32(truncatingIfNeeded: received)
    }
}
