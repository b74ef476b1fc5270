import Glibc
import Synchronization
import Threads

/// Threads for calls that wait for the disk: a few, and more while all of them wait, so that one slow disk holds up nobody
/// else's file. It lives as long as the program.
public final class SyncPool: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var threads = 0
        var busy = 0
    }

    /// Threads at most: one a file that waits.
    private static let limit = 64

    private let state = Mutex(State())
    private let available: Semaphore

    public init(threads: Int) {
        available = Semaphore()
        state.withLock { $0.threads = threads }
        for _ in 0..<threads { grow() }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        let mustGrow = state.withLock { state in
            state.work.append(job)
            guard state.busy + state.work.count > state.threads, state.threads < Self.limit else { return false }
            state.threads += 1
            return true
        }
        if mustGrow { grow() }
        available.signal()
    }

    private func grow() {
        NamedThread.start("sync") { [self] in run() }
    }

    private func run() -> Never {
        while true {
            available.wait()
            let job = state.withLock { state -> (@Sendable () -> Void)? in
                guard !state.work.isEmpty else { return nil }
                state.busy += 1
                return state.work.removeFirst()
            }
            guard let job else { continue }
            job()
            state.withLock { $0.busy -= 1 }
        }
    }
}

/// A counting semaphore.
@safe
private final class Semaphore: @unchecked Sendable {  // unchecked: sem_t is made to be shared, and stays in one place
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    func signal() { unsafe sem_post(semaphore) }

    func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }
}
