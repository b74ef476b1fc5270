import Dispatch
import SQLite
import Synchronization

/// The store of one gateway: a SQLite file and a thread of its own that alone touches it.
///
/// *Group commit*: whatever waits when the thread comes round goes into one transaction, each change in a savepoint, and
/// is synced once; then all who wait are answered. A thousand simultaneous commits cost a few syncs.
public final class SQLiteStore: Store {
    private struct Waiting {
        var requests = Requests()
        var isScheduled = false
        var isClosed = false
    }

    private let thread = DispatchQueue(label: "sluice.store")
    private let waiting = Mutex(Waiting())
    /// Taken only by `thread`, so never contended: the lock carries the engine to whichever thread serves the queue.
    private let engine: Mutex<Engine?>
    private let counters = Mutex(StoreStatistics())

    /// Opens the file at `path`, or makes it, and brings its schema up to date. Blocks; call it at start.
    /// - Throws: an error with a remedy. The file is then as it was.
    public convenience init(path: String) throws(StoreError) {
        try self.init(path: path, busyTimeout: .seconds(5), maximumPages: nil)
    }

    /// - Parameter maximumPages: the file may not grow beyond this: a full volume for tests.
    init(path: String, busyTimeout: Duration, maximumPages: Int?) throws(StoreError) {
        let engine = try Engine(path: path, busyTimeout: busyTimeout)
        if let maximumPages { _ = try engine.database.number("PRAGMA max_page_count = \(maximumPages)") }
        self.engine = Mutex(engine)
    }

    /// Lets what waits finish, moves the log into the file and closes it. Later requests throw `closed`.
    public func close() async {
        await withCheckedContinuation { continuation in
            waiting.withLock { $0.isClosed = true }
            thread.async {
                self.drain()
                self.engine.withLock { $0 = nil }
                continuation.resume()
            }
        }
    }

    public var statistics: StoreStatistics { counters.withLock { $0 } }

    // MARK: Store

    @discardableResult
    public func commit(_ change: Change) async throws(StoreError) -> Committed {
        try await write { engine throws(StoreError) in try engine.apply(change) }
    }

    public func document(_ kind: DocumentKind, id: String) async throws(StoreError) -> Document? {
        try await read { engine throws(StoreError) in try engine.document(kind, id: id) }
    }

    public func document(_ kind: DocumentKind, uniqueKey: String) async throws(StoreError) -> Document? {
        try await read { engine throws(StoreError) in try engine.document(kind, uniqueKey: uniqueKey) }
    }

    public func documents(_ query: DocumentQuery) async throws(StoreError) -> Page<Document> {
        try await read { engine throws(StoreError) in try engine.documents(query) }
    }

    public func job(_ id: String) async throws(StoreError) -> Job? {
        try await read { engine throws(StoreError) in try engine.job(id) }
    }

    public func jobs(_ query: JobQuery) async throws(StoreError) -> Page<Job> {
        try await read { engine throws(StoreError) in try engine.jobs(query) }
    }

    public func unfinishedJobs() async throws(StoreError) -> [Job] {
        try await read { engine throws(StoreError) in try engine.unfinishedJobs() }
    }

    public func events(_ query: EventQuery) async throws(StoreError) -> [EventRow] {
        try await read { engine throws(StoreError) in try engine.events(query) }
    }

    public func reserve(_ reservation: Reservation) async throws(StoreError) -> ReservationOutcome {
        try await read { engine throws(StoreError) in try engine.reserve(reservation) }
    }

    public func release(_ reservation: Reservation) async {
        // A store that is closed has forgotten the reservation already.
        try? await read { engine throws(StoreError) in engine.release(reservation) }
    }

    @discardableResult
    public func prune(_ retention: Retention) async throws(StoreError) -> Int {
        try await write { engine throws(StoreError) in
            try engine.atomically { () throws(StoreError) in try engine.prune(retention) }
        }
    }

    public func probe() async throws(StoreError) {
        try await write { engine throws(StoreError) in
            try engine.atomically { () throws(StoreError) in try engine.probe() }
        }
    }
}

/// What the store has done since it was opened.
public struct StoreStatistics: Equatable, Sendable {
    /// Transactions, each with one sync.
    public internal(set) var transactions = 0
    /// Commits and prunes in them.
    public internal(set) var writes = 0
    public internal(set) var reads = 0
}

// MARK: The thread

extension SQLiteStore {
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Engine) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let isTaken = post { requests in
                requests.reads.append { engine in
                    continuation.resume(returning: Result { () throws(StoreError) in try body(engine) })
                }
            }
            if !isTaken { continuation.resume(returning: .failure(.closed)) }
        }
        return try result.get()
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Engine) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let isTaken = post { requests in
                requests.writes.append { engine in
                    let result = Result { () throws(StoreError) in try body(engine) }
                    return { failure in
                        continuation.resume(returning: result.flatMap { failure.map(Result.failure) ?? .success($0) })
                    }
                }
            }
            if !isTaken { continuation.resume(returning: .failure(.closed)) }
        }
        return try result.get()
    }

    /// - Returns: false when the store is closed.
    private func post(_ add: (inout Requests) -> Void) -> Bool {
        let (isTaken, isFirst) = waiting.withLock { waiting in
            guard !waiting.isClosed else { return (false, false) }
            add(&waiting.requests)
            defer { waiting.isScheduled = true }
            return (true, !waiting.isScheduled)
        }
        if isFirst { thread.async { self.drain() } }
        return isTaken
    }

    /// Serves group after group until nobody waits.
    private func drain() {
        while true {
            let group = waiting.withLock { waiting in
                waiting.isScheduled = !waiting.requests.isEmpty
                return waiting.requests.takeGroup()
            }
            guard !group.isEmpty else { return }
            counters.withLock {
                $0.reads += group.reads.count
                $0.writes += group.writes.count
                $0.transactions += group.writes.isEmpty ? 0 : 1
            }
            engine.withLock { engine in
                guard let engine else { return }
                group.run(on: engine)
            }
        }
    }
}
