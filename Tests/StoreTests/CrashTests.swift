import FoundationEssentials
import Glibc
import Store
import Synchronization
import Spec
import Testing
import Timing

@Suite("A store whose process is killed")
struct CrashTests {
    static let writers = 8

    /// One commit moves three things that belong together; a writer's document counts its commits.
    static func change(_ number: Int, of writer: Int) -> Change {
        Change(
            documents: [.put(.egress("EG_\(writer)"), expected: number == 0 ? nil : Int64(number))],
            jobs: [.enqueue(.test("JB_\(writer)_\(number)", subject: "EG_\(writer)"))],
            events: [.test("EV_\(writer)_\(number)", subject: "EG_\(writer)")])
    }

    /// Commits without end from several tasks. The one that makes the `limit`th ends the process, while the others are
    /// anywhere in a commit.
    static func work(path: String, acknowledged: String, limit: Int) async throws {
        let store = try SQLiteStore(path: path)
        let log = unsafe open(acknowledged, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let counter = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    for number in 0..<Int.max {
                        try await store.commit(change(number, of: writer))
                        // The kernel keeps what was written, whatever becomes of the process.
                        guard unsafe write(log, "\(writer)", 1) == 1 else { return }
                        let total = counter.count.add(1, ordering: .relaxed).newValue
                        if total == limit { _ = kill(getpid(), SIGKILL) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("keeps every commit that had returned, and none by halves", arguments: [1, 9, 100, 333, 777, 1500])
    func killed(after limit: Int) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("store.db")
        let acknowledged = folder.path("acknowledged")
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, acknowledged = acknowledged as String, limit = limit as Int] in
            try await CrashTests.work(path: path, acknowledged: acknowledged, limit: limit)
        }
        let returned = try Data(contentsOf: URL(filePath: acknowledged))
        #expect(returned.count >= limit)
        #expect(try StoreFile.check(path).isEmpty)
        let store = try SQLiteStore(path: path)
        let jobs = try await store.unfinishedJobs()
        for writer in 0..<Self.writers {
            let own = jobs.filter { $0.subject == "EG_\(writer)" }.map(\.id)
            #expect(own == own.indices.map { "JB_\(writer)_\($0)" })
            #expect(own.count >= returned.count { $0 == UInt8(ascii: "0") + UInt8(writer) })
            #expect(try await store.document(.egress, id: "EG_\(writer)")?.version ?? 0 == Int64(own.count))
            let events = try await store.events(EventQuery(subject: "EG_\(writer)", limit: 1000)).map(\.id)
            #expect(events == own.indices.map { "EV_\(writer)_\($0)" })
            try await store.commit(Self.change(own.count, of: writer))
        }
    }
}

private final class Counter: Sendable {
    let count = Atomic(0)
}
