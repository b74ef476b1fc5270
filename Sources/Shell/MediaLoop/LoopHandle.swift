import CLinux
import Glibc
import Synchronization
import Threads
public import Timing

/// The door to a loop for every other thread: posts commands to it, and tells when it last turned.
public final class LoopHandle: Sendable {
    public typealias Command = @Sendable (EventLoop) -> Void

    let mailbox: Mailbox<Command>
    let wakeDescriptor: Int32
    private let name: String
    private let setUp: Command
    private let lastTurn: Atomic<Int64>

    /// Starts a thread called `name` (15 bytes at most) with a loop of its own; `setUp` runs first on it.
    public static func start(name: String, _ setUp: @escaping Command = { _ in }) -> LoopHandle {
        let handle = LoopHandle(name: name, setUp: setUp)
        NamedThread.start(name) { handle.runThread() }
        return handle
    }

    private init(name: String, setUp: @escaping Command) {
        self.name = name
        self.setUp = setUp
        lastTurn = Atomic(Clocks.now().nanoseconds)
        let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        wakeDescriptor = wake
        mailbox = Mailbox {
            var one: UInt64 = 1
            unsafe write(wake, &one, 8)
        }
    }

    deinit { close(wakeDescriptor) }

    /// Runs `command` on the loop's thread, after those posted before it. Never waits.
    public func post(_ command: @escaping Command) { mailbox.post(command) }

    /// Runs `command` on the loop's thread and gives its result.
    public func ask<Answer: Sendable>(_ command: @escaping @Sendable (EventLoop) -> Answer) async -> Answer {
        await withCheckedContinuation { continuation in
            post { continuation.resume(returning: command($0)) }
        }
    }

    /// When the loop last began a turn: for the health check.
    public var lastTurnAt: Instant { Instant(nanoseconds: lastTurn.load(ordering: .relaxed)) }

    func noteTurn(at now: Instant) { lastTurn.store(now.nanoseconds, ordering: .relaxed) }

    private func runThread() {
        let loop = EventLoop(handle: self)
        setUp(loop)
        loop.run()
    }
}
