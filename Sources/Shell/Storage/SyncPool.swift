import Glibc
import Synchronization

/// A few threads for calls that wait for the disk. It lives as long as the program.
public final class SyncPool: Sendable {
    private let work = Mutex<[@Sendable () -> Void]>([])
    private let available: Semaphore

    public init(threads: Int) {
        available = Semaphore()
        for _ in 0..<threads { start() }
    }

    func submit(_ job: @escaping @Sendable () -> Void) {
        work.withLock { $0.append(job) }
        available.signal()
    }

    private func start() {
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<SyncPool>.fromOpaque(argument).takeRetainedValue().run()
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(code == 0, "no thread for syncing: error \(code)")
        pthread_detach(thread)
    }

    private func run() -> Never {
        while true {
            available.wait()
            work.withLock { $0.isEmpty ? nil : $0.removeFirst() }?()
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
