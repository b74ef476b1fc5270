import Spec
import Testing
import Timing

@testable import Store

@Suite("The SQLite store")
struct SQLiteStoreTests {
    static func store(_ folder: TemporaryFolder, maximumPages: Int? = nil) throws -> SQLiteStore {
        try SQLiteStore(path: folder.path("store.db"), busyTimeout: .milliseconds(1), maximumPages: maximumPages)
    }

    @Test("syncs a thousand simultaneous enqueues and leases in few transactions")
    func groupCommit() async throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder)
        let orders = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let id = "JB_\(number)"
                    let job = try await store.commit(
                        Change(jobs: [.enqueue(.test(id))], events: [.test("EV_\(number)")])
                    ).jobs[0]
                    let leased = try await store.commit(
                        Change(jobs: [.lease(job: id, worker: "WK_1", at: .at(1))])
                    ).jobs[0]
                    #expect(leased.fence == 1 && leased.order == job.order)
                    return job.order
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(orders).count == 1000)
        #expect(store.statistics.writes == 2000)
        #expect(store.statistics.transactions < 200)
        #expect(try await store.unfinishedJobs().map(\.state) == Array(repeating: .leased, count: 1000))
        #expect(try await store.unfinishedJobs().map(\.order) == orders.sorted())
    }

    @Test("lets one failed change of a group fail alone")
    func failureWithinGroup() async throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder)
        let results = await withTaskGroup(of: (Int, StoreError?).self) { group in
            for number in 0..<300 {
                group.addTask {
                    // Every third one asks for the same id.
                    let id = number % 3 == 0 ? "EG_same" : "EG_\(number)"
                    let change = Change(
                        documents: [.put(.egress(id), expected: nil)], jobs: [.enqueue(.test("JB_\(number)"))])
                    do throws(StoreError) { try await store.commit(change) } catch { return (number, error) }
                    return (number, nil)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let failed = results.filter { $0.1 != nil }
        #expect(failed.count == 99)
        #expect(failed.allSatisfy { $0.0 % 3 == 0 })
        #expect(try await store.unfinishedJobs().count == 201)
    }

    @Test("keeps everything over a restart but requests in hand")
    func restart() async throws {
        let folder = try TemporaryFolder()
        let first = try Self.store(folder)
        let running = IdempotencyConformanceTests.reservation("running")
        let answered = IdempotencyConformanceTests.reservation("answered")
        let answer = IdempotencyConformanceTests.answer(answered, at: 1)
        _ = try await first.reserve(running)
        let committed = try await first.commit(
            Change(
                documents: [.put(.egress("EG_1", labels: ["a": "b"]), expected: nil)], jobs: [.enqueue(.test("JB_1"))],
                events: [.test("EV_1")], answer: answer))
        await first.close()
        await #expect(throws: StoreError.closed) { try await first.job("JB_1") }
        await #expect(throws: StoreError.closed) { try await first.commit(Change()) }
        await first.close()

        let second = try Self.store(folder)
        #expect(try await second.document(.egress, id: "EG_1") == committed.documents[0])
        #expect(try await second.unfinishedJobs() == committed.jobs)
        #expect(try await second.events(EventQuery()).map(\.id) == ["EV_1"])
        #expect(try await second.reserve(answered) == .answered(answer))
        #expect(try await second.reserve(running) == .reserved)
    }

    @Test("answers whoever waits when it is closed, one way or the other")
    func closeUnderLoad() async throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder)
        let done = await withTaskGroup(of: String?.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let change = Change(jobs: [.enqueue(.test("JB_\(number)"))])
                    do throws(StoreError) { return try await store.commit(change).jobs[0].id } catch {
                        #expect(error == .closed)
                        return nil
                    }
                }
                if number == 100 {
                    group.addTask {
                        await store.close(); return nil
                    }
                }
            }
            return await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
        }
        let again = try Self.store(folder)
        #expect(Set(try await again.unfinishedJobs().map(\.id)) == done)
    }

    @Test("says that its volume is full, changes nothing, and still reads")
    func fullVolume() async throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder, maximumPages: 60)
        var count = 0
        var error: StoreError?
        while error == nil && count < 1000 {
            var document = Document.egress("EG_\(count)")
            document.body = Array(repeating: 0x20, count: 5000)
            do throws(StoreError) {
                try await store.commit(
                    Change(documents: [.put(document, expected: nil)], jobs: [.enqueue(.test("JB_\(count)"))]))
                count += 1
            } catch let failure { error = failure }
        }
        guard case .full = error else {
            Issue.record("filled with \(String(describing: error))")
            return
        }
        #expect(error?.remedy.contains("Free space") == true)
        #expect(count > 3)
        #expect(try await store.unfinishedJobs().count == count)
        #expect(try await store.document(.egress, id: "EG_\(count)") == nil)
        // What needs no further page goes on.
        try await store.commit(Change(documents: [.delete(.egress, id: "EG_0", expected: 1)]))
    }

    @Test("fails each of a group truthfully when the volume fills in the middle")
    func fullVolumeInGroup() async throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(folder, maximumPages: 60)
        let done = await withTaskGroup(of: String?.self) { group in
            for number in 0..<100 {
                group.addTask {
                    var document = Document.egress("EG_\(number)")
                    document.body = Array(repeating: 0x20, count: 9000)
                    do throws(StoreError) {
                        return try await store.commit(Change(documents: [.put(document, expected: nil)])).documents[0]
                            .id
                    } catch {
                        guard case .full = error else {
                            Issue.record("\(error)")
                            return nil
                        }
                        return nil
                    }
                }
            }
            return await group.reduce(into: Set<String>()) { if let id = $1 { $0.insert(id) } }
        }
        #expect(done.count < 100)
        var query = DocumentQuery(.egress)
        query.limit = 200
        #expect(Set(try await store.documents(query).items.map(\.id)) == done)
    }
}
