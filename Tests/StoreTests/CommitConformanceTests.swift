import Store
import Testing
import Timing

@Suite("A store's commits and events")
struct CommitConformanceTests {
    @Test("are all or nothing, whichever step fails", arguments: StoreUnderTest.all, 0..<5)
    func atomicity(of store: StoreUnderTest, failing: Int) async throws {
        try await store.run { store async throws in
            let taken = Reservation(
                scope: IdempotencyScope(apiKey: "k", method: "POST", path: "/", key: "1"), bodyHash: [1],
                startedAt: .at(0))
            let answer = IdempotentAnswer(to: taken, finishedAt: .at(1), status: 201, headers: [:], body: [])
            try await store.commit(
                Change(
                    documents: [.put(.egress("EG_0"), expected: nil)], jobs: [.enqueue(.test("JB_0"))],
                    events: [.test("EV_0")], answer: answer))
            var change = Change(
                documents: [.put(.egress("EG_1"), expected: nil)], jobs: [.enqueue(.test("JB_1"))],
                events: [.test("EV_1")])
            switch failing {
            case 0: change.documents.append(.put(.egress("EG_0"), expected: nil))
            case 1: change.jobs.append(.enqueue(.test("JB_0")))
            case 2: change.jobs.append(.start(job: "JB_0", fence: 9, at: .at(1)))
            case 3: change.events.append(.test("EV_0"))
            default: change.answer = answer
            }
            await #expect(throws: StoreError.self) { try await store.commit(change) }
            #expect(try await store.document(.egress, id: "EG_1") == nil)
            #expect(try await store.job("JB_1") == nil)
            #expect(try await store.events(EventQuery()).map(\.id) == ["EV_0"])
        }
    }

    @Test("show later steps what earlier ones did", arguments: StoreUnderTest.all)
    func stepsInOrder(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let document = Document.egress("EG_1")
            let committed = try await store.commit(
                Change(
                    documents: [.put(document, expected: nil), .put(document, expected: 1)],
                    jobs: [
                        .enqueue(.test("JB_1")), .lease(job: "JB_1", worker: "WK_1", at: .at(1)),
                        .start(job: "JB_1", fence: 1, at: .at(1)),
                    ]))
            #expect(committed.documents.map(\.version) == [1, 2])
            #expect(committed.jobs.map(\.state) == [.queued, .leased, .running])
        }
    }

    @Test("that are empty succeed, and a probe leaves no trace", arguments: StoreUnderTest.all)
    func emptyChange(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            #expect(Change().isEmpty)
            #expect(try await store.commit(Change()).events.isEmpty)
            try await store.probe()
            #expect(try await store.events(EventQuery()).isEmpty)
        }
    }

    @Test("let exactly one of 50 simultaneous writers win each version", arguments: StoreUnderTest.all)
    func contention(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            for version in 0..<5 as Range<Int64> {
                let wins = await withTaskGroup(of: Bool.self) { group in
                    for writer in 0..<50 {
                        group.addTask {
                            let document = Document.egress("EG_1", state: "by \(writer)")
                            let step = DocumentChange.put(document, expected: version == 0 ? nil : version)
                            return (try? await store.commit(Change(documents: [step]))) != nil
                        }
                    }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(wins == 1)
                #expect(try await store.document(.egress, id: "EG_1")?.version == version + 1)
            }
        }
    }

    @Test("write events that are read in order, from any place, by subject and room", arguments: StoreUnderTest.all)
    func events(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let sequences = try await store.commit(
                Change(events: (1...6).map { .test("EV_\($0)", subject: "EG_\($0 % 2)", at: Double($0)) })
            ).events
            #expect(sequences == sequences.sorted() && Set(sequences).count == 6)
            let all = try await store.events(EventQuery())
            #expect(all.map(\.sequence) == sequences)
            #expect(all.map(\.id) == (1...6).map { "EV_\($0)" })
            #expect(all[2].at == .at(3) && all[2].roomID == "RM_demo" && all[2].body == [0x7B, 0x7D])
            #expect(try await store.events(EventQuery(after: sequences[3])).map(\.id) == ["EV_5", "EV_6"])
            #expect(try await store.events(EventQuery(subject: "EG_0", limit: 2)).map(\.id) == ["EV_2", "EV_4"])
            #expect(try await store.events(EventQuery(roomID: "RM_other")).isEmpty)
            await #expect(throws: StoreError.exists(id: "EV_1")) {
                try await store.commit(Change(events: [.test("EV_1")]))
            }
            var retention = Retention()
            retention.eventsBefore = .at(6)
            retention.limit = 3
            #expect(try await store.prune(retention) == 3)
            #expect(try await store.prune(retention) == 2)
            #expect(try await store.prune(retention) == 0)
            #expect(try await store.events(EventQuery()).map(\.sequence) == [sequences[5]])
            // A number is never given twice, even after its row has gone.
            let next = try await store.commit(Change(events: [.test("EV_7")])).events[0]
            #expect(next > sequences[5])
        }
    }
}
