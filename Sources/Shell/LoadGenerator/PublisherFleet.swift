import MediaLoop
import Synchronization
import Timing

/// Many publishers on one thread, each in real time.
public final class PublisherFleet: Sendable {
    public struct Status: Equatable, Sendable {
        public var publishing = 0
        public var failures: [String] = []
        /// The latest that a message was sent after it was due, since the last look.
        public var lateness: Duration = .zero
        public var messages = 0
    }

    private final class Publishers {
        var all: [Publisher] = []
    }

    private let loop: LoopHandle
    private let clip: MediaClip
    private let status = Mutex(Status())
    private let publishers: Mutex<LoopBound<Publishers>?> = Mutex(nil)

    public init(_ clip: MediaClip) {
        self.clip = clip
        loop = LoopHandle.start(name: "publishers")
        loop.post { [weak self] loop in self?.setUp(on: loop) }
    }

    deinit { loop.post { $0.stop() } }

    /// Starts a publisher of the application `live`.
    public func add(key: String, port: UInt16) {
        loop.post { [weak self] loop in self?.start(key, port, on: loop) }
    }

    /// Ends all publications; returns at once.
    public func finish() {
        loop.post { [weak self] loop in
            guard let publishers = self?.publishers.withLock({ $0 })?.on(loop) else { return }
            for publisher in publishers.all { publisher.finish() }
            publishers.all = []
            self?.status.withLock { $0 = Status() }
        }
    }

    /// How it goes; the lateness begins anew with each look.
    public func look() -> Status {
        status.withLock { status in
            defer { status.lateness = .zero }
            return status
        }
    }

    private func setUp(on loop: EventLoop) {
        let publishers = Publishers()
        self.publishers.withLock { $0 = LoopBound(publishers, on: loop) }
        loop.every(.milliseconds(2)) { [weak self] now in
            guard let self else { return loop.stop() }
            var latest = Duration.zero
            for publisher in publishers.all { latest = max(latest, publisher.advance(to: now)) }
            let messages = publishers.all.reduce(0) { $0 + $1.sentCount }
            status.withLock {
                $0.lateness = max($0.lateness, latest)
                $0.messages = messages
            }
        }
    }

    private func start(_ key: String, _ port: UInt16, on loop: EventLoop) {
        guard let publishers = publishers.withLock({ $0 })?.on(loop) else { return }
        do throws(LoadError) {
            let publisher = try Publisher(port: port, key: key, clip: clip, loop: loop) { [weak self] change in
                self?.note(change)
            }
            publishers.all.append(publisher)
        } catch {
            note(.failed(error.description))
        }
    }

    private func note(_ change: Publisher.Change) {
        status.withLock { status in
            switch change {
            case .publishing: status.publishing += 1
            case .failed(let words):
                status.publishing -= 1
                status.failures.append(words)
            }
        }
    }
}
