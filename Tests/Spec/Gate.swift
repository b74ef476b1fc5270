import Synchronization

/// Holds tasks until a test opens it: then all go on, and those that come later do not wait.
public final class Gate: Sendable {
    private enum State {
        case closed([CheckedContinuation<Void, Never>])
        case open
    }

    private let state = Mutex(State.closed([]))

    public init() {}

    public func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                guard case .closed(let waiting) = state else { return true }
                state = .closed(waiting + [continuation])
                return false
            }
            if isOpen { continuation.resume() }
        }
    }

    public func open() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            defer { state = .open }
            return if case .closed(let waiting) = state { waiting } else { [] }
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when the task is cancelled, and not before.
    public static func untilCancelled() async {
        let (never, hold) = AsyncStream<Void>.makeStream()
        for await _ in never {}
        withExtendedLifetime(hold) {}
    }
}
