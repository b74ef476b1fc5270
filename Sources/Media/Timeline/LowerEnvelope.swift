/// The least of what was seen in each of the last ten seconds: what a path costs when nothing is in its way.
struct LowerEnvelope: Sendable {
    static let seconds = 10

    private var least: [(second: Int64, value: Int64)] = []

    /// `nil` before anything was seen.
    var minimum: Int64? { least.lazy.map(\.value).min() }

    mutating func observe(_ value: Int64, at now: Int64) {
        let second = now / 1_000_000_000
        if let last = least.last, last.second == second {
            least[least.count - 1].value = min(last.value, value)
        } else {
            least.append((second, value))
            if least.count > Self.seconds { least.removeFirst() }
        }
    }

    mutating func removeAll() { least.removeAll(keepingCapacity: true) }
}
