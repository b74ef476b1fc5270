import MediaLoop
import Storage
import Synchronization

/// How a worker is set up.
public struct WorkerOptions: Sendable {
    /// `WK_…`
    public var name: String
    /// The connected socket to the gateway.
    public var linkDescriptor: Int32
    /// The file of the mark that tells the gateway which job a crash stands to; `nil` for none.
    public var flightMark: String?
    /// Bytes of a file system that recordings leave free; `nil`: 1 % of it, at most 512 MiB.
    public var diskReserve: Int64?

    public init(name: String, linkDescriptor: Int32, flightMark: String? = nil, diskReserve: Int64? = nil) {
        self.name = name
        self.linkDescriptor = linkDescriptor
        self.flightMark = flightMark
        self.diskReserve = diskReserve
    }
}

/// A running worker, and the door to it for other threads.
public final class WorkerHandle: Sendable {
    private let loop: LoopHandle
    private let worker: Box

    private final class Box: Sendable {
        let bound = Mutex<LoopBound<Worker>?>(nil)
    }

    /// Starts a worker on a thread of its own.
    /// - Parameter onEnd: called on that thread when all is sealed and nothing is left to do: end the process.
    public init(_ options: WorkerOptions, onEnd: @escaping @Sendable () -> Void) {
        let box = Box()
        let pool = SyncPool(threads: 2)
        worker = box
        loop = LoopHandle.start(name: "work") { loop in
            let worker = Worker(options, on: loop, pool: pool, onEnd: onEnd)
            box.bound.withLock { $0 = LoopBound(worker, on: loop) }
            loop.every(Worker.tickInterval, while: { worker.isBusy }) { worker.tick(at: $0) }
        }
    }

    /// Seals what runs, reports it, and ends: as the gateway's `shutdown`.
    public func shutDown() {
        loop.post { [worker] loop in worker.bound.withLock { $0 }?.on(loop).shutDown(at: Clocks.now()) }
    }

    /// Ends the thread, for a test whose process goes on.
    public func stopThread() { loop.post { $0.stop() } }
}
