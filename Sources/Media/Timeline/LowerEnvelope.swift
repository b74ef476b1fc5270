/// The least of what was seen in each of the last ten seconds: what a path costs when nothing is in its way.
struct LowerEnvelope: Sendable {
    static let seconds = 10

    /// The second under way; those before it stand elsewhere and are looked at once a second.
    private var present: (second: Int64, value: Int64)?
    private var past: [Int64] = []
    private var leastOfPast = Int64.max

    /// `nil` before anything was seen.
    var minimum: Int64? { present.map { min($0.value, leastOfPast) } }

    mutating func observe(_ value: Int64, at now: Int64) {
        let second = now / 1_000_000_000
        if let last = present {
            guard last.second != second else {
                present = (second, min(last.value, value))
                return
            }
            past.append(last.value)
            if past.count >= Self.seconds { past.removeFirst() }
            leastOfPast = past.min() ?? .max
        }
        present = (second, value)
    }

    mutating func removeAll() { self = LowerEnvelope() }
}
