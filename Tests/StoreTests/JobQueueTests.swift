import Jobs
import Store
import Spec
import Testing
import Timing

@Suite("The line of jobs")
struct JobQueueTests {
    /// Jobs as a store gives them, in order 1, 2, 3 …
    static func jobs(_ needs: [Needs]) async throws -> [Job] {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.path("store.db"))
        let steps = needs.enumerated().map { offset, needs in
            JobChange.enqueue(
                NewJob(
                    id: "JB_\(offset + 1)", kind: "egress", subject: "EG_\(offset + 1)", pipeline: "record-mp4",
                    needs: needs, createdAt: .at(0)))
        }
        return try await store.commit(Change(jobs: steps)).jobs
    }

    static func needs(_ milliCores: Int, _ memoryBytes: Int64 = 1) -> Needs {
        Needs(milliCores: milliCores, memoryBytes: memoryBytes)
    }

    @Test("gives nobody else the room that it has promised")
    func promises() async throws {
        let jobs = try await Self.jobs([Self.needs(600), Self.needs(600), Self.needs(300)])
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        let isPromised = queue.promise(Self.needs(600))
        #expect(isPromised)
        let isPromisedAgain = queue.promise(Self.needs(600))
        #expect(!isPromisedAgain)
        queue.enqueue(jobs[1])
        #expect(Self.start(&queue) == [])
        #expect(queue.info(of: "JB_2")?.waitingFor == .cpu)
        let isPromisedToLater = queue.promise(Self.needs(300))
        #expect(!isPromisedToLater, "nobody overtakes the second")
        queue.adopt(jobs[0])
        queue.takeBack(Self.needs(600))
        #expect(queue.inUse.milliCores == 600)
        #expect(Self.start(&queue) == [])
        queue.remove("JB_1")
        #expect(Self.start(&queue) == ["JB_2"])
    }

    @Test("starts jobs in order while there is room")
    func order() async throws {
        let jobs = try await Self.jobs([Self.needs(400), Self.needs(500), Self.needs(200), Self.needs(100)])
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        for job in jobs.reversed() { queue.enqueue(job) }
        #expect(Self.start(&queue) == ["JB_1", "JB_2"])
        // The fourth would fit, but nobody overtakes the third.
        #expect(queue.info(of: "JB_4") == QueueInfo(position: 2, waitingFor: .cpu, needs: Self.needs(100)))
        #expect(queue.info(of: "JB_3")?.position == 1)
        #expect(queue.info(of: "JB_1") == nil)
        queue.remove("JB_1")
        #expect(Self.start(&queue) == ["JB_3", "JB_4"])
        #expect(queue.inUse == Self.needs(800, 3))
        #expect(queue.waitingCount == 0 && queue.startedCount == 3)
    }

    @Test("says what is short")
    func reasons() async throws {
        let jobs = try await Self.jobs([Self.needs(1, 60), Self.needs(1, 60)])
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        queue.hasWorker = false
        for job in jobs { queue.enqueue(job) }
        #expect(Self.start(&queue).isEmpty)
        #expect(queue.info(of: "JB_2")?.waitingFor == .worker)
        queue.hasWorker = true
        #expect(Self.start(&queue) == ["JB_1"])
        #expect(queue.info(of: "JB_2") == QueueInfo(position: 1, waitingFor: .memory, needs: Self.needs(1, 60)))
    }

    @Test("lets a job larger than the machine run alone")
    func oversize() async throws {
        let jobs = try await Self.jobs([Self.needs(1), Self.needs(9000, 1 << 40), Self.needs(1)])
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        for job in jobs { queue.enqueue(job) }
        #expect(Self.start(&queue) == ["JB_1"])
        queue.remove("JB_1")
        #expect(Self.start(&queue) == ["JB_2"])
        queue.remove("JB_2")
        #expect(Self.start(&queue) == ["JB_3"])
    }

    @Test("takes a job back at its old place, and forgets a cancelled one")
    func requeueAndCancel() async throws {
        let jobs = try await Self.jobs(Array(repeating: Self.needs(500), count: 5))
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        for job in jobs { queue.enqueue(job) }
        #expect(Self.start(&queue) == ["JB_1", "JB_2"])
        queue.remove("JB_4")
        queue.enqueue(jobs[0])
        #expect(queue.info(of: "JB_1")?.position == 1)
        #expect(queue.info(of: "JB_5")?.position == 3)
        #expect(Self.start(&queue) == ["JB_1"])
        queue.remove("JB_4")
        queue.remove("JB_unknown")
        queue.remove("JB_1")
        queue.remove("JB_2")
        #expect(Self.start(&queue) == ["JB_3", "JB_5"])
    }

    @Test("is rebuilt from the store's unfinished jobs")
    func rebuild() async throws {
        let jobs = try await Self.jobs(Array(repeating: Self.needs(400), count: 4))
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        for job in jobs.shuffled() {
            if job.id == "JB_3" { queue.adopt(job) } else { queue.enqueue(job) }
        }
        #expect(Self.start(&queue) == ["JB_1"])
        #expect(queue.info(of: "JB_4")?.position == 2)
    }

    @Test("never gives out more than there is, whatever happens")
    func invariant() async throws {
        var generator = SplitMix(state: 42)
        let sizes = (0..<300).map { _ in
            Self.needs(Int.random(in: 0...700, using: &generator), Int64.random(in: 0...70, using: &generator))
        }
        let jobs = try await Self.jobs(sizes)
        var queue = JobQueue(capacity: Self.needs(1000, 100))
        for job in jobs { queue.enqueue(job) }
        var running: [Job] = []
        var begun: [Int64] = []
        while queue.waitingCount > 0 || !running.isEmpty {
            let next = Self.start(&queue).compactMap { id in jobs.first { $0.id == id } }
            running += next
            begun += next.map(\.order)
            #expect(queue.inUse.milliCores == running.reduce(0) { $0 + $1.needs.milliCores })
            #expect(queue.inUse.milliCores <= 1000 && queue.inUse.memoryBytes <= 100)
            guard let index = running.indices.randomElement(using: &generator) else { break }
            queue.remove(running.remove(at: index).id)
        }
        #expect(begun == Array(1...300))
        #expect(queue.inUse == Self.needs(0, 0))
    }

    private static func start(_ queue: inout JobQueue) -> [String] {
        var started: [String] = []
        while let id = queue.startNext() { started.append(id) }
        return started
    }
}
