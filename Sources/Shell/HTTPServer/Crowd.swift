import Listening

/// How many connections each address (of IPv6, each network: ``PeerNetwork``) has open. Some over the limit are answered
/// with 429, so that an honest client learns why; more are closed at once.
struct Crowd: Sendable {
    static let refusal = HTTPRefusal(status: 429, detail: "Your address has too many connections open.")
    /// Connections over the limit that are answered.
    private static let answered = 32

    var limit: Int
    private let isUncounted: @Sendable (String) -> Bool
    private var counts: [String: Int] = [:]
    private var networks: [Int32: String] = [:]
    private var over: Set<Int32> = []
    private var refused = 0
    private var toldAt: ContinuousClock.Instant?

    init(limit: Int, isUncounted: @escaping @Sendable (String) -> Bool) {
        self.limit = limit
        self.isUncounted = isUncounted
    }

    func admits(_ address: String) -> Bool {
        counts[PeerNetwork.of(address), default: 0] < limit + Self.answered || isUncounted(address)
    }

    mutating func add(_ descriptor: Int32, from address: String) {
        guard !isUncounted(address) else { return }
        let network = PeerNetwork.of(address)
        networks[descriptor] = network
        counts[network, default: 0] += 1
        if counts[network, default: 0] > limit { over.insert(descriptor) }
    }

    mutating func remove(_ descriptor: Int32) {
        guard let network = networks.removeValue(forKey: descriptor) else { return }
        over.remove(descriptor)
        let left = counts[network, default: 1] - 1
        counts[network] = left > 0 ? left : nil
    }

    func isOver(_ descriptor: Int32) -> Bool { over.contains(descriptor) }

    /// Counts a refusal. Once a second it gives how many there were, for the log.
    mutating func refusalsToTell(at now: ContinuousClock.Instant) -> Int? {
        refused += 1
        if let toldAt, now - toldAt < .seconds(1) { return nil }
        defer { refused = 0 }
        toldAt = now
        return refused
    }
}
