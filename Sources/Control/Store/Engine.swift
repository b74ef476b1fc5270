import SQLite
import Timing

/// What a change and a query mean in SQL. It belongs to the store's thread.
final class Engine {
    let database: Database
    /// Requests in hand under an idempotency key. Not durable on purpose: see `Reservation`.
    var reservations: [IdempotencyScope: Reservation] = [:]

    /// Scopes that this transaction answers.
    var answered: [IdempotencyScope] = []
    /// What cost the group its transaction, if anything did.
    private var loss: StoreError?

    init(path: String, busyTimeout: Duration) throws(StoreError) {
        do { database = try Database(path: path, busyTimeout: busyTimeout) } catch { throw StoreError(error) }
        _ = try Migration.version(of: database)  // before anything is written to a file that is not ours
        do { try database.useWriteAheadLog() } catch { throw StoreError(error) }
        try Migration.run(on: database)
    }

    func beginTransaction() throws(StoreError) {
        loss = nil
        answered.removeAll()
        do { try database.modify("BEGIN IMMEDIATE") } catch {
            loss = error
            throw error
        }
    }

    /// Makes the group durable: returns after the sync.
    func endTransaction() throws(StoreError) {
        guard database.isInTransaction else { throw loss ?? .unavailable("the transaction was rolled back") }
        try database.modify("COMMIT")
        for scope in answered { reservations[scope] = nil }
    }

    /// Applies `change` within the transaction that is open: all of it, or, with an error, nothing.
    func apply(_ change: Change) throws(StoreError) -> Committed {
        try atomically { () throws(StoreError) in
            var committed = Committed()
            for step in change.documents {
                if let document = try apply(step) { committed.documents.append(document) }
            }
            for step in change.jobs { committed.jobs.append(try apply(step)) }
            for event in change.events { committed.events.append(try append(event)) }
            if let answer = change.answer { try keep(answer) }
            return committed
        }
    }

    /// Runs `body` in a savepoint of the open transaction and undoes it alone when it throws.
    func atomically<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        // An earlier change of the group may have cost the whole transaction; outside one each statement would commit.
        guard database.isInTransaction else { throw loss ?? .unavailable("there is no transaction") }
        try database.modify("SAVEPOINT change")
        do {
            let value = try body()
            try database.modify("RELEASE change")
            return value
        } catch {
            if database.isInTransaction {
                try database.modify("ROLLBACK TO change")
                try database.modify("RELEASE change")
            } else {
                loss = error
            }
            throw error
        }
    }

    func probe() throws(StoreError) {
        try database.modify("UPDATE probe SET count = count + 1 WHERE id = 1")
    }

    private func append(_ event: EventRow) throws(StoreError) -> Int64 {
        let added = try database.modify(
            """
            INSERT INTO events (id, at, kind, subject, room, room_id, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT (id) DO NOTHING
            """,
            [
                .text(event.id), .integer(event.at.nanoseconds), .text(event.kind), .text(event.subject),
                .optional(event.room), .optional(event.roomID), .blob(event.body),
            ])
        guard added == 1 else { throw .exists(id: event.id) }
        return database.lastInsertedRow
    }

    func events(_ query: EventQuery) throws(StoreError) -> [EventRow] {
        var filter = Filter()
        filter.add("sequence > ?", .integer(query.after))
        if let subject = query.subject { filter.add("subject = ?", .text(subject)) }
        if let roomID = query.roomID { filter.add("room_id = ?", .text(roomID)) }
        let limit = Int64(min(max(query.limit, 1), 1000))
        return try database.query(
            """
            SELECT sequence, id, at, kind, subject, room, room_id, body FROM events \(filter.clause)
            ORDER BY sequence LIMIT \(limit)
            """, filter.values
        ) { row in
            var event = EventRow(
                id: row.text(1), at: WallTime(nanoseconds: row.int64(2)), kind: row.text(3), subject: row.text(4),
                room: row.optionalText(5), roomID: row.optionalText(6), body: row.bytes(7))
            event.sequence = row.int64(0)
            return event
        }
    }
}

/// The conditions of a query and their parameters, side by side.
struct Filter {
    private(set) var conditions: [String] = []
    private(set) var values: [SQLValue] = []

    /// - Parameter condition: with one `?` for each of `added`.
    mutating func add(_ condition: String, _ added: SQLValue...) {
        conditions.append(condition)
        values += added
    }

    mutating func add(_ column: String, among texts: [String]) {
        guard !texts.isEmpty else { return }
        conditions.append("\(column) IN (\(texts.map { _ in "?" }.joined(separator: ", ")))")
        values += texts.map(SQLValue.text)
    }

    var clause: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }
}
