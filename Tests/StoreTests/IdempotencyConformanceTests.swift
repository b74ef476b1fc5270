import Store
import Testing
import Timing

@Suite("A store's idempotency keys")
struct IdempotencyConformanceTests {
    static func reservation(_ key: String = "k1", body: [UInt8] = [1], at seconds: Double = 0) -> Reservation {
        Reservation(
            scope: IdempotencyScope(apiKey: "devkey", method: "POST", path: "/v1/egress", key: key), bodyHash: body,
            startedAt: .at(seconds))
    }

    static func answer(_ reservation: Reservation, at seconds: Double) -> IdempotentAnswer {
        IdempotentAnswer(
            to: reservation, finishedAt: .at(seconds), status: 201, headers: ["Location": "/v1/egress/EG_1"],
            body: Array("{}".utf8))
    }

    @Test("are won by exactly one of 50 simultaneous requests", arguments: StoreUnderTest.all)
    func oneWinner(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let outcomes = try await withThrowingTaskGroup(of: ReservationOutcome.self) { group in
                for second in 0..<50 {
                    group.addTask { try await store.reserve(Self.reservation(at: Double(second))) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let winners = outcomes.filter { $0 == .reserved }
            let running = outcomes.filter { if case .running = $0 { true } else { false } }
            #expect(winners.count == 1 && running.count == 49)
        }
    }

    @Test("give the first answer again, from the commit on", arguments: StoreUnderTest.all)
    func replay(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let first = Self.reservation()
            #expect(try await store.reserve(first) == .reserved)
            #expect(try await store.reserve(Self.reservation(body: [2], at: 1)) == .running(first))
            let answer = Self.answer(first, at: 2)
            try await store.commit(Change(documents: [.put(.egress("EG_1"), expected: nil)], answer: answer))
            // The caller compares the digests: another body is another request.
            #expect(try await store.reserve(Self.reservation(body: [2], at: 3)) == .answered(answer))
            #expect(try await store.reserve(Self.reservation("k2", at: 3)) == .reserved)
        }
    }

    @Test("are free again when the request came to nothing", arguments: StoreUnderTest.all)
    func release(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let first = Self.reservation()
            #expect(try await store.reserve(first) == .reserved)
            await store.release(Self.reservation(at: 9))  // not its own: no effect
            #expect(try await store.reserve(Self.reservation(at: 9)) == .running(first))
            await store.release(first)
            #expect(try await store.reserve(Self.reservation(at: 9)) == .reserved)
        }
    }

    @Test("stay with a request whose commit failed", arguments: StoreUnderTest.all)
    func failedCommit(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let first = Self.reservation()
            #expect(try await store.reserve(first) == .reserved)
            await #expect(throws: StoreError.self) {
                try await store.commit(
                    Change(jobs: [.lease(job: "JB_", worker: "", at: .at(1))], answer: Self.answer(first, at: 1)))
            }
            #expect(try await store.reserve(Self.reservation(at: 2)) == .running(first))
        }
    }

    @Test("last 24 hours after the answer, and five minutes without one", arguments: StoreUnderTest.all)
    func lifetime(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let first = Self.reservation()
            #expect(try await store.reserve(first) == .reserved)
            #expect(try await store.reserve(Self.reservation(at: 299)) == .running(first))
            let second = Self.reservation(at: 300)
            #expect(try await store.reserve(second) == .reserved)
            try await store.commit(Change(answer: Self.answer(second, at: 301)))
            // The first owner wakes up: its work must not count twice.
            await #expect(throws: StoreError.alreadyAnswered) {
                try await store.commit(Change(answer: Self.answer(first, at: 302)))
            }
            let day = 24 * 3600.0
            let third = Self.reservation(at: 300 + day)
            guard case .answered = try await store.reserve(third) else {
                Issue.record("the answer is gone too early")
                return
            }
            let fourth = Self.reservation(at: 301 + day)
            #expect(try await store.reserve(fourth) == .reserved)
            let renewed = Self.answer(fourth, at: 302 + day)
            try await store.commit(Change(answer: renewed))
            #expect(try await store.reserve(Self.reservation(at: 303 + day)) == .answered(renewed))
            var retention = Retention()
            retention.answersBefore = .at(303 + day)
            #expect(try await store.prune(retention) == 1)
            #expect(try await store.reserve(Self.reservation(at: 304 + day)) == .reserved)
        }
    }
}
