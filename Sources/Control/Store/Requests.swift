import SQLite

/// Requests that wait for the store's thread. Reads go first: nobody who has seen a commit return waits among them, so
/// none can miss it, and none waits for the group's sync.
struct Requests: Sendable {
    typealias Read = @Sendable (Engine) -> Void
    /// Runs within the group's transaction, and gives back what answers the caller once the group's fate is known.
    typealias Write = @Sendable (Engine) -> @Sendable (StoreError?) -> Void

    /// What the first of a group waits for the last is bounded by this.
    static let groupLimit = 500

    var reads: [Read] = []
    var writes: [Write] = []

    var isEmpty: Bool { reads.isEmpty && writes.isEmpty }

    mutating func takeGroup() -> Requests {
        var group = Requests()
        swap(&group.reads, &reads)
        group.writes = Array(writes.prefix(Self.groupLimit))
        writes.removeFirst(group.writes.count)
        return group
    }

    func run(on engine: Engine) {
        for read in reads { read(engine) }
        guard !writes.isEmpty else { return }
        var answers: [@Sendable (StoreError?) -> Void] = []
        var failure: StoreError?
        do {
            try engine.beginTransaction()
            for write in writes { answers.append(write(engine)) }
            try engine.endTransaction()
        } catch {
            failure = error
            engine.database.rollBack()
        }
        // If nothing began, each is still to be told; without a transaction a write does nothing.
        if answers.isEmpty { answers = writes.map { $0(engine) } }
        for answer in answers { answer(failure) }
    }
}
