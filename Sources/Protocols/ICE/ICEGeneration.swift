import STUN
import Timing

/// One pair of credentials and the paths that were checked with them.
struct ICEGeneration: Sendable {
    /// What an authenticated check says.
    struct Check {
        var path: ICEPath
        /// Of the pair.
        var priority: UInt64
        var transaction: TransactionID
        /// USE-CANDIDATE.
        var nominates: Bool
    }

    struct Pair: Sendable {
        let path: ICEPath
        var priority: UInt64
        var budget: CheckBudget
        var heardAt: Instant
        /// Of the last nomination, to know it when it comes again.
        var nomination: TransactionID?
        /// Nominations since the selected path had one.
        var nominations = 0
    }

    let credentials: ICECredentials
    let integrity: MessageIntegrity
    private let fragment: [UInt8]
    var pairs: [Pair] = []

    init(_ credentials: ICECredentials, hmac: @escaping HMACSHA1) {
        self.credentials = credentials
        integrity = MessageIntegrity(password: credentials.password, hmac: hmac)
        fragment = Array(credentials.usernameFragment.utf8)
    }

    /// Whether the bytes of `packet` in `range` are this generation's fragment.
    func isNamed(_ packet: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == fragment.count else { return false }
        for (index, byte) in zip(range, fragment) where packet[index] != byte { return false }
        return true
    }

    mutating func heard(on path: ICEPath, at now: Instant) {
        guard let index = pairs.firstIndex(where: { $0.path == path }) else { return }
        pairs[index].heardAt = now
    }

    mutating func remove(_ path: ICEPath) { pairs.removeAll { $0.path == path } }

    /// Keeps what a check says of its path; of too many paths the one heard least recently goes, but never `keeping`.
    mutating func note(_ check: Check, limits: ICELiteAgent.Limits, keeping: ICEPath?, at now: Instant) {
        if !pairs.contains(where: { $0.path == check.path }) {
            if pairs.count >= max(limits.paths, 2) { dropOldest(keeping: keeping) }
            var budget = CheckBudget(
                perSecond: limits.checksPerSecond, burst: limits.checksAtOnce, at: now.nanoseconds)
            _ = budget.take(at: now.nanoseconds)
            pairs.append(Pair(path: check.path, priority: check.priority, budget: budget, heardAt: now))
        }
        guard let index = pairs.firstIndex(where: { $0.path == check.path }) else { return }
        pairs[index].priority = check.priority
        pairs[index].heardAt = now
        guard check.nominates, pairs[index].nomination != check.transaction else { return }
        pairs[index].nomination = check.transaction
        if check.path == keeping { forgetNominations() } else { pairs[index].nominations += 1 }
    }

    /// The selected path was nominated, or another was selected.
    mutating func forgetNominations() {
        for index in pairs.indices { pairs[index].nominations = 0 }
    }

    private mutating func dropOldest(keeping: ICEPath?) {
        let oldest = pairs.indices.filter { pairs[$0].path != keeping }.min { pairs[$0].heardAt < pairs[$1].heardAt }
        if let oldest { pairs.remove(at: oldest) }
    }

    /// Whether a nominated path takes over from the selected one.
    ///
    /// A peer that nominates every pair (aggressive, RFC 5245 section 8.1.1.2) means the one of highest priority. One that
    /// nominates anew (Chromium towards a lite agent) means the latest: it nominates twice, and the old path no more.
    func shouldSelect(_ path: ICEPath, over selected: ICEPath, silence: Duration, at now: Instant) -> Bool {
        guard let new = pairs.first(where: { $0.path == path }) else { return false }
        guard let old = pairs.first(where: { $0.path == selected }) else { return true }
        return new.priority > old.priority || new.nominations >= 2 || now >= old.heardAt + silence
    }
}
