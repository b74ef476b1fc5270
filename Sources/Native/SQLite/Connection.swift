import CSQLite

/// Owns one `sqlite3`. Statements hold it too, so it is closed after the last of them.
@safe
final class Connection {
    let handle: OpaquePointer

    init(path: String, flags: Int32) throws(SQLiteError) {
        var handle: OpaquePointer?
        let code = unsafe sqlite3_open_v2(path, &handle, flags, nil)
        guard let opened = unsafe handle else {
            throw SQLiteError(code: SQLITE_NOMEM, message: "no memory for a database connection")
        }
        guard code == SQLITE_OK else {
            let error = unsafe SQLiteError(code: sqlite3_extended_errcode(opened), message: Self.message(of: opened))
            unsafe sqlite3_close_v2(opened)
            throw error
        }
        unsafe self.handle = opened
        unsafe sqlite3_extended_result_codes(opened, 1)
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    /// The error of the last call that failed.
    func error(_ code: Int32) -> SQLiteError {
        unsafe SQLiteError(code: code, message: Self.message(of: handle))
    }

    private static func message(of handle: OpaquePointer) -> String {
        guard let text = unsafe sqlite3_errmsg(handle) else { return "no message" }
        return unsafe String(cString: text)
    }
}
