import SQLite

extension StoreError {
    init(_ error: SQLiteError) {
        self =
            switch error.reason {
            case .full: .full(error.description)
            case .busy: .locked(error.description)
            case .corrupt, .notADatabase: .corrupt(error.description)
            case .readOnly: .readOnly(error.description)
            case .cannotOpen, .unique, .constraint, .inputOutput, .outOfMemory, .other: .unavailable(error.description)
            }
    }
}

/// The owner's calls with the store's errors.
extension Database {
    func script(_ sql: String) throws(StoreError) {
        do { try execute(sql) } catch { throw StoreError(error) }
    }

    @discardableResult
    func modify(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int {
        do { return try run(sql, values) } catch { throw StoreError(error) }
    }

    func query<Element>(
        _ sql: String, _ values: [SQLValue] = [], _ make: (Statement) -> Element
    ) throws(StoreError) -> [Element] {
        do { return try rows(sql, values, make) } catch { throw StoreError(error) }
    }

    /// The first column of the first row; 0 when there is none.
    func number(_ sql: String, _ values: [SQLValue] = []) throws(StoreError) -> Int64 {
        do { return try integer(sql, values) ?? 0 } catch { throw StoreError(error) }
    }

    /// Ends a transaction that failed. It may be gone already: SQLite rolls back by itself when the volume is full.
    func rollBack() {
        guard isInTransaction else { return }
        try? execute("ROLLBACK")
    }
}
