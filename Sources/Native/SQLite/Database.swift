import CSQLite

/// Owns one connection to a database file. It belongs to one thread at a time: it is not `Sendable`.
public final class Database {
    public enum Access: Sendable {
        /// Makes the file if there is none.
        case create
        case readWrite
        case readOnly
    }

    private let connection: Connection
    private var kept: [String: Statement] = [:]
    /// Texts that are put together from a request's filters must not fill the memory.
    private static let keptLimit = 100

    /// Opens `path`, syncing at every commit, with foreign keys enforced.
    /// - Parameter busyTimeout: how long a statement waits for another connection's lock.
    public init(path: String, access: Access = .create, busyTimeout: Duration = .seconds(5)) throws(SQLiteError) {
        let mode =
            switch access {
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readWrite: SQLITE_OPEN_READWRITE
            case .readOnly: SQLITE_OPEN_READONLY
            }
        connection = try Connection(path: path, flags: mode | SQLITE_OPEN_NOMUTEX)
        let (seconds, attoseconds) = busyTimeout.components
        let milliseconds = Int32(clamping: seconds &* 1000 &+ attoseconds / 1_000_000_000_000_000)
        unsafe sqlite3_busy_timeout(connection.handle, milliseconds)
        try execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;")
    }

    /// Turns the write-ahead log on: readers and the writer do not hold each other up. The file keeps the setting.
    public func useWriteAheadLog() throws(SQLiteError) {
        guard try text("PRAGMA journal_mode = WAL") == "wal" else {
            throw SQLiteError(
                code: SQLITE_CANTOPEN, message: "the volume does not support a write-ahead log (is it a network share?)"
            )
        }
    }

    /// Runs one or more statements that take no parameters; rows are dropped.
    public func execute(_ sql: String) throws(SQLiteError) {
        let code = unsafe sqlite3_exec(connection.handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw connection.error(code) }
    }

    /// The statement for `sql`, prepared once and kept. Finish or reset it before asking for the same text again; one that
    /// is still in use is left alone and a second one is made.
    public func statement(_ sql: String) throws(SQLiteError) -> Statement {
        if let known = kept[sql] {
            return known.isBusy ? try Statement(sql, on: connection, isKept: false) : known
        }
        let made = try Statement(sql, on: connection, isKept: true)
        if kept.count >= Self.keptLimit { kept.removeAll() }
        kept[sql] = made
        return made
    }

    /// Runs a statement to its end; rows are dropped.
    /// - Returns: how many rows it inserted, changed or deleted.
    @discardableResult
    public func run(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteError) -> Int {
        let statement = try statement(sql)
        try statement.bind(values)
        while try statement.step() {}
        return unsafe Int(sqlite3_changes(connection.handle))
    }

    /// Runs a query and makes one element of each row.
    public func rows<Element>(
        _ sql: String, _ values: [SQLValue] = [], _ make: (Statement) -> Element
    ) throws(SQLiteError) -> [Element] {
        let statement = try statement(sql)
        try statement.bind(values)
        var elements: [Element] = []
        while try statement.step() { elements.append(make(statement)) }
        return elements
    }

    /// The first column of the first row, or `nil` when there is no row or it is null.
    public func integer(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteError) -> Int64? {
        try rows(sql, values) { $0.optionalInt64(0) }.first ?? nil
    }

    public func text(_ sql: String, _ values: [SQLValue] = []) throws(SQLiteError) -> String? {
        try rows(sql, values) { $0.optionalText(0) }.first ?? nil
    }

    /// False too after an error (a full disk, for one) has made SQLite roll a transaction back by itself.
    public var isInTransaction: Bool { unsafe sqlite3_get_autocommit(connection.handle) == 0 }

    /// The key that the last insert gave its row.
    public var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(connection.handle) }
}
