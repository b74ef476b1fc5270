import Bytes
import RTMP

/// An encoder: one ``RTMPClientSession`` on a socket, with a synthetic stream of H.264 and AAC.
public final class TestPublisher {
    /// What the server said.
    public enum Answer: Equatable {
        case publishing
        case refused(code: String)
        case closed
    }

    public let peer: StreamPeer
    private var session: RTMPClientSession
    private var answers: [Answer] = []
    private var hasAsked = false

    /// Connects and asks to publish.
    public init(port: UInt16, key: String) throws {
        peer = try StreamPeer(port: port)
        session = RTMPClientSession(
            RTMPClientSession.Target(app: "live", tcURL: "rtmp://127.0.0.1/live", streamKey: key))
        try flush()
        while !hasAsked { try receive() }
    }

    /// The next thing that the server says; its end, at last.
    public func answer() throws -> Answer {
        while answers.isEmpty {
            do {
                try receive()
            } catch StreamPeer.Failure.closed {
                return .closed
            }
        }
        return answers.removeFirst()
    }

    private func receive() throws {
        let bytes = try peer.receive()
        session.receive(bytes.span)
        try flush()
    }

    public func sendHeaders() throws {
        let (video, audio) = ([0x17, 0, 0, 0, 0] + Self.avcC, [0xAF, 0, 0x12, 0x10] as [UInt8])
        session.sendVideo(video.span, timestamp: 0)
        session.sendAudio(audio.span, timestamp: 0)
        try flush()
    }

    /// Another configuration for each `number`.
    public func reconfigure(_ number: UInt8) throws {
        let video = [0x17, 0, 0, 0, 0] + Self.avcC + [number]
        session.sendVideo(video.span, timestamp: 0)
        try flush()
    }

    /// Pictures and sound, 25 a second, each with its number in it; a key frame first and every ten.
    public func play(_ frames: Range<Int>, bytes: Int = 100) throws {
        for frame in frames {
            let first: UInt8 = frame % 10 == 0 ? 0x17 : 0x27
            let body = [UInt8](repeating: UInt8(truncatingIfNeeded: frame), count: bytes)
            let (video, audio) = ([first, 1, 0, 0, 0] + body, [0xAF, 1] + body.prefix(10))
            session.sendVideo(video.span, timestamp: Int64(frame) * 40)
            session.sendAudio(audio.span, timestamp: Int64(frame) * 40)
            try flush()
        }
    }

    /// A picture of a codec that is not taken.
    public func playUseless(bytes: Int) throws {
        let body = [0x22] + [UInt8](repeating: 0, count: bytes)
        session.sendVideo(body.span, timestamp: 0)
        try flush()
    }

    public func finish() throws {
        session.finish()
        try flush()
    }

    private func flush() throws {
        while let output = session.pollOutput() {
            switch output {
            case .send(let bytes):
                try peer.send(bytes)
                hasAsked = hasAsked || bytes.contains(Array("\u{0}\u{7}publish".utf8))
            case .publishing: answers.append(.publishing)
            case .refused(let code, _): answers.append(.refused(code: code))
            case .failed: answers.append(.closed)
            }
        }
    }

    /// Of x264, High profile, 1280 × 720.
    private static let avcC: [UInt8] = [
        0x01, 0x64, 0x00, 0x1F, 0xFF, 0xE1, 0x00, 0x1A, 0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBB,
        0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xC0, 0xF1, 0x83, 0x19, 0x60, 0x01, 0x00,
        0x06, 0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0, 0xFD, 0xF8, 0xF8, 0x00,
    ]
}
