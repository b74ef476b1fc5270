public import Store

/// Why a job waits, and where it stands.
public struct QueueInfo: Equatable, Sendable {
    public enum Reason: String, Equatable, Sendable {
        case cpu
        case memory
        /// No worker is there to take it.
        case worker
    }

    /// 1 is next.
    public var position: Int
    /// What the first in line waits for: nobody overtakes it.
    public var waitingFor: Reason
    public var needs: Needs

    public init(position: Int, waitingFor: Reason, needs: Needs) {
        self.position = position
        self.waitingFor = waitingFor
        self.needs = needs
    }
}

/// The line in front of the workers: who is next, and whether there is room for them. It holds no durable state; a gateway
/// rebuilds it from the store's unfinished jobs.
///
/// Jobs start strictly in order. One that finds no room holds up those behind it, or a large job would wait for ever behind
/// a stream of small ones.
public struct JobQueue: Sendable {
    private struct Entry: Sendable {
        let id: String
        let order: Int64
        let needs: Needs
    }

    /// A lower one stops nothing that has started.
    public var capacity: Needs
    /// False while no worker is there to take a job.
    public var hasWorker = true

    /// By order.
    private var line: [Entry] = []
    private var orders: [String: Int64] = [:]
    private var started: [String: Entry] = [:]
    private var used = Needs(milliCores: 0, memoryBytes: 0)
    private var promised = Needs(milliCores: 0, memoryBytes: 0)

    public init(capacity: Needs) { self.capacity = capacity }

    public var waitingCount: Int { line.count }
    public var startedCount: Int { started.count }

    /// What started jobs have taken of the capacity.
    public var inUse: Needs { used }

    /// Puts a job in line at the place of its order: a new one at the end, one that comes back where it stood. A job that
    /// had started gives its room back.
    public mutating func enqueue(_ job: Job) {
        remove(job.id)
        let entry = Entry(id: job.id, order: job.order, needs: job.needs)
        line.insert(entry, at: index(of: job.order))
        orders[job.id] = job.order
    }

    /// Keeps room for a job that is not durable yet, if nobody waits and there is room: ``adopt(_:)`` it, then take the
    /// promise back.
    public mutating func promise(_ needs: Needs) -> Bool {
        guard line.isEmpty, obstacle(for: needs) == nil else { return false }
        let cost = cost(of: needs)
        promised.milliCores += cost.milliCores
        promised.memoryBytes += cost.memoryBytes
        return true
    }

    /// Takes back what ``promise(_:)`` gave.
    public mutating func takeBack(_ needs: Needs) {
        let cost = cost(of: needs)
        promised.milliCores -= cost.milliCores
        promised.memoryBytes -= cost.memoryBytes
    }

    /// Counts a job as started without a place in line: after a restart, one that a living worker still has.
    public mutating func adopt(_ job: Job) {
        remove(job.id)
        start(Entry(id: job.id, order: job.order, needs: job.needs))
    }

    /// Takes the first in line, if there is room for it. Call until it gives `nil`.
    public mutating func startNext() -> String? {
        guard let next = line.first, obstacle(for: next.needs) == nil else { return nil }
        line.removeFirst()
        orders[next.id] = nil
        start(next)
        return next.id
    }

    /// Forgets a job that has ended, wherever it is.
    public mutating func remove(_ id: String) {
        if let entry = started.removeValue(forKey: id) {
            let cost = cost(of: entry.needs)
            used.milliCores -= cost.milliCores
            used.memoryBytes -= cost.memoryBytes
        }
        if let order = orders.removeValue(forKey: id) { line.remove(at: index(of: order)) }
    }

    /// - Returns: `nil` for a job that is not in line.
    public func info(of id: String) -> QueueInfo? {
        guard let order = orders[id], let first = line.first else { return nil }
        let place = index(of: order)
        // With room for the first, the line is about to move: what the next turn waits for is a worker.
        return QueueInfo(
            position: place + 1, waitingFor: obstacle(for: first.needs) ?? .worker, needs: line[place].needs)
    }

    private mutating func start(_ entry: Entry) {
        let cost = cost(of: entry.needs)
        used.milliCores += cost.milliCores
        used.memoryBytes += cost.memoryBytes
        started[entry.id] = entry
    }

    private func obstacle(for needs: Needs) -> QueueInfo.Reason? {
        let cost = cost(of: needs)
        if !hasWorker { return .worker }
        if used.milliCores + promised.milliCores + cost.milliCores > capacity.milliCores { return .cpu }
        if used.memoryBytes + promised.memoryBytes + cost.memoryBytes > capacity.memoryBytes { return .memory }
        return nil
    }

    /// A job larger than the whole machine counts as the whole machine: it runs alone, rather than never.
    private func cost(of needs: Needs) -> Needs {
        Needs(
            milliCores: min(max(needs.milliCores, 0), capacity.milliCores),
            memoryBytes: min(max(needs.memoryBytes, 0), capacity.memoryBytes))
    }

    /// The first place in line whose order is not below `order`.
    private func index(of order: Int64) -> Int {
        var low = 0
        var high = line.count
        while low < high {
            let middle = (low + high) / 2
            if line[middle].order < order { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
