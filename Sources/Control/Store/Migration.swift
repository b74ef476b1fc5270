import SQLite

/// One numbered step of the schema. A released step is never edited: a change is a further step.
struct Migration: Sendable {
    let version: Int64
    let sql: String

    /// "SLCE": tells a store of ours from any other SQLite file.
    static let applicationID: Int64 = 0x534C_4345

    /// Brings the database up to date, each step in a transaction of its own.
    /// - Throws: `foreign` or `newerSchema` before anything is written.
    static func run(_ steps: [Migration] = schema, on database: Database) throws(StoreError) {
        let found = try version(of: database)
        let known = steps.last?.version ?? 0
        guard found <= known else { throw .newerSchema(found: found, known: known) }
        for step in steps where step.version > found { try step.run(on: database) }
    }

    /// The version that the database stands at: 0 for an empty one.
    static func version(of database: Database) throws(StoreError) -> Int64 {
        let owner = try database.number("PRAGMA application_id")
        if owner == applicationID { return try database.number("SELECT max(version) FROM schema_version") }
        guard owner == 0, try database.number("SELECT count(*) FROM sqlite_schema") == 0 else {
            throw .foreign("its application id is \(owner)")
        }
        return 0
    }

    private func run(on database: Database) throws(StoreError) {
        try database.script("BEGIN IMMEDIATE")
        do {
            try database.script(sql)
            try database.modify(
                "INSERT INTO schema_version VALUES (?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", [.integer(version)])
            try database.script("COMMIT")
        } catch {
            database.rollBack()
            throw error
        }
    }
}
