import Store
import Testing
import Timing

@Suite("A store's jobs")
struct JobConformanceTests {
    @Test("get rising orders, and come back as they were put", arguments: StoreUnderTest.all)
    func enqueue(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let jobs = try await store.commit(
                Change(jobs: [.enqueue(.test("JB_1", at: 1)), .enqueue(.test("JB_2", at: 2))])
            ).jobs
            #expect(jobs[0].order < jobs[1].order)
            #expect(jobs.map(\.state) == [.queued, .queued])
            #expect(jobs.map(\.fence) == [0, 0])
            #expect(try await store.job("JB_2") == jobs[1])
            #expect(jobs[1].needs == Needs(milliCores: 3, memoryBytes: 2_000_000))
            #expect(try await store.job("JB_3") == nil)
            await #expect(throws: StoreError.exists(id: "JB_1")) {
                try await store.commit(Change(jobs: [.enqueue(.test("JB_1"))]))
            }
            let later = try await store.commit(Change(jobs: [.enqueue(.test("JB_4"))])).jobs[0]
            #expect(later.order > jobs[1].order)
        }
    }

    @Test("live from the line through two workers to an end", arguments: StoreUnderTest.all)
    func life(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            func move(_ change: JobChange) async throws -> Job {
                try await store.commit(Change(jobs: [change])).jobs[0]
            }
            let queued = try await move(.enqueue(.test("JB_1")))
            let leased = try await move(.lease(job: "JB_1", worker: "WK_1", at: .at(1)))
            #expect(leased.state == .leased && leased.worker == "WK_1" && leased.attempt == 1)
            #expect(leased.fence > queued.fence)
            let running = try await move(.start(job: "JB_1", fence: leased.fence, at: .at(2)))
            #expect(running.state == .running && running.startedAt == .at(2))
            let requeued = try await move(.requeue(job: "JB_1", fence: leased.fence, reason: "the worker died"))
            #expect(requeued.state == .queued && requeued.order == queued.order)
            #expect(requeued.requeueReason == "the worker died")
            let again = try await move(.lease(job: "JB_1", worker: "WK_2", at: .at(3)))
            #expect(again.attempt == 2 && again.fence > leased.fence && again.worker == "WK_2")
            _ = try await move(.start(job: "JB_1", fence: again.fence, at: .at(4)))
            let ended = try await move(
                .finish(job: "JB_1", fence: again.fence, .failed, error: "disk_full", at: .at(5)))
            #expect(ended.state == .failed && ended.error == "disk_full" && ended.endedAt == .at(5))
            #expect(ended.startedAt == .at(2) && ended.leasedAt == .at(3))
            #expect(try await store.job("JB_1") == ended)
        }
    }

    @Test("refuse whoever no longer has them, and then change nothing at all", arguments: StoreUnderTest.all)
    func fencing(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            try await store.commit(Change(jobs: [.enqueue(.test("JB_1"))]))
            let first = try await store.commit(Change(jobs: [.lease(job: "JB_1", worker: "WK_1", at: .at(1))])).jobs[0]
            let requeued = try await store.commit(
                Change(jobs: [.requeue(job: "JB_1", fence: first.fence, reason: "")])
            ).jobs[0]
            let stale: [JobChange] = [
                .start(job: "JB_1", fence: first.fence, at: .at(2)),
                .requeue(job: "JB_1", fence: first.fence, reason: ""),
                .finish(job: "JB_1", fence: first.fence, .succeeded, error: nil, at: .at(2)),
            ]
            for step in stale {
                let error = StoreError.fenced(job: "JB_1", presented: first.fence, current: requeued.fence)
                await #expect(throws: error) {
                    try await store.commit(
                        Change(
                            documents: [.put(.egress("EG_1"), expected: nil)],
                            jobs: [.enqueue(.test("JB_2")), step], events: [.test("EV_1")]))
                }
            }
            #expect(try await store.job("JB_1") == requeued)
            #expect(try await store.job("JB_2") == nil)
            #expect(try await store.document(.egress, id: "EG_1") == nil)
            #expect(try await store.events(EventQuery()).isEmpty)
        }
    }

    @Test("refuse a move that the table does not have", arguments: StoreUnderTest.all)
    func refusedMoves(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            try await store.commit(Change(jobs: [.enqueue(.test("JB_1"))]))
            await #expect(throws: StoreError.jobState(job: "JB_1", from: .queued, to: .running)) {
                try await store.commit(Change(jobs: [.start(job: "JB_1", fence: 0, at: .at(1))]))
            }
            await #expect(throws: StoreError.unknownJob("JB_9")) {
                try await store.commit(Change(jobs: [.lease(job: "JB_9", worker: "WK_1", at: .at(1))]))
            }
        }
    }

    @Test(
        "are listed newest first by filter, and unfinished ones in the order of the line", arguments: StoreUnderTest.all
    )
    func lists(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let ids = (1...9).map { "JB_\($0)" }
            try await store.commit(
                Change(
                    jobs: ids.enumerated().map { .enqueue(.test($1, subject: "EG_\($0 % 2)", at: Double($0))) }))
            try await store.commit(
                Change(jobs: [
                    .finish(job: "JB_2", fence: 0, .cancelled, error: nil, at: .at(20)),
                    .lease(job: "JB_3", worker: "WK_1", at: .at(20)),
                ]))
            #expect(try await store.unfinishedJobs().map(\.id) == ids.filter { $0 != "JB_2" })
            let rows: [(@Sendable (inout JobQuery) -> Void, [String])] = [
                ({ _ in }, ids.reversed()),
                ({ $0.states = [.cancelled, .leased] }, ["JB_3", "JB_2"]),
                ({ $0.subject = "EG_1" }, ["JB_8", "JB_6", "JB_4", "JB_2"]),
                ({ $0.kind = "composition" }, []),
                ({ $0.room = "demo" }, ids.reversed()),
                ({ $0.createdAfter = .at(6) }, ["JB_9", "JB_8"]),
            ]
            for (change, expected) in rows {
                var query = JobQuery()
                query.limit = 2
                change(&query)
                var seen: [String] = []
                while true {
                    let page = try await store.jobs(query)
                    seen += page.items.map(\.id)
                    guard let next = page.next else { break }
                    query.after = Cursor(text: next.text)
                }
                #expect(seen == expected)
            }
        }
    }

    @Test("are pruned once they have ended", arguments: StoreUnderTest.all)
    func retention(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            try await store.commit(
                Change(jobs: [
                    .enqueue(.test("JB_1")), .enqueue(.test("JB_2")), .enqueue(.test("JB_3")),
                    .finish(job: "JB_1", fence: 0, .cancelled, error: nil, at: .at(1)),
                    .finish(job: "JB_2", fence: 0, .cancelled, error: nil, at: .at(9)),
                ]))
            var retention = Retention()
            retention.jobsEndedBefore = .at(5)
            #expect(try await store.prune(retention) == 1)
            #expect(try await store.jobs(JobQuery()).items.map(\.id) == ["JB_3", "JB_2"])
        }
    }
}

@Suite("The table of job states")
struct JobTransitionsTests {
    static let allowed: Set<[JobState]> = [
        [.queued, .leased], [.queued, .succeeded], [.queued, .failed], [.queued, .cancelled],
        [.leased, .running], [.leased, .queued], [.leased, .succeeded], [.leased, .failed], [.leased, .cancelled],
        [.running, .queued], [.running, .succeeded], [.running, .failed], [.running, .cancelled],
    ]

    @Test("allows these moves and no others", arguments: JobState.allCases, JobState.allCases)
    func moves(from: JobState, to: JobState) {
        #expect(JobTransitions.allows(from, to) == Self.allowed.contains([from, to]))
    }

    @Test("lets nothing leave an end", arguments: JobState.allCases)
    func ends(state: JobState) {
        #expect(JobTransitions.table[state]?.isEmpty == state.isEnded)
    }
}
