import Testing
import Timing

@testable import RTMP

/// Drives a server session as the shell does, and notes what it asks for.
struct Host {
    enum Event: Equatable {
        case publish(PublishInfo)
        case metadata(FLVMetadata)
        case video(Int64, [UInt8])
        case audio(Int64, [UInt8])
        case unpublished
        case close(RTMPSessionError)
    }

    var session: RTMPServerSession
    /// Answer a request to publish at once.
    var accepts = false
    private(set) var events: [Event] = []
    private(set) var sent: [UInt8] = []
    private(set) var deadline: Instant?

    init(_ limits: RTMPLimits = RTMPLimits(), accepts: Bool = false) {
        session = RTMPServerSession(limits: limits, at: Instant(nanoseconds: 0))
        self.accepts = accepts
        drain()
    }

    mutating func receive(_ bytes: [UInt8], pieces size: Int = .max, at seconds: Double = 0) {
        var offset = 0
        while offset < bytes.count {
            let end = size < bytes.count - offset ? offset + size : bytes.count
            let piece = Array(bytes[offset..<end])
            session.receive(piece.span, at: instant(seconds))
            drain()
            offset = end
        }
    }

    mutating func advance(to seconds: Double) {
        session.advance(to: instant(seconds))
        drain()
    }

    mutating func accept() {
        session.accept()
        drain()
    }

    mutating func reject(_ code: String) {
        session.reject(code: code, description: "no")
        drain()
    }

    mutating func close(_ reason: String) {
        session.close(reason)
        drain()
    }

    var closed: RTMPSessionError? { if case .close(let error) = events.last { error } else { nil } }

    /// What the session sent after the handshake.
    func answers() throws -> [RTMPMessage] {
        try #require(sent.count >= 3073)
        return try read(Array(sent[3073...]))
    }

    /// Names of the commands that it sent, with the code of a status behind them.
    func commands() throws -> [String] {
        var names: [String] = []
        for message in try answers() where message.type == .command {
            guard let command = try Command(message) else { continue }
            let code = command.argument(1)["code"]?.string
            names.append(code.map { "\(command.name) \($0)" } ?? command.name)
        }
        return names
    }

    private mutating func drain() {
        while true {
            switch session.pollOutput() {
            case .send(let bytes): sent += bytes
            case .publishRequested(let info):
                events.append(.publish(info))
                if accepts { session.accept() }
            case .metadata(let metadata): events.append(.metadata(metadata))
            case .video(let timestamp, let payload): events.append(.video(timestamp, Array(payload)))
            case .audio(let timestamp, let payload): events.append(.audio(timestamp, Array(payload)))
            case .unpublished: events.append(.unpublished)
            case .close(let error): events.append(.close(error))
            case .wait(let deadline):
                self.deadline = deadline
                return
            }
        }
    }
}

func instant(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

/// What a publisher sends, written step by step.
struct Script {
    private(set) var bytes: [UInt8] = HandshakeClient.opening() + [UInt8](repeating: 0, count: 1536)
    private var writer = ChunkWriter()

    static let connect = AMF0Value.object([
        AMF0Property("app", "live"), AMF0Property("flashVer", "test"), AMF0Property("tcUrl", "rtmp://h/live"),
    ])

    /// Up to and with `publish`, none of it waiting for an answer.
    static func publishing(_ key: String = "key", app: AMF0Value = connect) -> Self {
        var script = Self()
        script.command("connect", 1, [app])
        script.command("releaseStream", 2, [.null, .string(key)])
        script.command("FCPublish", 3, [.null, .string(key)])
        script.command("createStream", 4, [.null])
        script.command("publish", 5, [.null, .string(key), "live"], stream: 1)
        return script
    }

    mutating func command(
        _ name: String, _ transaction: Double, _ arguments: [AMF0Value], stream: UInt32 = 0, isAMF3: Bool = false
    ) {
        let body = Command(name, transaction: transaction, arguments).serialized()
        message(isAMF3 ? .commandAMF3 : .command, (isAMF3 ? [0] : []) + body, on: 3, stream: stream)
    }

    mutating func video(_ body: [UInt8], at time: Int64) { message(.video, body, on: 6, stream: 1, at: time) }
    mutating func audio(_ body: [UInt8], at time: Int64) { message(.audio, body, on: 4, stream: 1, at: time) }

    mutating func message(
        _ type: MessageType, _ payload: [UInt8], on chunkStreamID: UInt32 = 2, stream: UInt32 = 0, at time: Int64 = 0
    ) {
        writer.append(
            RTMPMessage(
                chunkStreamID: chunkStreamID, timestamp: time, type: type, messageStreamID: stream, payload: payload),
            to: &bytes)
    }

    /// The bytes since the last call.
    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }
}
