public import Timing

/// The heartbeat of one worker: pings it each second, and says when it has been silent for too long.
public struct WorkerHealth: Sendable {
    public enum Output: Equatable, Sendable {
        case ping(number: UInt64)
        /// It is frozen: kill it by its process id, then move its jobs. Said once.
        case kill(silentFor: Duration)
        case wait(until: Instant?)
    }

    public static let interval: Duration = .seconds(1)
    public static let silenceLimit: Duration = .seconds(6)
    /// Called later than this, the gateway itself had stood still (a stopped process, a suspended machine): the silence was
    /// its own, and workers get the whole limit again.
    static let ownDelayLimit: Duration = .seconds(3)

    private var lastHeard: Instant
    private var lastAdvance: Instant
    private var nextPing: Instant
    private var pings: UInt64 = 0
    private var isCondemned = false
    private var outputs: [Output] = []

    /// - Parameter now: when the worker was ready.
    public init(at now: Instant) {
        lastHeard = now
        lastAdvance = now
        nextPing = now
    }

    /// Takes the answer to a ping. One to an older ping is as good: the worker lives.
    public mutating func pong(at now: Instant) { lastHeard = max(lastHeard, now) }

    /// Moves time forward; call it at least each second.
    public mutating func advance(to now: Instant) {
        guard !isCondemned else { return }
        if now - lastAdvance > Self.ownDelayLimit { lastHeard = now }
        lastAdvance = now
        if now - lastHeard >= Self.silenceLimit {
            isCondemned = true
            outputs.append(.kill(silentFor: now - lastHeard))
        } else if now >= nextPing {
            pings += 1
            nextPing = now + Self.interval
            outputs.append(.ping(number: pings))
        }
    }

    /// The next thing to do, oldest first. Call until it returns `.wait`.
    public mutating func pollOutput() -> Output {
        guard outputs.isEmpty else { return outputs.removeFirst() }
        return .wait(until: isCondemned ? nil : min(nextPing, lastHeard + Self.silenceLimit))
    }
}

/// When to start a worker again after one died: at once if it was of use, later and later if it dies as it starts.
public struct StartBackoff: Sendable {
    /// Who lived this long did start.
    public static let settled: Duration = .seconds(5)
    public static let longest: Duration = .seconds(30)

    private var startedAt: Instant?
    public private(set) var failures = 0

    public init() {}

    public mutating func started(at now: Instant) { startedAt = now }

    /// - Parameter hadJobs: it died over work; that is the crash policy's affair, not a fault of the program.
    /// - Returns: how long to wait: nothing, or 1, 2, 4 … 30 seconds.
    public mutating func died(hadJobs: Bool, at now: Instant) -> Duration {
        let lived = startedAt.map { now - $0 } ?? .zero
        startedAt = nil
        guard !hadJobs, lived < Self.settled else {
            failures = 0
            return .zero
        }
        failures += 1
        return min(Self.longest, .seconds(1 << min(failures - 1, 5)))
    }
}
