import Synchronization

/// The one door into a media thread. Any task may post; only the thread that owns the loop may drain.
/// `wake` ends that thread's poll, for example by writing its eventfd.
public final class Mailbox<Command: Sendable>: Sendable {
    private let pending = Mutex<[Command]>([])
    private let wake: @Sendable () -> Void

    public init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// Returns at once. One caller's commands keep their order.
    public func post(_ command: Command) {
        let wasEmpty = pending.withLock { waiting in
            defer { waiting.append(command) }
            return waiting.isEmpty
        }
        if wasEmpty { wake() }
    }

    /// Swaps the waiting commands into `batch`, which must be empty. Both buffers keep their storage.
    public func drain(into batch: inout [Command]) {
        precondition(batch.isEmpty)
        pending.withLock { swap(&$0, &batch) }
    }
}
