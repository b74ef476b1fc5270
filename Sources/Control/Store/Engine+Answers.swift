import SQLite
import Timing

extension Engine {
    func reserve(_ reservation: Reservation) throws(StoreError) -> ReservationOutcome {
        let oldest = reservation.startedAt + .nanoseconds(-IdempotentAnswer.lifetime.nanoseconds)
        if let answer = try answer(reservation.scope), answer.finishedAt > oldest { return .answered(answer) }
        if let other = reservations[reservation.scope],
            reservation.startedAt - other.startedAt < Reservation.limit
        {
            return .running(other)
        }
        reservations[reservation.scope] = reservation
        return .reserved
    }

    /// Only its owner gives a reservation back: it may have passed to another after the limit.
    func release(_ reservation: Reservation) {
        guard reservations[reservation.scope] == reservation else { return }
        reservations[reservation.scope] = nil
    }

    /// Stores the answer. One that has outlived its time gives way.
    func keep(_ answer: IdempotentAnswer) throws(StoreError) {
        let oldest = answer.finishedAt.nanoseconds &- IdempotentAnswer.lifetime.nanoseconds
        try database.modify(
            "DELETE FROM answers WHERE scope = ?1 AND finished_at <= ?2", [.text(answer.scope.text), .integer(oldest)])
        let added = try database.modify(
            """
            INSERT INTO answers (scope, body_hash, started_at, finished_at, status, headers, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (scope) DO NOTHING
            """,
            [
                .text(answer.scope.text), .blob(answer.bodyHash), .integer(answer.startedAt.nanoseconds),
                .integer(answer.finishedAt.nanoseconds), .integer(Int64(answer.status)),
                .text(StringMap.encode(answer.headers)), .blob(answer.body),
            ])
        guard added == 1 else { throw .alreadyAnswered }
        answered.append(answer.scope)
    }

    private func answer(_ scope: IdempotencyScope) throws(StoreError) -> IdempotentAnswer? {
        try database.query(
            "SELECT body_hash, started_at, finished_at, status, headers, body FROM answers WHERE scope = ?1",
            [.text(scope.text)]
        ) { row in
            IdempotentAnswer(
                to: Reservation(
                    scope: scope, bodyHash: row.bytes(0), startedAt: WallTime(nanoseconds: row.int64(1))),
                finishedAt: WallTime(nanoseconds: row.int64(2)), status: Int(row.int64(3)),
                headers: StringMap.decode(row.text(4)), body: row.bytes(5))
        }.first
    }

    func prune(_ retention: Retention) throws(StoreError) -> Int {
        let limit = SQLValue.integer(Int64(max(retention.limit, 1)))
        var count = 0
        if let time = retention.answersBefore { reservations = reservations.filter { $0.value.startedAt >= time } }
        for (kind, time) in retention.documents {
            count += try database.modify(
                """
                DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents
                    WHERE kind = ?1 AND is_active = 0 AND updated_at < ?2 ORDER BY updated_at LIMIT ?3)
                """, [.text(kind.rawValue), .integer(time.nanoseconds), limit])
        }
        let tables = [
            ("jobs", "position", "ended_at", retention.jobsEndedBefore),
            ("events", "sequence", "at", retention.eventsBefore),
            ("answers", "scope", "finished_at", retention.answersBefore),
        ]
        for case (let table, let key, let column, let time?) in tables {
            count += try database.modify(
                """
                DELETE FROM \(table) WHERE \(key) IN
                    (SELECT \(key) FROM \(table) WHERE \(column) < ?1 ORDER BY \(column) LIMIT ?2)
                """, [.integer(time.nanoseconds), limit])
        }
        return count
    }
}
