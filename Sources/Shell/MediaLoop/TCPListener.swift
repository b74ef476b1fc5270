import Glibc
public import Listening
import Log
public import Timing

/// A listening TCP socket on a loop: hands each accepted descriptor, which does not block, to `onAccept`.
public final class TCPListener: DescriptorHandler {
    public let port: UInt16
    private let descriptor: Int32
    private let loop: EventLoop
    private let onAccept: (_ descriptor: Int32, _ remote: String, Instant) -> Void
    private var token: EventLoop.Token?
    private let log = Logger("listener")
    /// Kept to be given up when descriptors run out: see ``turnAway(at:)``.
    private var spare = TCPListener.openSpare()
    private var warnedAt: Instant?

    /// - Parameter port: 0 for a free one, which ``port`` then tells.
    public init(
        host: String, port: UInt16, loop: EventLoop, onAccept: @escaping (Int32, String, Instant) -> Void
    ) throws(ListenError) {
        (descriptor, self.port) = try ListenSocket.open(host: host, port: port)
        self.loop = loop
        self.onAccept = onAccept
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit {
        Glibc.close(descriptor)
        if spare >= 0 { Glibc.close(spare) }
    }

    /// Takes no more connections.
    public func close() {
        guard let token else { return }
        loop.remove(token)
        self.token = nil
    }

    public func ready(_ events: Readiness, at now: Instant) {
        for _ in 0..<64 {
            let accepted = Glibc.accept(descriptor, nil, nil)
            guard accepted >= 0 else {
                if errno == EMFILE || errno == ENFILE { turnAway(at: now) }
                return
            }
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            onAccept(accepted, ListenSocket.peer(of: accepted), now)
        }
    }

    private static func openSpare() -> Int32 { unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }

    /// No descriptor is left: the connection that waits is taken with the spare one and closed, or the loop would be woken
    /// for it without end.
    private func turnAway(at now: Instant) {
        if spare >= 0 { Glibc.close(spare) }
        let refused = Glibc.accept(descriptor, nil, nil)
        if refused >= 0 { Glibc.close(refused) }
        spare = Self.openSpare()
        guard warnedAt.map({ now - $0 >= .seconds(1) }) ?? true else { return }
        warnedAt = now
        log.error("connections refused: no descriptor left; raise the limit (ulimit -n)", ["port": port])
    }
}
