import Bytes

/// The publisher's side of an RTMP connection, as encoders behave: for load generators, captures and tests.
///
/// Drain ``pollOutput()`` after `init` and after every input until it says `nil`.
public struct RTMPClientSession: Sendable {
    public enum Output: Equatable, Sendable {
        case send([UInt8])
        /// The server took the publication: send metadata, sequence headers, media.
        case publishing
        /// The server refused, with its code, as `NetStream.Publish.BadName`.
        case refused(code: String, description: String)
        /// The server's bytes cannot be read on.
        case failed(RTMPSessionError)
    }

    /// What to publish, and under which name.
    public struct Target: Equatable, Sendable {
        public var app: String
        public var tcURL: String
        public var streamKey: String
        public var flashVersion: String

        public init(
            app: String, tcURL: String, streamKey: String, flashVersion: String = "FMLE/3.0 (compatible; sluice)"
        ) {
            self.app = app
            self.tcURL = tcURL
            self.streamKey = streamKey
            self.flashVersion = flashVersion
        }
    }

    private enum Transaction {
        static let connect = 1.0
        static let releaseStream = 2.0
        static let fcPublish = 3.0
        static let createStream = 4.0
        static let publish = 5.0
        static let end = 6.0
    }

    private enum State {
        case handshake, connecting, awaitingStream
        case awaitingStart(stream: UInt32)
        case publishing(stream: UInt32)
        case ended
    }

    private static let chunkSize = 4096

    private let target: Target
    private var state = State.handshake
    private var handshake = HandshakeClient()
    private var reader = ChunkReader()
    private var writer = ChunkWriter()
    private var window = 2_500_000
    private var received = 0
    private var acknowledged = 0
    private var sending: [UInt8]
    private var outputs: [Output] = []

    public init(_ target: Target, random: [UInt8] = []) {
        self.target = target
        sending = HandshakeClient.opening(random: random)
    }

    // MARK: Inputs

    public mutating func receive(_ bytes: Span<UInt8>) {
        if case .ended = state { return }
        received &+= bytes.count
        var offset = 0
        do throws(HandshakeError) {
            try handshake.receive(bytes, at: &offset, into: &sending)
        } catch {
            return end(.failed(.handshake(error)))
        }
        guard handshake.isDone else { return }
        if case .handshake = state { connect() }
        var input = Array(copying: bytes)
        while offset < input.count || reader.hasMore {
            var messages: [RTMPMessage] = []
            var failure: ChunkError?
            do throws(ChunkError) {
                try reader.read(&input, at: &offset, into: &messages)
            } catch {
                failure = error
            }
            for message in messages { handle(message) }
            if let failure { return end(.failed(.chunk(failure))) }
        }
        if received &- acknowledged >= window {
            acknowledged = received
            send(ControlMessage.acknowledgement(UInt32(truncatingIfNeeded: received)))
        }
    }

    public mutating func send(_ metadata: FLVMetadata) { sendMedia(metadata.serialized().span, .data, 4, at: 0) }

    /// Sends the body of an FLV video tag. Media is dropped unless the session publishes.
    public mutating func sendVideo(_ body: Span<UInt8>, timestamp: Int64) { sendMedia(body, .video, 6, at: timestamp) }

    /// Sends the body of an FLV audio tag.
    public mutating func sendAudio(_ body: Span<UInt8>, timestamp: Int64) { sendMedia(body, .audio, 4, at: timestamp) }

    /// Ends the publication as encoders do; then close the connection.
    public mutating func finish() {
        guard case .publishing(let stream) = state else { return }
        let key = AMF0Value.string(target.streamKey)
        command("FCUnpublish", Transaction.end, [.null, key])
        command("deleteStream", Transaction.end, [.null, .number(Double(stream))])
        state = .ended
    }

    /// The next thing to do; `nil` when there is nothing.
    public mutating func pollOutput() -> Output? {
        guard sending.isEmpty else {
            var bytes: [UInt8] = []
            swap(&bytes, &sending)
            return .send(bytes)
        }
        return outputs.isEmpty ? nil : outputs.removeFirst()
    }

    // MARK: Messages

    private mutating func handle(_ message: RTMPMessage) {
        switch message.type {
        case .windowAcknowledgementSize: ControlMessage.value(of: message).map { window = max(Int($0), 1) }
        case .userControl: if let pong = ControlMessage.pong(to: message) { send(pong) }
        case .command, .commandAMF3:
            // What a server says beside the answers that we wait for may be malformed without harm.
            if let command = try? Command(message) { handle(command) }
        default: break
        }
    }

    private mutating func handle(_ command: Command) {
        switch (command.name, state) {
        case ("_result", .connecting) where command.transaction == Transaction.connect: createStream()
        case ("_result", .awaitingStream) where command.transaction == Transaction.createStream:
            publish(on: UInt32(clamping: command.argument(1).integer ?? 1))
        case ("_error", .connecting), ("_error", .awaitingStream): refuse(command.argument(1))
        case ("onStatus", _): status(command.argument(1))
        default: break
        }
    }

    private mutating func connect() {
        state = .connecting
        let object: AMF0Value = [
            "app": .string(target.app), "type": "nonprivate", "flashVer": .string(target.flashVersion),
            "swfUrl": .string(target.tcURL), "tcUrl": .string(target.tcURL),
        ]
        command("connect", Transaction.connect, [object])
    }

    private mutating func createStream() {
        state = .awaitingStream
        send(ControlMessage.setChunkSize(UInt32(Self.chunkSize)))
        writer.chunkSize = Self.chunkSize
        let key = AMF0Value.string(target.streamKey)
        command("releaseStream", Transaction.releaseStream, [.null, key])
        command("FCPublish", Transaction.fcPublish, [.null, key])
        command("createStream", Transaction.createStream, [.null])
    }

    private mutating func publish(on stream: UInt32) {
        state = .awaitingStart(stream: stream)
        command("publish", Transaction.publish, [.null, .string(target.streamKey), "live"], on: stream)
    }

    private mutating func status(_ status: AMF0Value) {
        if status["level"]?.string == "error" { return refuse(status) }
        guard case .awaitingStart(let stream) = state, status["code"]?.string == "NetStream.Publish.Start" else {
            return
        }
        state = .publishing(stream: stream)
        outputs.append(.publishing)
    }

    private mutating func refuse(_ status: AMF0Value) {
        end(.refused(code: status["code"]?.string ?? "", description: status["description"]?.string ?? ""))
    }

    private mutating func end(_ output: Output) {
        if case .ended = state { return }
        state = .ended
        outputs.append(output)
    }

    private mutating func sendMedia(_ body: Span<UInt8>, _ type: MessageType, _ chunkStreamID: UInt32, at time: Int64) {
        guard case .publishing(let stream) = state else { return }
        writer.append(
            body, chunkStreamID: chunkStreamID, timestamp: time, type: type, messageStreamID: stream, to: &sending)
    }

    private mutating func command(
        _ name: String, _ transaction: Double, _ arguments: [AMF0Value], on stream: UInt32 = 0
    ) {
        let payload = Command(name, transaction: transaction, arguments).serialized()
        send(
            RTMPMessage(
                chunkStreamID: 3, timestamp: 0, type: .command, messageStreamID: stream, payload: payload))
    }

    private mutating func send(_ message: RTMPMessage) { writer.append(message, to: &sending) }
}
