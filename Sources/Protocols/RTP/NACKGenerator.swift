public import Timing

/// Which packets of a stream are missing, and when to ask for them (RFC 4585 section 6.2.1).
///
/// After **every** input drain ``pollOutput()`` until it says `wait`. A packet without loss allocates nothing; at most
/// ``capacity`` missing packets are held.
public struct NACKGenerator: Sendable {
    public enum Output: Equatable, Sendable {
        /// Ask for these now, in rising order.
        case request([UInt16])
        /// So many will not come any more: a video stream needs a key frame.
        case givenUp(Int)
        case wait(deadline: Instant?)
    }

    public static let capacity = 512
    /// Requests for one packet.
    public static let maxRequests = 10
    /// What is missing for longer is given up: the sender's history is no longer.
    public static let patience: Duration = .seconds(1)
    /// Between two requests for one packet, at least.
    public static let shortestInterval: Duration = .milliseconds(20)

    private struct Missing {
        var sequence: Int64
        var since: Instant
        var next: Instant
        var requests = 0
    }

    /// From the stream's reports; until one comes, 100 ms.
    public var roundTripTime: Duration = .milliseconds(100)
    private let reordering: Duration
    private var counter = ExtendedCounter<UInt16>()
    /// In rising order.
    private var missing: [Missing] = []
    private var outputs: [Output] = []

    /// - Parameter reordering: how long a packet may be late before it is asked for.
    public init(reordering: Duration = .milliseconds(10)) {
        self.reordering = reordering
        missing.reserveCapacity(Self.capacity)
    }

    /// Packets that are waited for.
    public var missingCount: Int { missing.count }

    /// Takes a packet of the stream, its first transmission or a later one.
    public mutating func receive(_ sequenceNumber: UInt16, at now: Instant) {
        guard let furthest = counter.furthest else {
            _ = counter.extend(sequenceNumber)
            return
        }
        let sequence = counter.extend(sequenceNumber)
        guard sequence > furthest else {
            if let index = index(of: sequence) { missing.remove(at: index) }
            return
        }
        guard sequence - furthest <= Int64(Self.capacity) else {  // too many, or another beginning
            giveUp(missing.count + Int(clamping: sequence - furthest - 1))
            missing.removeAll(keepingCapacity: true)
            return
        }
        let excess = missing.count + Int(sequence - furthest - 1) - Self.capacity
        if excess > 0 {
            missing.removeFirst(excess)
            giveUp(excess)
        }
        for lost in furthest + 1..<sequence {
            missing.append(Missing(sequence: lost, since: now, next: now + reordering))
        }
    }

    /// A key frame begins at this packet: what is missing before it is not needed.
    public mutating func receiveKeyFrame(at sequenceNumber: UInt16) {
        let sequence = counter.place(sequenceNumber)
        missing.removeAll { $0.sequence < sequence }
    }

    /// Moves time forward. Early or repeated calls are harmless.
    public mutating func advance(to now: Instant) {
        guard !missing.isEmpty else { return }
        let before = missing.count
        missing.removeAll { now >= $0.since + Self.patience || ($0.requests >= Self.maxRequests && now >= $0.next) }
        giveUp(before - missing.count)
        var due: [UInt16] = []
        for index in missing.indices where now >= missing[index].next {
            missing[index].requests += 1
            missing[index].next = now + max(roundTripTime, Self.shortestInterval)
            due.append(UInt16(truncatingIfNeeded: missing[index].sequence))
        }
        if !due.isEmpty { outputs.append(.request(due)) }
    }

    public mutating func pollOutput() -> Output {
        guard outputs.isEmpty else { return outputs.removeFirst() }
        return .wait(
            deadline: missing.isEmpty ? nil : missing.lazy.map { min($0.next, $0.since + Self.patience) }.min())
    }

    private mutating func giveUp(_ count: Int) {
        guard count > 0 else { return }
        outputs.append(.givenUp(count))
    }

    private func index(of sequence: Int64) -> Int? {
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low].sequence == sequence ? low : nil
    }
}
