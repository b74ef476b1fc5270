import Jobs
import Testing
import Timing

@Suite("The crash policy")
struct CrashPolicyTests {
    static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
    static let trap = WorkerEnding.signal(5)

    /// Runs a death and gives the verdicts by job.
    static func die(
        _ policy: inout CrashPolicy, _ jobs: [String], mark: String? = nil, _ ending: WorkerEnding = trap,
        isShared: Bool = true, at seconds: Double
    ) -> [String: CrashVerdict] {
        let verdicts = policy.workerDied(
            running: jobs, flightMark: mark, ending: ending, isShared: isShared, at: at(seconds))
        #expect(verdicts.map(\.job) == jobs)
        return Dictionary(uniqueKeysWithValues: verdicts.map { ($0.job, $0.verdict) })
    }

    @Test("restarts the marked job alone and the others together")
    func flightMark() {
        var policy = CrashPolicy()
        let verdicts = Self.die(&policy, ["a", "b", "c"], mark: "b", at: 0)
        #expect(verdicts == ["a": .restart(.shared), "b": .restart(.alone), "c": .restart(.shared)])
        #expect(policy.placement(of: "b", at: Self.at(59)) == .alone)
        #expect(policy.placement(of: "a", at: Self.at(1)) == .shared)
    }

    @Test("fails a job at the third crash alone within a minute, and says how it crashed")
    func threeCrashes() {
        var policy = CrashPolicy()
        _ = Self.die(&policy, ["a", "poison"], mark: "poison", at: 0)  // shared: does not count
        #expect(Self.die(&policy, ["poison"], isShared: false, at: 1) == ["poison": .restart(.alone)])
        #expect(Self.die(&policy, ["poison"], isShared: false, at: 3) == ["poison": .restart(.alone)])
        #expect(
            Self.die(&policy, ["poison"], isShared: false, at: 60.9) == [
                "poison": .fail(
                    cause: "the worker running this job ended 3 times within a minute "
                        + "(signal 5, Trace/breakpoint trap)")
            ])
        #expect(policy.placement(of: "poison", at: Self.at(61)) == .shared)
    }

    @Test("forgives crashes that are a minute apart")
    func forgiveness() {
        var policy = CrashPolicy()
        for crash in 0..<10 {
            let verdicts = Self.die(&policy, ["a"], isShared: false, at: Double(crash) * 30.1)
            #expect(verdicts == ["a": .restart(.alone)])
        }
        let quiet = 9 * 30.1 + 60
        #expect(policy.placement(of: "a", at: Self.at(quiet - 1)) == .alone)
        #expect(policy.placement(of: "a", at: Self.at(quiet)) == .shared)
    }

    @Test("counts a crash in a shared worker when the job was the only one there")
    func onlyJobInSharedWorker() {
        var policy = CrashPolicy()
        #expect(Self.die(&policy, ["a"], at: 0) == ["a": .restart(.alone)])
        #expect(Self.die(&policy, ["a"], .exit(code: 1), at: 1) == ["a": .restart(.alone)])
        #expect(
            Self.die(&policy, ["a"], .frozen, at: 2) == [
                "a": .fail(
                    cause: "the worker running this job ended 3 times within a minute (it stopped answering)")
            ])
    }

    @Test("takes a kill from outside as no evidence in a shared worker", arguments: [9, 15] as [Int32])
    func outsideKill(signal: Int32) {
        var policy = CrashPolicy()
        for second in 0..<20 {
            let verdicts = Self.die(&policy, ["a", "b"], mark: "a", .signal(signal), at: Double(second))
            #expect(verdicts == ["a": .restart(.shared), "b": .restart(.shared)])
            #expect(Self.die(&policy, ["c"], .signal(signal), at: Double(second)) == ["c": .restart(.shared)])
        }
        // In a worker of its own it may be the kernel, out of memory.
        for second in 0..<2 { _ = Self.die(&policy, ["d"], .signal(signal), isShared: false, at: Double(second)) }
        guard case .fail = Self.die(&policy, ["d"], .signal(signal), isShared: false, at: 3)["d"] else {
            Issue.record("a job that is killed whenever it runs alone goes on")
            return
        }
    }

    @Test("sets up to eight suspects alone and halves the rest")
    func spreading() {
        var policy = CrashPolicy()
        let jobs = (1...20).map { "j\($0)" }
        let verdicts = Self.die(&policy, jobs, mark: "gone", at: 0)
        #expect(jobs.suffix(8).allSatisfy { verdicts[$0] == .restart(.alone) })
        #expect(jobs.prefix(6).allSatisfy { verdicts[$0] == .restart(.group(1)) })
        #expect(jobs[6..<12].allSatisfy { verdicts[$0] == .restart(.group(2)) })
        // Eight are alone: the next group is halved and nobody else gets a process.
        let second = Self.die(&policy, Array(jobs.prefix(6)), at: 2)
        #expect(jobs.prefix(3).allSatisfy { second[$0] == .restart(.group(3)) })
        #expect(jobs[3..<6].allSatisfy { second[$0] == .restart(.group(4)) })
        // A kill from outside leaves a group as it is.
        #expect(Self.die(&policy, ["j4", "j5"], .signal(9), at: 3)["j4"] == .restart(.group(4)))
        for job in jobs.suffix(8) { policy.forget(job) }
        #expect(Self.die(&policy, ["j1", "j2", "j3"], at: 4).values.allSatisfy { $0 == .restart(.alone) })
    }

    @Test("ends the guilty of any number of jobs, and no other", arguments: [1, 2, 3, 9, 40, 200], [0, 1, 2])
    func guiltyIsFound(count: Int, seed: Int) {
        var policy = CrashPolicy()
        let jobs = (0..<count).map { "j\($0)" }
        let guilty = jobs[seed * (count - 1) / 2]
        var workers: [Placement: [String]] = [.shared: jobs]
        var now = 0.0
        while now < 60 {
            // The guilty one takes its worker down each second. Jobs alone are one worker each.
            guard let (place, running) = workers.first(where: { $0.value.contains(guilty) }) else { break }
            now += 1
            let dead = place == .alone ? [guilty] : running
            workers[place] = running.filter { !dead.contains($0) }
            for (job, verdict) in Self.die(&policy, dead, isShared: place != .alone, at: now) {
                switch verdict {
                case .restart(let next): workers[next, default: []].append(job)
                case .fail: #expect(job == guilty)
                }
            }
            #expect(workers[.alone, default: []].count <= CrashPolicy.aloneLimit + 1)
        }
        #expect(Set(workers.values.joined()) == Set(jobs).subtracting([guilty]))
        #expect(now <= 12)
    }
}
