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

    /// The schema version that the file has, and the one that this build writes.
    public static func schema(_ path: String) throws(StoreError) -> (found: Int64, known: Int64) {
        (try Migration.version(of: try open(path)), Migration.schema.last?.version ?? 0)
    }

    /// The bodies of all documents of a kind, without a change to the file: an older schema stays what it is.
    public static func bodies(_ path: String, of kind: DocumentKind) throws(StoreError) -> [[UInt8]] {
        try open(path).query("SELECT body FROM documents WHERE kind = ?1 ORDER BY id", [.text(kind.rawValue)]) {
            $0.bytes(0)
        }
    }

    /// Jobs that have not ended, each with what it works on.
    public static func unfinishedJobs(_ path: String) throws(StoreError) -> [(id: String, subject: String)] {
        let ended = JobState.allCases.filter(\.isEnded).map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return try open(path).query("SELECT id, subject FROM jobs WHERE state NOT IN (\(ended)) ORDER BY position") {
            ($0.text(0), $0.text(1))
        }
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
