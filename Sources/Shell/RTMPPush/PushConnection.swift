import Bytes
import Glibc
import MediaLoop
import Synchronization
import Threads
public import Timing

/// What goes to one destination, and outlives its connections: the queue, and what a new connection is told first.
public final class PushSource: Sendable {
    struct State {
        var queue = PushQueue()
        var metadata: PushMessage?
        var audioHeader: (message: PushMessage, number: UInt32)?
        var isEnding = false
    }

    let state = Mutex(State())
    /// Ends a connection's wait.
    let wake = WakePipe()

    public init() {}

    /// Whether a picture is to come before anything else.
    public func setHasVideo(_ hasVideo: Bool) { state.withLock { $0.queue.hasVideo = hasVideo } }

    /// What a new connection sends before the first frame.
    public func describe(metadata: PushMessage, audioHeader: (message: PushMessage, number: UInt32)?) {
        state.withLock { state in
            state.metadata = metadata
            state.audioHeader = audioHeader
        }
    }

    public func append(_ frame: PushFrame, at now: Instant) {
        let wasEmpty = state.withLock { state in
            defer { state.queue.append(frame, at: now) }
            return state.queue.isEmpty
        }
        if wasEmpty { wake.signal() }
    }

    /// Lets the connection send what waits, then tell the destination that the stream has ended.
    public func end() {
        state.withLock { $0.isEnding = true }
        wake.signal()
    }

    public var lostFrames: Int64 { state.withLock { $0.queue.lostFrames } }
}

/// One connection to a destination, with a thread of its own, from the first address lookup to the last byte.
public final class PushConnection: Sendable {
    public enum Event: Sendable {
        /// The destination takes the stream.
        case accepted
        /// It has the first picture, or the first sound of a stream without pictures.
        case started
        case ended
        case broke(PushFailure)
    }

    public struct Progress: Sendable {
        public var bytes: Int64 = 0
        public var frames: Int64 = 0
        /// Milliseconds of media since the connection's first frame.
        public var milliseconds: Int64 = 0

        public init() {}
    }

    private let address: PushAddress
    private let source: PushSource
    private let socket = PushSocket()
    private let counts = Mutex(Progress())
    private let onEvent: @Sendable (Event) -> Void

    /// Begins to connect.
    /// - Parameter onEvent: called on the connection's thread; `ended` or `broke` is the last.
    public static func start(
        to address: PushAddress, from source: PushSource, onEvent: @escaping @Sendable (Event) -> Void
    ) -> PushConnection {
        let connection = PushConnection(address, source, onEvent)
        NamedThread.start("push") { connection.runThread() }
        return connection
    }

    private init(_ address: PushAddress, _ source: PushSource, _ onEvent: @escaping @Sendable (Event) -> Void) {
        self.address = address
        self.source = source
        self.onEvent = onEvent
    }

    public var progress: Progress { counts.withLock { $0 } }

    /// Ends it at once, whatever it waits for.
    public func abort() {
        socket.abort()
        source.wake.signal()
    }

    private func runThread() {
        blockBrokenPipes()
        do throws(PushFailure) {
            let session = try RTMPSession(address, over: socket)
            onEvent(.accepted)
            source.state.withLock { $0.queue.begin() }
            var stream = OutgoingStream(session: session, source: source)
            while try next(of: &stream) {}
            session.unpublish()
        } catch {
            socket.close()
            return onEvent(socket.isAborted ? .ended : .broke(error))
        }
        socket.close()
        onEvent(.ended)
    }

    /// librtmp writes without asking that a broken connection be an error and not a signal.
    private func blockBrokenPipes() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGPIPE)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Sends one frame, or waits for one.
    /// - Returns: false when all is sent and the stream is to end.
    private func next(of stream: inout OutgoingStream) throws(PushFailure) -> Bool {
        try stream.session.readAvailable()
        let (frame, isEnding) = source.state.withLock { ($0.queue.popFirst(), $0.isEnding) }
        guard let frame else {
            if isEnding || socket.isAborted { return false }
            source.wake.wait(or: stream.session.descriptor)
            return true
        }
        let isFirst = try stream.send(frame)
        counts.withLock { counts in
            counts.bytes += Int64(frame.byteCount)
            counts.frames += 1
            counts.milliseconds = max(counts.milliseconds, stream.milliseconds)
        }
        if isFirst { onEvent(.started) }
        return true
    }
}

/// The order of messages on one connection: metadata, headers, frames; headers again where they change.
struct OutgoingStream {
    let session: RTMPSession
    private let source: PushSource
    private var base: Int64?
    private var headers: [PushFrame.Kind: UInt32] = [:]
    private(set) var milliseconds: Int64 = 0

    init(session: RTMPSession, source: PushSource) {
        self.session = session
        self.source = source
    }

    /// - Returns: true for the connection's first frame.
    mutating func send(_ frame: PushFrame) throws(PushFailure) -> Bool {
        let isFirst = base == nil
        if isFirst { try begin(with: frame) }
        let time = frame.time - (base ?? frame.time)
        guard time >= 0 else { return false }  // sound from before the first picture
        if headers[frame.kind] != frame.headerNumber {
            headers[frame.kind] = frame.headerNumber
            try session.send(frame.header, frame.kind, time: UInt32(truncatingIfNeeded: time))
        }
        milliseconds = max(milliseconds, time)
        try session.send(frame.message, frame.kind, time: UInt32(truncatingIfNeeded: time))
        return isFirst
    }

    private mutating func begin(with frame: PushFrame) throws(PushFailure) {
        base = frame.time
        let (metadata, audioHeader) = source.state.withLock { ($0.metadata, $0.audioHeader) }
        if let metadata { try session.sendMetadata(metadata) }
        headers[frame.kind] = frame.headerNumber
        try session.send(frame.header, frame.kind, time: 0)
        if frame.kind == .video, let audioHeader {
            headers[.audio] = audioHeader.number
            try session.send(audioHeader.message, .audio, time: 0)
        }
    }
}

/// Wakes a thread that waits for a queue or for its socket.
final class WakePipe: Sendable {
    private static let idleMilliseconds: Int32 = 1000

    private let ends: (read: Int32, write: Int32)

    init() {
        var pair: [Int32] = [-1, -1]
        unsafe pipe(&pair)
        for end in pair {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        ends = (pair[0], pair[1])
    }

    deinit {
        close(ends.read)
        close(ends.write)
    }

    func signal() {
        var byte: UInt8 = 1
        unsafe write(ends.write, &byte, 1)
    }

    /// Returns when signalled, when `descriptor` has something to read, or after a second.
    func wait(or descriptor: Int32) {
        var waiting = [
            pollfd(fd: ends.read, events: Int16(POLLIN), revents: 0),
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        ]
        unsafe poll(&waiting, 2, Self.idleMilliseconds)
        var drained = [UInt8](repeating: 0, count: 64)
        while unsafe read(ends.read, &drained, drained.count) > 0 {}
    }
}
