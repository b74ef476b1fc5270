import RTMPPush
import Timing

/// One RTMP destination of an egress: when it connects, and when it tries again.
struct PushOutput: Sendable {
    enum State: Equatable, Sendable {
        case connecting(attempt: Int)
        /// Accepted; the destination takes the stream.
        case live(since: Instant)
        case waiting(until: Instant, attempt: Int, cause: PushFailure)
        case removed
    }

    enum Event: Equatable, Sendable {
        case accepted
        case broke(PushFailure)
        case retryDue
        case removed
    }

    /// A connection that lived this long counts as healthy: the next failure starts again at one second.
    static let healthyAfter: Duration = .seconds(60)

    private(set) var state: State = .connecting(attempt: 1)
    /// Failures in a row without a healthy connection between them.
    private var failures = 0

    /// Applies `event`. The waits after failures in a row are 1, 2, 4 … at most 30 seconds; it never gives up by itself.
    /// - Throws: ``PushTransitionError`` if this state does not allow `event`. The state is then unchanged.
    mutating func apply(_ event: Event, at now: Instant) throws(PushTransitionError) {
        switch (state, event) {
        case (.removed, _):
            throw PushTransitionError(state: state, event: event)
        case (_, .removed):
            state = .removed
        case (.connecting, .accepted):
            state = .live(since: now)
        case (.connecting, .broke(let cause)):
            wait(after: cause, at: now)
        case (.live(let since), .broke(let cause)):
            if since + Self.healthyAfter <= now { failures = 0 }
            wait(after: cause, at: now)
        case (.waiting(let until, let attempt, _), .retryDue) where now >= until:
            state = .connecting(attempt: attempt + 1)
        case (.connecting, _), (.live, _), (.waiting, _):
            throw PushTransitionError(state: state, event: event)
        }
    }

    private mutating func wait(after cause: PushFailure, at now: Instant) {
        failures += 1
        let delay = Duration.seconds(min(30, 1 << min(failures - 1, 5)))
        state = .waiting(until: now + delay, attempt: failures, cause: cause)
    }
}

/// An event that a state does not allow: a late answer of a connection that was given up. Ignore it.
struct PushTransitionError: Error, Equatable, Sendable {
    let state: PushOutput.State
    let event: PushOutput.Event
}
