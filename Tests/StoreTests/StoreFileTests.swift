import FoundationEssentials
import SQLite
import Spec
import Testing
import Timing

@testable import Store

@Suite("A store's file")
struct StoreFileTests {
    /// Opens the store and gives the error that a person reads.
    static func failure(_ path: String) -> StoreError? {
        do throws(StoreError) {
            _ = try SQLiteStore(path: path, busyTimeout: .milliseconds(1), maximumPages: nil)
            return nil
        } catch { return error }
    }

    @Test("is migrated from each earlier version, and its rows stay", arguments: 1..<Migration.schema.count)
    func migration(from version: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("store.db")
        let old = try Database(path: path)
        try Migration.run(Array(Migration.schema.prefix(version)), on: old)
        #expect(try Migration.version(of: old) == Int64(version))
        try old.execute(
            """
            INSERT INTO documents VALUES ('egress', 'EG_1', 3, 5, 6, 'demo', 'RM_1', 'active', 1, '{"a":"b"}', 'k', 'u',
                x'7b7d');
            INSERT INTO labels VALUES ('egress', 'a', 'b', 'EG_1');
            INSERT INTO jobs (id, kind, subject, pipeline, milli_cores, memory_bytes, state, attempt, fence, created_at)
                VALUES ('JB_1', 'egress', 'EG_1', 'p', 1, 2, 'running', 1, 1, 5);
            INSERT INTO events (id, at, kind, subject, body) VALUES ('EV_1', 5, 'started', 'EG_1', x'7b7d');
            """)
        let store = try SQLiteStore(path: path)
        var query = DocumentQuery(.egress)
        query.labels = ["a": "b"]
        let document = try await store.documents(query).items.first
        #expect(document?.id == "EG_1" && document?.version == 3 && document?.uniqueKey == "u")
        #expect(try await store.unfinishedJobs().map(\.state) == [.running])
        #expect(try await store.events(EventQuery()).map(\.id) == ["EV_1"])
        #expect(try await store.reserve(IdempotencyConformanceTests.reservation()) == .reserved)
        #expect(try old.rows("SELECT version FROM schema_version", []) { $0.int64(0) } == [1, 2, 3])
    }

    @Test("gets the schema in steps that a failure leaves whole")
    func failedMigration() throws {
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.path("store.db"))
        let broken =
            Migration.schema.prefix(1) + [Migration(version: 2, sql: "CREATE TABLE a (b); DROP TABLE nothing;")]
        #expect(throws: StoreError.self) { try Migration.run(Array(broken), on: database) }
        #expect(try Migration.version(of: database) == 1)
        #expect(try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'a'") == 0)
        try Migration.run(on: database)
        #expect(try Migration.version(of: database) == Migration.schema.last?.version)
    }

    @Test("of a newer Sluice is left alone")
    func newerSchema() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("store.db")
        do {
            let database = try Database(path: path)
            try Migration.run(
                Migration.schema + [Migration(version: 99, sql: "CREATE TABLE future (a);")], on: database)
        }
        let error = Self.failure(path)
        #expect(error == .newerSchema(found: 99, known: 3))
        #expect(error?.remedy.contains("Run the Sluice that wrote it") == true)
        #expect(throws: StoreError.self) { try StoreFile.check(path) }
    }

    @Test("that is not ours is not touched")
    func foreign() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("other.db")
        do { try Database(path: path).execute("CREATE TABLE theirs (a)") }
        let before = FileManager.default.contents(atPath: path)
        guard case .foreign = Self.failure(path) else {
            Issue.record("opened somebody else's database")
            return
        }
        #expect(FileManager.default.contents(atPath: path) == before)
    }

    @Test("that is damaged, locked or out of reach is refused with a remedy")
    func trouble() async throws {
        let folder = try TemporaryFolder()
        let garbage = folder.path("garbage.db")
        #expect(FileManager.default.createFile(atPath: garbage, contents: Data(repeating: 0x55, count: 9000)))
        guard case .corrupt = Self.failure(garbage) else {
            Issue.record("opened garbage")
            return
        }
        guard case .unavailable = Self.failure(folder.path("missing/store.db")) else {
            Issue.record("opened a file in no folder")
            return
        }
        let path = folder.path("store.db")
        let store = try SQLiteStore(path: path, busyTimeout: .milliseconds(1), maximumPages: nil)
        let other = try Database(path: path)
        try other.execute("BEGIN IMMEDIATE")
        let error = await #expect(throws: StoreError.self) { try await store.probe() }
        guard case .locked = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.remedy.contains("other program") == true)
        #expect(try await store.unfinishedJobs().isEmpty)
        try other.execute("ROLLBACK")
        try await store.probe()
    }

    @Test("is found damaged when a page of it was overwritten")
    func damage() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("store.db")
        let store = try SQLiteStore(path: path)
        for number in 0..<50 {
            try await store.commit(
                Change(jobs: [.enqueue(.test("JB_\(number)"))], events: [.test("EV_\(number)")]))
        }
        await store.close()
        #expect(try StoreFile.check(path).isEmpty)
        var bytes = try Data(contentsOf: URL(filePath: path))
        #expect(bytes.count > 12 * 4096)
        for offset in stride(from: 4096, to: bytes.count, by: 4096) { bytes[offset] = 0x77 }
        try bytes.write(to: URL(filePath: path))
        let finding = Result { () throws(StoreError) in try StoreFile.check(path) }
        switch finding {
        case .success(let faults): #expect(!faults.isEmpty)
        case .failure(.corrupt): break
        case .failure(let error): Issue.record("\(error)")
        }
    }

    @Test("is copied while it is in use")
    func backup() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("store.db")
        let copy = folder.path("copy.db")
        let store = try SQLiteStore(path: path)
        try await store.commit(Change(jobs: [.enqueue(.test("JB_1"))], events: [.test("EV_1")]))
        try StoreFile.backup(path, to: copy)
        try await store.commit(Change(jobs: [.enqueue(.test("JB_2"))]))
        #expect(throws: StoreError.self) { try StoreFile.backup(path, to: copy) }
        #expect(try StoreFile.check(copy).isEmpty)
        let restored = try SQLiteStore(path: copy)
        #expect(try await restored.unfinishedJobs().map(\.id) == ["JB_1"])
        #expect(try await restored.commit(Change(jobs: [.enqueue(.test("JB_3"))])).jobs[0].order == 2)
    }
}
