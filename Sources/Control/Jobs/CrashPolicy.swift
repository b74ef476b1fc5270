public import Timing

/// How a worker's process ended.
public enum WorkerEnding: Equatable, Sendable {
    case exit(code: Int32)
    case signal(Int32)
    /// It answered no more, and the gateway killed it.
    case frozen

    /// SIGKILL and SIGTERM come from outside: from a person, an init system, or a kernel that is out of memory.
    var isFromOutside: Bool { self == .signal(9) || self == .signal(15) }

    public var description: String {
        switch self {
        case .exit(let code): "exit code \(code)"
        case .signal(let number): "signal \(number)" + (Self.signals[number].map { ", \($0)" } ?? "")
        case .frozen: "it stopped answering"
        }
    }

    private static let signals: [Int32: String] = [
        1: "Hangup", 2: "Interrupt", 3: "Quit", 4: "Illegal instruction", 5: "Trace/breakpoint trap", 6: "Aborted",
        7: "Bus error", 8: "Floating point exception", 9: "Killed", 11: "Segmentation fault", 13: "Broken pipe",
        14: "Alarm clock", 15: "Terminated", 24: "CPU time limit exceeded", 25: "File size limit exceeded",
        31: "Bad system call",
    ]
}

extension WorkerEnding: CustomStringConvertible {}

/// Which jobs may share a worker with a job.
public enum Placement: Hashable, Sendable {
    /// The worker that all pass-through jobs share.
    case shared
    /// A worker for the jobs of this group and no others: they stand under suspicion together.
    case group(Int)
    /// A worker of its own.
    case alone
}

public enum CrashVerdict: Equatable, Sendable {
    case restart(Placement)
    case fail(cause: String)
}

/// What becomes of a worker's jobs when it dies: the guilty one is found and ended, and takes no other with it.
///
/// A crash counts against a job only if the job ran alone. From a shared worker, the job that the worker's flight mark
/// names restarts alone; without a mark, all are suspects, and they restart alone or in halves until the guilty one is alone.
/// Three counted crashes within a minute fail a job; a healthy minute clears it.
public struct CrashPolicy: Sendable {
    /// The window of the count, and how long a job must run well to be trusted again.
    public static let window: Duration = .seconds(60)
    public static let crashLimit = 3
    /// Each worker is a process: only so many suspects get one of their own at once.
    public static let aloneLimit = 8

    private struct Suspect: Sendable {
        var placement: Placement
        var since: Instant
        /// When it crashed alone, within the window.
        var crashes: [Instant] = []
    }

    private var suspects: [String: Suspect] = [:]
    private var nextGroup = 1

    public init() {}

    /// Where to start a job now.
    public func placement(of job: String, at now: Instant) -> Placement {
        guard let suspect = suspects[job], now < suspect.since + Self.window else { return .shared }
        return suspect.placement
    }

    /// Forgets a job that has ended.
    public mutating func forget(_ job: String) { suspects[job] = nil }

    /// Decides on every job that `jobs` names, in the order given.
    /// - Parameters:
    ///   - jobs: what ran in the worker, longest-running first.
    ///   - flightMark: the job that the worker was at when it died, if it left word.
    ///   - isShared: false for a worker that was started for one job alone.
    public mutating func workerDied(
        running jobs: [String], flightMark: String?, ending: WorkerEnding, isShared: Bool, at now: Instant
    ) -> [(job: String, verdict: CrashVerdict)] {
        suspects = suspects.filter { now < $0.value.since + Self.window }
        if isShared && ending.isFromOutside { return jobs.map { ($0, .restart(placement(of: $0, at: now))) } }
        if jobs.count == 1 { return jobs.map { ($0, crashedAlone($0, ending, at: now)) } }
        if let mark = flightMark, jobs.contains(mark) {
            return jobs.map { job in
                let place = job == mark ? .alone : placement(of: job, at: now)
                return (job, job == mark ? suspect(job, place, at: now) : .restart(place))
            }
        }
        return spread(jobs, at: now)
    }

    private mutating func crashedAlone(_ job: String, _ ending: WorkerEnding, at now: Instant) -> CrashVerdict {
        let earlier = suspects[job, default: Suspect(placement: .alone, since: now)].crashes
        let crashes = earlier.filter { now < $0 + Self.window } + [now]
        guard crashes.count < Self.crashLimit else {
            suspects[job] = nil
            return .fail(
                cause: "the worker running this job ended \(crashes.count) times within a minute (\(ending))")
        }
        suspects[job] = Suspect(placement: .alone, since: now, crashes: crashes)
        return .restart(.alone)
    }

    /// The newest jobs are the likeliest: as many of them as may run alone do; the others share two workers.
    private mutating func spread(_ jobs: [String], at now: Instant) -> [(job: String, verdict: CrashVerdict)] {
        let others = suspects.filter { $0.value.placement == .alone && !jobs.contains($0.key) }.count
        let aloneCount = min(jobs.count, max(0, Self.aloneLimit - others))
        let sharing = jobs.count - aloneCount
        let half = (sharing + 1) / 2
        let groups = (nextGroup, nextGroup + 1)
        if sharing > 0 { nextGroup += 2 }
        return jobs.enumerated().map { offset, job in
            let place: Placement =
                offset >= sharing ? .alone : offset < half ? .group(groups.0) : .group(groups.1)
            return (job, suspect(job, place, at: now))
        }
    }

    private mutating func suspect(_ job: String, _ placement: Placement, at now: Instant) -> CrashVerdict {
        suspects[job, default: Suspect(placement: placement, since: now)].placement = placement
        suspects[job]?.since = now
        return .restart(placement)
    }
}
