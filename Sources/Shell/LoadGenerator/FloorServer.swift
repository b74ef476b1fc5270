import Glibc
import MediaLoop
import RTMP
import Timing

/// The least that a server of publishers can do, to hold others against. It answers as RTMP asks until a publication
/// begins; from there on it reads what has come at each ``readInterval`` into one buffer, and copies it once into memory
/// that stands for the last group of pictures. It parses nothing and tells nobody.
@safe
public final class FloorServer {
    /// As often as the gateway reads.
    private static let readInterval = Duration.milliseconds(40)

    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)
    private var connections: [FloorConnection] = []
    private var listener: TCPListener?

    private init() {}

    deinit { unsafe buffer.deallocate() }

    /// Serves `port` of this machine on a thread of its own, for as long as the process lives.
    public static func start(port: UInt16) {
        _ = LoopHandle.start(name: "floor") { loop in
            let server = FloorServer()
            server.listener = try? TCPListener(host: "127.0.0.1", port: port, loop: loop) { descriptor, _, now in
                server.connections.append(FloorConnection(descriptor, loop: loop, at: now))
            }
            loop.every(readInterval, while: { !server.connections.isEmpty }) { _ in server.read() }
        }
    }

    private func read() {
        for connection in connections { unsafe connection.read(through: buffer) }
        connections.removeAll { $0.isEnded }
    }
}

/// One publisher of a ``FloorServer``.
@safe
private final class FloorConnection: DescriptorHandler {
    private let descriptor: Int32
    private let loop: EventLoop
    private var token: EventLoop.Token?
    private var session: RTMPServerSession
    /// Once it publishes: filled over and over.
    private var held = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var end = 0

    init(_ descriptor: Int32, loop: EventLoop, at now: Instant) {
        self.descriptor = descriptor
        self.loop = loop
        session = RTMPServerSession(random: [UInt8](repeating: 7, count: 1528), at: now)
        token = loop.add(descriptor, for: .readable, self)
    }

    deinit {
        unsafe held.deallocate()
        close(descriptor)
    }

    var isEnded: Bool { token == nil }

    func ready(_ events: Readiness, at now: Instant) {
        guard unsafe held.isEmpty, events.contains(.readable) else { return finish() }
        var bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
            unsafe count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        guard !bytes.isEmpty else { return finish() }
        session.receive(&bytes, at: now)
        while true {
            switch session.pollOutput() {
            case .send(let answer): _ = LoopbackSocket.send(answer, to: descriptor)
            case .publishRequested: publish()
            case .wait: return
            case .close, .unpublished: return finish()
            case .metadata, .video, .audio: break
            }
        }
    }

    private func publish() {
        session.accept()
        unsafe held = .allocate(byteCount: 1 << 20, alignment: 64)
        if let token { loop.change(token, to: []) }
    }

    func read(through buffer: UnsafeMutableRawBufferPointer) {
        guard unsafe !held.isEmpty, !isEnded else { return }
        let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
        guard count > 0 else { return count == 0 ? finish() : () }
        if unsafe end + count > held.count { end = 0 }
        unsafe UnsafeMutableRawBufferPointer(rebasing: held[end...]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        end += count
    }

    private func finish() {
        guard let token else { return }
        loop.remove(token)
        self.token = nil
    }
}
