import CSQLite

extension SQLiteError.Reason {
    /// The low byte of an extended code is its class; a few codes say more than their class.
    init(code: Int32) { self = Self.codes[code] ?? Self.classes[code & 0xFF] ?? .other }

    // The macros of these codes are sums of others and do not reach Swift.
    private static let codes: [Int32: Self] = [
        SQLITE_CONSTRAINT | 6 << 8: .unique,  // SQLITE_CONSTRAINT_PRIMARYKEY
        SQLITE_CONSTRAINT | 8 << 8: .unique,  // SQLITE_CONSTRAINT_UNIQUE
        SQLITE_CONSTRAINT | 10 << 8: .unique,  // SQLITE_CONSTRAINT_ROWID
        // SQLITE_IOERR_SHMSIZE: the log's shared-memory file cannot grow, which is how a full volume often shows first.
        SQLITE_IOERR | 19 << 8: .full,
    ]

    private static let classes: [Int32: Self] = [
        SQLITE_FULL: .full, SQLITE_BUSY: .busy, SQLITE_LOCKED: .busy, SQLITE_CORRUPT: .corrupt,
        SQLITE_NOTADB: .notADatabase, SQLITE_READONLY: .readOnly, SQLITE_PERM: .readOnly,
        SQLITE_CANTOPEN: .cannotOpen, SQLITE_CONSTRAINT: .constraint, SQLITE_IOERR: .inputOutput,
        SQLITE_NOMEM: .outOfMemory,
    ]
}
