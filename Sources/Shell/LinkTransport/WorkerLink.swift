public import Feed
import Glibc
public import MediaLoop
public import Timing

/// What the gateway tells its worker, on the loop's thread.
public protocol WorkerLinkDelegate: AnyObject {
    func received(_ message: LinkMessage, at now: Instant)
    /// The end of a batch: what is sent until this returns goes out in one write.
    func drained(at now: Instant)
    /// The gateway is gone, or speaks another language: `reason` says so for the log.
    func linkEnded(_ reason: String, at now: Instant)
}

/// The worker's end of the link: says hello, checks the gateway's, answers its pings.
public final class WorkerLink: LinkConnectionDelegate {
    private var connection: LinkConnection?
    private weak var delegate: (any WorkerLinkDelegate)?
    private var isGreeted = false

    /// Takes over `descriptor`, which the worker inherited, and greets as `name` (`WK_…`).
    public init(descriptor: Int32, name: String, on loop: EventLoop, delegate: any WorkerLinkDelegate) {
        self.delegate = delegate
        let connection = LinkConnection(descriptor: descriptor, on: loop, delegate: self)
        self.connection = connection
        connection.send(.hello(Hello(name: name, processID: getpid())))
        connection.flush()
    }

    /// Queues `message` for the end of the batch, or for ``flush()``.
    public func send(_ message: LinkMessage) { connection?.send(message) }

    public func flush() { connection?.flush() }

    public func received(_ message: LinkMessage, at now: Instant) {
        switch message {
        case .hello(let hello):
            do {
                try hello.checkVersion()
                isGreeted = true
            } catch {
                end("the gateway speaks version \(hello.version), this worker \(LinkVersion.current)", at: now)
            }
        case .ping(let number): send(.pong(number))
        default:
            guard isGreeted else { return end("the gateway did not say hello", at: now) }
            delegate?.received(message, at: now)
        }
    }

    public func drained(at now: Instant) { delegate?.drained(at: now) }

    public func closed(_ error: LinkError?, at now: Instant) {
        connection = nil
        switch error {
        case nil: delegate?.linkEnded("the gateway closed the link", at: now)
        case .feed(let error): delegate?.linkEnded("the link carried no message: \(error)", at: now)
        case .socket(let code):
            delegate?.linkEnded("the link broke: \(unsafe String(cString: strerror(code)))", at: now)
        }
    }

    private func end(_ reason: String, at now: Instant) {
        connection?.close()
        connection = nil
        delegate?.linkEnded(reason, at: now)
    }
}
