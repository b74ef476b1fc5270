import Timing

/// Keeps two encoders with one key from evicting each other for ever: after two takeovers of a healthy session within
/// 30 s the live one stays for 60 s (DESIGN section 7).
struct TakeoverGuard: Sendable {
    static let limit = 2
    static let window = Duration.seconds(30)
    static let rest = Duration.seconds(60)

    private var recent: [Instant] = []
    private var closedUntil: Instant?

    /// Whether a session that is alive may be taken over now. A yes counts as a takeover.
    mutating func allows(at now: Instant) -> Bool {
        if let closedUntil, now < closedUntil { return false }
        recent.removeAll { $0 + Self.window <= now }
        guard recent.count < Self.limit else {
            closedUntil = now + Self.rest
            recent = []
            return false
        }
        recent.append(now)
        return true
    }
}
