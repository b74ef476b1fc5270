/// The durable memory of a gateway: documents, jobs, the event log, and the answers given under idempotency keys.
///
/// Operations are values and every commit is atomic, durable when it returns, and visible to every later read. SQLite
/// implements it for one gateway; the conformance suite in `Tests/StoreTests` says what any other must do.
public protocol Store: Sendable {
    /// Makes all of `change` durable, or nothing: the first step that cannot be done is thrown. Steps see those before them.
    @discardableResult
    func commit(_ change: Change) async throws(StoreError) -> Committed

    func document(_ kind: DocumentKind, id: String) async throws(StoreError) -> Document?
    func document(_ kind: DocumentKind, uniqueKey: String) async throws(StoreError) -> Document?
    func documents(_ query: DocumentQuery) async throws(StoreError) -> Page<Document>

    func job(_ id: String) async throws(StoreError) -> Job?
    func jobs(_ query: JobQuery) async throws(StoreError) -> Page<Job>
    /// Every job that has not ended, in the order of the line: what a gateway starts from.
    func unfinishedJobs() async throws(StoreError) -> [Job]

    func events(_ query: EventQuery) async throws(StoreError) -> [EventRow]

    /// Takes an idempotency key. Of any number of simultaneous calls exactly one gets `reserved`.
    func reserve(_ reservation: Reservation) async throws(StoreError) -> ReservationOutcome
    /// Gives a key back whose request ended without an answer to keep.
    func release(_ reservation: Reservation) async

    /// Forgets what `retention` allows.
    /// - Returns: how many rows went.
    @discardableResult
    func prune(_ retention: Retention) async throws(StoreError) -> Int

    /// Writes and syncs one row of no meaning: for readiness.
    func probe() async throws(StoreError)
}
