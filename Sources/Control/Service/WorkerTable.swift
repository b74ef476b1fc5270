import Jobs
import Timing

/// The worker processes of this gateway, and what runs in each. A value: ``EgressControl`` starts and ends the processes.
struct WorkerTable: Sendable {
    struct Worker: Sendable {
        let id: String
        let placement: Placement
        let startedAt: Timestamp
        /// One that has not said hello by then hangs in its start.
        let helloDue: Instant
        /// 0 until the worker has said hello.
        var processID: Int32 = 0
        /// In the order in which they came.
        var jobs: [String] = []
        /// From its hello on.
        var health: WorkerHealth?
        /// It was killed because it answered no more.
        var wasFrozen = false
        var isDraining = false

        /// How it ended, as a metric's label.
        func cause(of ending: WorkerEnding) -> String {
            if processID == 0 { return "not_started" }
            if wasFrozen { return "frozen" }
            return if case .signal = ending { "signal" } else { "exit" }
        }
    }

    /// How long a process may take from its start to its hello.
    static let helloTime = Duration.seconds(10)

    /// The program, and the folder for flight marks.
    let executable: String
    let markFolder: String
    private(set) var workers: [String: Worker] = [:]

    init(executable: String, markFolder: String) {
        self.executable = executable
        self.markFolder = markFolder
    }

    subscript(id: String) -> Worker? {
        get { workers[id] }
        set { workers[id] = newValue }
    }

    func isAlive(_ id: String) -> Bool { workers[id] != nil }

    /// A living worker for `placement`; none for `alone`, which always wants a new one.
    func worker(for placement: Placement) -> String? {
        guard placement != .alone else { return nil }
        return workers.values.first { $0.placement == placement && !$0.isDraining && !$0.wasFrozen }?.id
    }

    func markPath(of id: String) -> String { "\(markFolder)/\(id).mark" }

    mutating func add(_ id: String, _ placement: Placement, at now: Instant, wall: WallTime) {
        workers[id] = Worker(
            id: id, placement: placement, startedAt: Timestamp(wall), helloDue: now + Self.helloTime)
    }

    mutating func add(job: String, to id: String) {
        guard workers[id]?.jobs.contains(job) == false else { return }
        workers[id]?.jobs.append(job)
    }

    /// - Returns: true if the worker has nothing left to do and was started for this alone.
    mutating func remove(job: String, from id: String) {
        workers[id]?.jobs.removeAll { $0 == job }
    }
}
