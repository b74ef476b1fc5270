import CSQLite
import CShimSQLite

/// Owns one prepared statement: bind its parameters, step through its rows, read columns by index from 0.
@safe
public final class Statement {
    private let statement: OpaquePointer
    private let connection: Connection

    init(_ sql: String, on connection: Connection, isKept: Bool) throws(SQLiteError) {
        var prepared: OpaquePointer?
        let flags = isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let code = unsafe sqlite3_prepare_v3(connection.handle, sql, -1, flags, &prepared, nil)
        guard code == SQLITE_OK else { throw connection.error(code) }
        guard let prepared = unsafe prepared else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "an empty statement")
        }
        unsafe statement = prepared
        self.connection = connection
    }

    deinit { unsafe sqlite3_finalize(statement) }

    /// True between the first row of a query and its end.
    var isBusy: Bool { unsafe sqlite3_stmt_busy(statement) != 0 }

    /// Starts over with these parameters, the first for `?1`.
    public func bind(_ values: [SQLValue]) throws(SQLiteError) {
        reset()
        for (offset, value) in values.enumerated() { try bind(value, at: Int32(clamping: offset + 1)) }
    }

    private func bind(_ value: SQLValue, at index: Int32) throws(SQLiteError) {
        let code: Int32
        switch value {
        case .null: code = unsafe sqlite3_bind_null(statement, index)
        case .integer(let number): code = unsafe sqlite3_bind_int64(statement, index, number)
        case .real(let number): code = unsafe sqlite3_bind_double(statement, index, number)
        case .text(let text):
            code = unsafe shim_sqlite_bind_text(statement, index, text, Int32(clamping: text.utf8.count))
        case .blob(let bytes) where bytes.isEmpty: code = unsafe sqlite3_bind_zeroblob(statement, index, 0)
        case .blob(let bytes):
            code = unsafe shim_sqlite_bind_blob(statement, index, bytes, Int32(clamping: bytes.count))
        }
        guard code == SQLITE_OK else { throw connection.error(code) }
    }

    /// Runs to the next row.
    /// - Returns: false at the end; the statement is then ready to be bound again.
    public func step() throws(SQLiteError) -> Bool {
        let code = unsafe sqlite3_step(statement)
        if code == SQLITE_ROW { return true }
        defer { reset() }
        guard code == SQLITE_DONE else { throw connection.error(code) }
        return false
    }

    /// Ends a query before its last row, and forgets the parameters.
    public func reset() {
        unsafe sqlite3_reset(statement)
        unsafe sqlite3_clear_bindings(statement)
    }

    public func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(statement, Int32(clamping: column)) == SQLITE_NULL
    }

    public func int64(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(statement, Int32(clamping: column)) }

    public func double(_ column: Int) -> Double { unsafe sqlite3_column_double(statement, Int32(clamping: column)) }

    /// The column as UTF-8 text; empty for null.
    public func text(_ column: Int) -> String {
        let index = Int32(clamping: column)
        guard let start = unsafe sqlite3_column_text(statement, index) else { return "" }
        let count = unsafe Int(sqlite3_column_bytes(statement, index))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// A copy of the column's bytes; empty for null.
    public func bytes(_ column: Int) -> [UInt8] {
        let index = Int32(clamping: column)
        guard let start = unsafe sqlite3_column_blob(statement, index) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(statement, index))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    public func optionalInt64(_ column: Int) -> Int64? { isNull(column) ? nil : int64(column) }
    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
}
