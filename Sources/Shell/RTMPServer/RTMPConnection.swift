import Bytes
import Feed
import Forwarding
import Glibc
import Log
import MediaLoop
import RTMP
import TLS
import Timing

/// One RTMP session: its socket, its protocol machine, and once it publishes its way into a room.
final class RTMPConnection: DescriptorHandler {
    /// Reads of one turn, so that one publication's burst does not keep the others waiting.
    private static let readsPerTurn = 8
    /// A read's memory is made for what has come, and the media in it stays there. From 128 KiB on the allocator would map
    /// and unmap it each time.
    private static let mostRead = 120 << 10
    private static let leastRead = 256
    /// An encoder that does not read what little we send it is not one.
    private static let outputLimit = 256 << 10
    /// One that has sent so much media of no use to us gets memory of its own for each message: what is kept of a piece
    /// would else hold all of it.
    private static let unusedLimit = 64 << 10

    let number: RTMPSessionNumber
    let remote: String
    private unowned let server: RTMPServer
    private let descriptor: Int32
    private let log = Logger("rtmp")
    private var token: EventLoop.Token?
    private var session: RTMPServerSession
    /// Around the session's bytes on the port of RTMPS. Its handshake is within the session's own limit.
    private let tls: TLSServerSession?
    private var output: [UInt8] = []
    private var sent = 0
    private var isWaitingToWrite = false
    private var publication: Publication?

    private struct Publication {
        let session: String
        let room: Room
        var publisher: UnitPublisher
    }

    init(
        _ number: RTMPSessionNumber, descriptor: Int32, remote: String, tls: TLSServerSession?, server: RTMPServer,
        at now: Instant
    ) {
        self.number = number
        self.descriptor = descriptor
        self.remote = remote
        self.server = server
        self.tls = tls
        session = RTMPServerSession(
            limits: server.limits.session, random: Self.randomBytes(1528), hmac: server.limits.hmac, at: now)
        var one: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        token = server.loop.add(descriptor, for: .readable, self)
    }

    deinit { Glibc.close(descriptor) }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count / 8).flatMap { _ in
            let word = UInt64.random(in: .min ... .max, using: &generator)
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
    }

    // MARK: From the control plane

    func accept(_ grant: PublishGrant, into room: Room, at now: Instant) {
        publication = Publication(
            session: grant.session, room: room, publisher: UnitPublisher(grant, in: room, at: now))
        session.accept()
        wait(forWriting: isWaitingToWrite)  // from here on the server reads at its own pace
        drain(at: now)
    }

    var isEnded: Bool { token == nil }

    func reject(_ reason: String, at now: Instant) {
        session.reject(code: "NetStream.Publish.BadName", description: reason)
        drain(at: now)
    }

    func end(_ reason: String) {
        guard let token else { return }
        server.loop.remove(token)
        self.token = nil
        server.forget(self)
        sayGoodbye()
        shutdown(descriptor, Int32(SHUT_RDWR))
        if let publication {
            log.info(
                "connection closed",
                ["session": publication.session, "connection": number, "remote": remote, "reason": reason])
        } else {
            log.info("connection closed", ["connection": number, "remote": remote, "reason": reason])
        }
        server.onEvent(.ended(number, reason: reason, publication?.publisher.report))
    }

    // MARK: From the socket and the clock

    func ready(_ events: Readiness, at now: Instant) {
        if !events.isDisjoint(with: [.readable, .closed]) { receive(at: now) }
        if events.contains(.writable) { write() }
    }

    func advance(to now: Instant) {
        session.advance(to: now)
        drain(at: now)
        guard let publication, token != nil else { return }
        server.onEvent(.progress(number, publication.publisher.report))
    }

    /// Reads what has come.
    func receive(at now: Instant) {
        var closed: String?
        for _ in 0..<Self.readsPerTurn where !isEnded && closed == nil {
            var (bytes, error) = read()
            let count = bytes.count
            if count > 0 {
                server.count(received: count)
                closed = take(&bytes, at: now)
            } else if error == 0 {
                closed = "the encoder closed the connection"
            } else if error != EAGAIN && error != EINTR {
                closed = "connection lost (error \(error))"
            }
            drain(at: now)
            if count < Self.mostRead { break }
        }
        if let publisher = publication?.publisher {
            if publisher.unusedBytes > Self.unusedLimit { session.mediaSharesMemory = false }
            if publisher.changesTooOften, !isEnded {
                session.close("the encoder changes its configuration again and again")
                drain(at: now)
            }
        }
        if let closed { end(closed) }
    }

    /// - Returns: what has come; if that is nothing, the error, 0 for the end.
    private func read() -> (bytes: [UInt8], error: Int32) {
        var waiting: Int32 = 0
        _ = unsafe ioctl(descriptor, UInt(FIONREAD), &waiting)
        let room = min(max(Int(waiting), Self.leastRead), Self.mostRead)
        var error: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let got = unsafe recv(descriptor, buffer.baseAddress, room, 0)
            if got < 0 { error = errno }
            count = max(0, got)
        }
        return (bytes, error)
    }

    /// Takes bytes of the socket.
    /// - Returns: why the connection is over, if it is.
    private func take(_ bytes: inout [UInt8], at now: Instant) -> String? {
        guard let tls else {
            session.receive(&bytes, at: now)
            return nil
        }
        tls.receive(bytes.span)
        var plaintext: [UInt8] = []
        swap(&plaintext, &server.plaintext)
        defer {
            swap(&plaintext, &server.plaintext)
            tls.takeOutput(into: &output)
        }
        do throws(TLSFailure) {
            while true {
                switch try tls.read(into: &plaintext) {
                case .bytes(let count): session.receive(plaintext.span.extracting(..<count), at: now)
                case .wait: return nil
                case .closed: return "the encoder closed the connection"
                }
            }
        } catch {
            return "TLS: \(error.reason)"
        }
    }

    private func send(_ bytes: [UInt8]) {
        guard let tls else { return output.append(contentsOf: bytes) }
        do throws(TLSFailure) {
            try tls.write(bytes)
            tls.takeOutput(into: &output)
        } catch {
            end("TLS: \(error.reason)")
        }
    }

    /// An alert that stands, or close_notify: as far as the socket takes it.
    private func sayGoodbye() {
        guard let tls else { return }
        tls.close()
        tls.takeOutput(into: &output)
        _ = unsafe output.withUnsafeBytes { bytes in
            unsafe Glibc.send(
                descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
    }

    private func drain(at now: Instant) {
        while token != nil {
            switch session.pollOutput() {
            case .wait: return write()
            case .send(let bytes): send(bytes)
            case .publishRequested(let request):
                server.onEvent(
                    .publishRequested(
                        PublishRequest(
                            session: number, app: request.app, streamKey: Secret(request.streamKey), remote: remote,
                            encoder: request.flashVersion)))
            case .metadata(let metadata): publication?.publisher.metadata(metadata, at: now)
            case .video(let timestamp, let payload):
                publication?.publisher.video(timestamp: timestamp, payload: payload, at: now)
            case .audio(let timestamp, let payload):
                publication?.publisher.audio(timestamp: timestamp, payload: payload, at: now)
            case .unpublished: write(); end("the encoder stopped")
            case .close(let reason): write(); end(reason.description)
            }
        }
    }

    private func write() {
        if output.isEmpty, !isWaitingToWrite { return }
        while sent < output.count {
            let count = unsafe output.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        if sent == output.count {
            output = []
            sent = 0
        } else if output.count - sent > Self.outputLimit {
            return end("the encoder does not read our answers")
        }
        if isWaitingToWrite == output.isEmpty { wait(forWriting: !output.isEmpty) }
    }

    private func wait(forWriting: Bool) {
        isWaitingToWrite = forWriting
        guard let token else { return }
        var interest: Readiness = publication == nil ? .readable : []
        if forWriting { interest.insert(.writable) }
        server.loop.change(token, to: interest)
    }
}
