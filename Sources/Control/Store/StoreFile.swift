import SQLite

/// A store's file as a whole, for `sluice store …`. The gateway may be running: it is not held up.
public enum StoreFile {
    /// Writes a copy of one instant to `target`, compacted.
    /// - Throws: `unavailable` when there is already a file.
    public static func backup(_ path: String, to target: String) throws(StoreError) {
        let database = try open(path)
        try database.modify("VACUUM INTO ?1", [.text(target)])
    }

    /// Reads every page and index.
    /// - Returns: what is wrong with the file, in SQLite's words; empty when it is whole.
    public static func check(_ path: String) throws(StoreError) -> [String] {
        let database = try open(path)
        let faults = try database.query("PRAGMA integrity_check") { $0.text(0) }.filter { $0 != "ok" }
        let dangling = try database.query("PRAGMA foreign_key_check") { "a row of \($0.text(0)) belongs to nothing" }
        return faults + dangling
    }

    private static func open(_ path: String) throws(StoreError) -> Database {
        let database: Database
        do { database = try Database(path: path, access: .readWrite) } catch { throw StoreError(error) }
        let found = try Migration.version(of: database)
        guard found > 0 else { throw .foreign("it is empty") }
        let known = Migration.schema.last?.version ?? 0
        guard found <= known else { throw .newerSchema(found: found, known: known) }
        return database
    }
}
