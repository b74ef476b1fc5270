import Bytes
import Glibc
import MediaLoop
import RTMP
import Timing

/// One encoder on a loop: connects, publishes, and sends a clip over and over in real time.
final class Publisher: DescriptorHandler {
    enum Change {
        case publishing
        case failed(String)
    }

    private let clip: MediaClip
    private let descriptor: Int32
    private let loop: EventLoop
    private let onChange: (Change) -> Void
    private var token: EventLoop.Token?
    private var session: RTMPClientSession
    private var schedule = MediaSchedule()
    private var following: MediaSchedule.Unit
    /// When the first frame was due; `nil` before the server took the publication.
    private var begin: Instant?
    private var pending: [UInt8] = []
    private var isWaitingToWrite = true

    /// Messages sent so far.
    private(set) var sentCount = 0

    init(
        port: UInt16, key: String, clip: MediaClip, loop: EventLoop, onChange: @escaping (Change) -> Void
    ) throws(LoadError) {
        self.clip = clip
        self.loop = loop
        self.onChange = onChange
        descriptor = try LoopbackSocket.connect(port: port)
        following = schedule.next()
        session = RTMPClientSession(
            .init(app: "live", tcURL: "rtmp://127.0.0.1:\(port)/live", streamKey: key))
        token = loop.add(descriptor, for: [.readable, .writable], self)
    }

    deinit { close(descriptor) }

    /// Ends the publication as encoders do.
    func finish() {
        session.finish()
        drain()
        end()
    }

    /// Sends what is due.
    /// - Returns: how late the oldest of it was.
    func advance(to now: Instant) -> Duration {
        guard let begin, token != nil, begin + following.time <= now else { return .zero }
        let lateness = now - (begin + following.time)
        while begin + following.time <= now {
            send(following)
            following = schedule.next()
        }
        return lateness
    }

    func ready(_ events: Readiness, at now: Instant) {
        if !events.isDisjoint(with: [.readable, .closed]) { receive(at: now) }
        if events.contains(.writable) { drain() }
    }

    private func send(_ unit: MediaSchedule.Unit) {
        let time = unit.time.nanoseconds / 1_000_000
        if unit.isVideo {
            let body = clip.video[unit.index % clip.video.count]
            session.sendVideo(body.span, timestamp: time)
        } else {
            let body = clip.audio[unit.index % clip.audio.count]
            session.sendAudio(body.span, timestamp: time)
        }
        sentCount += 1
        drain()  // each message in a write of its own, as encoders do
    }

    private func receive(at now: Instant) {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
            unsafe count = max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
        }
        guard !bytes.isEmpty else {
            if errno != EAGAIN { fail("the server closed the connection") }
            return
        }
        session.receive(bytes.span)
        drain(at: now)
    }

    private func drain(at now: Instant? = nil) {
        while let output = session.pollOutput() {
            switch output {
            case .send(let bytes): write(bytes)
            case .publishing: if let now { beginMedia(at: now) }
            case .refused(let code, let description): fail("the server refused: \(code) \(description)")
            case .failed(let error): fail("the server's bytes cannot be read: \(error)")
            }
        }
        if !pending.isEmpty { write([]) }
        let mustWait = !pending.isEmpty
        guard mustWait != isWaitingToWrite, let token else { return }
        isWaitingToWrite = mustWait
        loop.change(token, to: mustWait ? [.readable, .writable] : .readable)
    }

    private func beginMedia(at now: Instant) {
        session.send(
            FLVMetadata(properties: [
                AMF0Property("encoder", "sluice-bench"), AMF0Property("framerate", .number(30)),
            ]))
        let (video, audio) = (clip.videoHeader, clip.audioHeader)
        session.sendVideo(video.span, timestamp: 0)
        session.sendAudio(audio.span, timestamp: 0)
        begin = now
        onChange(.publishing)
    }

    private func write(_ bytes: [UInt8]) {
        guard pending.isEmpty else {
            pending += bytes
            let sent = LoopbackSocket.send(pending, to: descriptor)
            pending.removeFirst(sent)
            return
        }
        let sent = LoopbackSocket.send(bytes, to: descriptor)
        if sent < bytes.count { pending = Array(bytes[sent...]) }
    }

    private func fail(_ words: String) {
        guard token != nil else { return }
        end()
        onChange(.failed(words))
    }

    private func end() {
        guard let token else { return }
        loop.remove(token)
        self.token = nil
        begin = nil
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
