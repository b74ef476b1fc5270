/// One metric by name: what it counts, and its values by labels (the data model of Prometheus).
///
/// No label carries a room, an identity, a key or a URL: what a label may say is a closed list.
public struct MetricFamily: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public enum Value: Equatable, Sendable {
        case number(Double)
        case histogram(Histogram)
    }

    public struct Sample: Equatable, Sendable {
        public var labels: [MetricLabel]
        public var value: Value

        public init(labels: [MetricLabel], value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    /// As `sluice_rooms`; a counter's ends in `_total`, a quantity's in its unit.
    public let name: String
    public let help: String
    public let kind: Kind
    public let samples: [Sample]

    public init(_ kind: Kind, _ name: String, _ help: String, _ samples: [Sample]) {
        self.kind = kind
        self.name = name
        self.help = help
        self.samples = samples
    }

    /// A family of one value without labels.
    public init(_ kind: Kind, _ name: String, _ help: String, _ value: Double) {
        self.init(kind, name, help, [Sample(labels: [], value: .number(value))])
    }

    public init(_ name: String, _ help: String, _ histogram: Histogram) {
        self.init(.histogram, name, help, [Sample(labels: [], value: .histogram(histogram))])
    }
}

public struct MetricLabel: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Observations sorted into buckets. A value: whoever observes owns it.
public struct Histogram: Equatable, Sendable {
    /// The upper bounds of the buckets, rising; beyond the last is one more.
    public let bounds: [Double]
    /// One a bucket, each with its own observations only.
    public private(set) var counts: [Int]
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    /// All observations.
    public var count: Int { counts.reduce(0, +) }

    public mutating func observe(_ value: Double) {
        guard value.isFinite else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }
}

/// Sums by label values: a counter, or a gauge that is counted afresh each time.
public struct Tally: Equatable, Sendable {
    private let labels: [String]
    private var sums: [[String]: Double] = [:]

    /// - Parameter labels: the names, in the order in which ``add(_:_:)`` gets values.
    public init(_ labels: String...) { self.labels = labels }

    public mutating func add(_ amount: Double = 1, _ values: String...) {
        sums[values, default: 0] += amount
    }

    public subscript(values: String...) -> Double { sums[values] ?? 0 }

    /// - Parameter kind: `counter` or `gauge`.
    public func family(_ kind: MetricFamily.Kind, _ name: String, _ help: String) -> MetricFamily {
        let rows = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return MetricFamily(
            kind, name, help,
            rows.map { row in
                MetricFamily.Sample(
                    labels: zip(labels, row.key).map { MetricLabel($0, $1) }, value: .number(row.value))
            })
    }
}
