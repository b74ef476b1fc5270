import Feed
import LinkTransport
import Log
import MediaLoop
import Storage
import Timing

/// What the outputs of a worker share: the link, the loop, the disk. Lives on the worker's loop.
final class WorkerContext {
    let log = Logger("worker")
    let pool: SyncPool
    weak var link: WorkerLink?
    private let loop: EventLoop
    private let diskReserve: Int64?
    /// Called after each action that came from another thread, for reports and for the end.
    var onSettled: ((Instant) -> Void)?
    /// Pushes at work by their subscriptions: whom events of their threads are for.
    var pushes: [UInt32: RTMPOutput] = [:]
    private var lastNumber: UInt32 = 0
    private var lastCompletion: UInt64 = 0
    private var completions: [UInt64: (StorageError?) -> Void] = [:]
    private var roots: [String: StorageRoot] = [:]
    /// When a root's disk was last seen to have room.
    private var measured: [String: Instant] = [:]

    /// - Parameter diskReserve: bytes of a file system that recordings leave free; `nil`: 1 % of it, at most 512 MiB.
    init(loop: EventLoop, pool: SyncPool, diskReserve: Int64?) {
        self.loop = loop
        self.pool = pool
        self.diskReserve = diskReserve
    }

    /// A number for a new subscription.
    func nextSubscription() -> UInt32 {
        lastNumber &+= 1
        return lastNumber
    }

    func send(_ message: LinkMessage) { link?.send(message) }

    /// Posts `action` to the worker's loop from any thread: the way back from the pool and from pushes.
    var door: LoopDoor { LoopDoor(handle: loop.handle, context: LoopBound(self, on: loop)) }

    /// Calls `done` on this loop once all that was written to `file` is durable.
    func sync(_ file: LocalFile, _ done: @escaping (StorageError?) -> Void) {
        lastCompletion += 1
        let number = lastCompletion
        completions[number] = done
        let door = door
        file.sync { error in door.post { $0.complete(number, error) } }
    }

    /// Puts `files` in place beneath `root`, each whole, and takes `removed` away; calls `done` on this loop once all of
    /// it is durable.
    func replace(
        _ files: [WholeFile], removing removed: [String], in root: StorageRoot,
        _ done: @escaping (StorageError?) -> Void
    ) {
        lastCompletion += 1
        let number = lastCompletion
        completions[number] = done
        let door = door
        root.replace(files, removing: removed, pool: pool) { error in door.post { $0.complete(number, error) } }
    }

    private func complete(_ number: UInt64, _ error: StorageError?) {
        completions.removeValue(forKey: number)?(error)
    }

    /// The storage root at `path`, opened once.
    func root(_ path: String) throws(StorageError) -> StorageRoot {
        if let root = roots[path] { return root }
        let root = try StorageRoot(path)
        roots[path] = root
        return root
    }

    /// True when the disk of `root` has reached its reserve. Measured once in a second while it has not: what was freed
    /// may be used at once.
    func isLow(_ root: StorageRoot, at now: Instant) throws(StorageError) -> Bool {
        if let last = measured[root.path], now - last < .seconds(1) { return false }
        let space = try root.space()
        let isLow = space.free < diskReserve ?? min(512 << 20, space.total / 100)
        measured[root.path] = isLow ? nil : now
        return isLow
    }
}

/// The way onto the worker's loop for other threads.
struct LoopDoor: Sendable {
    fileprivate let handle: LoopHandle
    fileprivate let context: LoopBound<WorkerContext>

    func post(_ action: @escaping @Sendable (WorkerContext) -> Void) {
        handle.post { [context] loop in
            let worker = context.on(loop)
            action(worker)
            worker.onSettled?(Clocks.now())
        }
    }
}
