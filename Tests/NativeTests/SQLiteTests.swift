import FoundationEssentials
import SQLite
import Spec
import Testing

@Suite("SQLite's owner")
struct SQLiteTests {
    static let values: [SQLValue] = [
        nil, 0, .integer(.min), .integer(.max), .real(0.1), "", "döner \u{1F959}", "a\u{0}b",
        .text("'; DROP TABLE t; --"),
        .blob([]), .blob([0, 255, 0]), .blob(Array(repeating: 7, count: 100_000)),
    ]

    @Test("gives back each value as it was bound", arguments: values.indices)
    func roundTrip(row: Int) throws {
        let value = Self.values[row]
        let database = try Database(path: ":memory:")
        try database.execute("CREATE TABLE t (a)")
        #expect(try database.run("INSERT INTO t VALUES (?1)", [value]) == 1)
        let read = try database.rows("SELECT a FROM t") { row -> SQLValue in
            switch value {
            case .null: row.isNull(0) ? .null : .text(row.text(0))
            case .integer: .integer(row.int64(0))
            case .real: .real(row.double(0))
            case .text: .text(row.text(0))
            case .blob: row.isNull(0) ? .null : .blob(row.bytes(0))
            }
        }
        #expect(read == [value])
        #expect(try database.rows("SELECT a FROM t WHERE a IS ?1", [value]) { $0.isNull(0) }.count == 1)
    }

    static let failures: [(sql: String, reason: SQLiteError.Reason)] = [
        ("INSERT INTO t VALUES (1, 'x', 1)", .unique),
        ("INSERT INTO t VALUES (3, 'a', 1)", .unique),
        ("INSERT INTO t VALUES (3, NULL, 1)", .constraint),
        ("INSERT INTO t VALUES (3, 'c', 9)", .constraint),
        ("INSERT INTO t VALUES (3, 'c', 'text')", .constraint),
        ("INSERT INTO nowhere VALUES (1)", .other),
        ("SELEKT", .other),
        ("", .other),
    ]

    @Test("names what went wrong", arguments: failures)
    func errors(sql: String, reason: SQLiteError.Reason) throws {
        let database = try Database(path: ":memory:")
        try database.execute(
            """
            CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL UNIQUE, c INTEGER REFERENCES t) STRICT;
            INSERT INTO t VALUES (1, 'a', 1);
            """)
        let error = #expect(throws: SQLiteError.self) { try database.run(sql) }
        #expect(error?.reason == reason)
        #expect(error?.message.isEmpty == false)
        #expect(try database.integer("SELECT count(*) FROM t") == 1)
    }

    @Test("tells files that it cannot use apart")
    func files() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.db")
        let missing = #expect(throws: SQLiteError.self) { try Database(path: path, access: .readWrite) }
        #expect(missing?.reason == .cannotOpen)

        let first = try Database(path: path, busyTimeout: .zero)
        try first.useWriteAheadLog()
        try first.execute("CREATE TABLE t (a)")
        let second = try Database(path: path, busyTimeout: .zero)
        try first.execute("BEGIN IMMEDIATE")
        #expect(first.isInTransaction && !second.isInTransaction)
        #expect(Self.reason { try second.execute("BEGIN IMMEDIATE") } == .busy)
        try first.execute("COMMIT; PRAGMA max_page_count = 2;")
        #expect(
            Self.reason { try first.run("INSERT INTO t VALUES (?1)", [.blob(Array(repeating: 0, count: 9000))]) }
                == .full)

        let reader = try Database(path: path, access: .readOnly)
        #expect(try reader.integer("SELECT count(*) FROM t") == 0)
        #expect(Self.reason { try reader.execute("DELETE FROM t") } == .readOnly)

        let garbage = folder.path("garbage.db")
        #expect(FileManager.default.createFile(atPath: garbage, contents: Data(repeating: 0x55, count: 4096)))
        #expect(Self.reason { try Database(path: garbage).execute("SELECT * FROM sqlite_schema") } == .notADatabase)
    }

    @Test("keeps statements that are in use apart, and survives more texts than it keeps")
    func statements() throws {
        let database = try Database(path: ":memory:")
        try database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")
        let outer = try database.statement("SELECT a FROM t ORDER BY a")
        var pairs = 0
        while try outer.step() {
            let inner = try database.statement("SELECT a FROM t ORDER BY a")
            while try inner.step() { pairs += 1 }
        }
        #expect(pairs == 9)
        for number in 0..<500 { #expect(try database.integer("SELECT \(number)") == Int64(number)) }
        #expect(try database.integer("SELECT max(a) FROM t") == 3)
        #expect(try database.text("SELECT NULL") == nil)
    }

    private static func reason(_ body: () throws -> some Any) -> SQLiteError.Reason? {
        do { _ = try body() } catch { return (error as? SQLiteError)?.reason }
        return nil
    }
}
