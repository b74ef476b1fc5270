public import STUN

/// The way between one of our candidates and one address of the peer: a candidate pair as a lite agent knows it
/// (RFC 8445 section 2.2). Over TCP it is one connection.
public struct ICEPath: Hashable, Sendable {
    /// The index of the local candidate among those the agent was given.
    public var candidate: Int
    /// Where the datagram came from: as the candidate's socket has it, IPv4 unmapped.
    public var remote: TransportAddress

    public init(candidate: Int, remote: TransportAddress) {
        self.candidate = candidate
        self.remote = remote
    }
}

/// Checks allowed over time, so that one source cannot buy work without end.
struct CheckBudget: Equatable, Sendable {
    private var tokens: Int
    private var refilledAt: Int64
    private let burst: Int
    /// Nanoseconds a token.
    private let interval: Int64

    /// - Parameter perSecond: at least 1.
    init(perSecond: Int, burst: Int, at nanoseconds: Int64) {
        tokens = burst
        self.burst = burst
        interval = 1_000_000_000 / Int64(max(perSecond, 1))
        refilledAt = nanoseconds
    }

    /// Takes one, if there is one.
    mutating func take(at nanoseconds: Int64) -> Bool {
        let earned = max(0, (nanoseconds &- refilledAt) / interval)
        if earned > 0 {
            tokens = earned >= Int64(burst - tokens) ? burst : tokens + Int(earned)
            refilledAt = refilledAt &+ earned &* interval
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
