import Bytes
public import Timing

/// The server's side of one RTMP connection that publishes: handshake, commands, media. It opens nothing and reads no clock.
///
/// Feed it what arrives; after every input drain ``pollOutput()`` until it says `.wait`. A request to publish is held, with
/// what media comes meanwhile, until ``accept()`` or ``reject(code:description:)``.
public struct RTMPServerSession: Sendable {
    public enum Output: Sendable {
        case send([UInt8])
        /// Answer with ``RTMPServerSession/accept()`` or ``RTMPServerSession/reject(code:description:)``.
        indirect case publishRequested(PublishInfo)
        indirect case metadata(FLVMetadata)
        /// The whole body of an FLV video tag; the time in milliseconds, extended over the 32-bit wrap.
        case video(timestamp: Int64, payload: ArraySlice<UInt8>)
        /// The whole body of an FLV audio tag.
        case audio(timestamp: Int64, payload: ArraySlice<UInt8>)
        /// The publisher ended its stream in good order.
        case unpublished
        /// Close the connection once what is to be sent is sent. Nothing follows.
        indirect case close(RTMPSessionError)
        /// Nothing to do until bytes come, or until then: call ``RTMPServerSession/advance(to:)``.
        case wait(deadline: Instant?)
    }

    enum State {
        case handshake
        case connecting
        case connected(ConnectInfo)
        /// Publication asked for, and not answered yet.
        case held(ConnectInfo, HeldPublication)
        case publishing(ConnectInfo, Publication)
        case closed
    }

    struct Publication: Sendable {
        var info: PublishInfo
        var messageStreamID: UInt32
    }

    struct HeldPublication: Sendable {
        var publication: Publication
        var outputs: [Output] = []
        var bytes = 0
    }

    let limits: RTMPLimits
    var state = State.handshake
    private var handshake: HandshakeServer
    private var reader: ChunkReader
    /// Media of the publication came with the present input.
    var hasNewMedia = false
    private var writer = ChunkWriter()
    private var sending: [UInt8] = []
    private var outputs: [Output] = []
    private var firstOutput = 0
    /// When the state is given up, and what to say then.
    private var deadline: (instant: Instant, error: RTMPSessionError)?
    private(set) var now: Instant
    private var receiveWindow: ReceiveWindow
    var lastMessageStreamID: UInt32 = 0
    var usesFCPublish = false

    /// - Parameters:
    ///   - random: fills the handshake, see ``HandshakeServer``.
    ///   - hmac: lets Flash Player's handshake be answered in kind.
    public init(limits: RTMPLimits = RTMPLimits(), random: [UInt8] = [], hmac: HMACSHA256? = nil, at now: Instant) {
        self.limits = limits
        self.now = now
        handshake = HandshakeServer(random: random, hmac: hmac)
        reader = ChunkReader(limits: limits.chunks)
        receiveWindow = ReceiveWindow(bitrate: limits.bitrate, at: now)
        deadline = (now + limits.handshake, .handshakeTimeout(limits.handshake))
    }

    // MARK: Inputs

    /// Whether media that comes together shares memory, see ``ChunkReader/sharesMemory``.
    public var mediaSharesMemory: Bool {
        get { reader.sharesMemory }
        set { reader.sharesMemory = newValue }
    }

    /// Takes a copy of bytes from the connection, cut anywhere.
    public mutating func receive(_ bytes: Span<UInt8>, at now: Instant) {
        var bytes = Array(copying: bytes)
        receive(&bytes, at: now)
    }

    /// Takes bytes from the connection, cut anywhere, in memory that the media in them may keep: it is of no other use.
    public mutating func receive(_ bytes: inout [UInt8], at now: Instant) {
        if case .closed = state { return }
        self.now = now
        guard receiveWindow.add(bytes.count, at: now) else { return fail(.bitrate(limit: limits.bitrate)) }
        var offset = 0
        if case .handshake = state {
            do throws(HandshakeError) {
                try handshake.receive(bytes.span, at: &offset, into: &sending)
            } catch {
                return fail(.handshake(error))
            }
            guard handshake.isDone else { return }
            state = .connecting
            wait(limits.firstMedia, .publishTimeout(limits.firstMedia))
        }
        while offset < bytes.count || reader.hasMore {
            guard handleMessages(in: &bytes, at: &offset) else { return }
        }
        if hasNewMedia {
            hasNewMedia = false
            wait(limits.idle, .idleTimeout(limits.idle))
        }
        if let sequence = receiveWindow.dueAcknowledgement() { send(ControlMessage.acknowledgement(sequence)) }
    }

    /// - Returns: false once the session is closed.
    private mutating func handleMessages(in bytes: inout [UInt8], at offset: inout Int) -> Bool {
        // Not kept: what every session uses in turn is at hand, what is one's own has to be fetched.
        var messages: [RTMPMessage] = []
        messages.reserveCapacity(8)
        var failure: ChunkError?
        do throws(ChunkError) {
            try reader.read(&bytes, at: &offset, into: &messages)
        } catch {
            failure = error  // what came before it counts
        }
        outputs.reserveCapacity(outputs.count + messages.count)
        for message in messages {
            handle(message)
            if case .closed = state { return false }
        }
        if let failure { fail(.chunk(failure)) }
        return failure == nil
    }

    /// Lets the publisher publish: it is told so, and what was held comes out. Without a held request it does nothing.
    public mutating func accept() {
        guard case .held(let connect, let held) = state else { return }
        state = .publishing(connect, held.publication)
        wait(limits.firstMedia, .firstMediaTimeout(limits.firstMedia))
        announce(held.publication)
        if held.bytes > 0 { wait(limits.idle, .idleTimeout(limits.idle)) }
        outputs.append(contentsOf: held.outputs)
    }

    /// Refuses the publication with an `onStatus` error of that code, and closes. Without a held request it does nothing.
    public mutating func reject(code: String, description: String) {
        guard case .held(_, let held) = state else { return }
        sendStatus(level: "error", code, description, on: held.publication.messageStreamID)
        fail(.rejected(description))
    }

    /// Moves time forward. Early or repeated calls are harmless.
    public mutating func advance(to now: Instant) {
        self.now = max(self.now, now)
        guard let deadline, now >= deadline.instant else { return }
        fail(deadline.error)
    }

    /// Ends the session from this side, telling a publisher why.
    public mutating func close(_ reason: String) {
        if case .publishing(_, let publication) = state {
            sendStatus(level: "error", "NetStream.Publish.Denied", reason, on: publication.messageStreamID)
        }
        fail(.closed(reason))
    }

    /// The next thing to do, oldest first but for bytes, which come first and in one piece. Call until it returns `.wait`.
    public mutating func pollOutput() -> Output {
        if !sending.isEmpty {
            var bytes: [UInt8] = []
            swap(&bytes, &sending)
            return .send(bytes)
        }
        guard firstOutput < outputs.count else {
            outputs = []
            firstOutput = 0
            return .wait(deadline: deadline?.instant)
        }
        var output = Output.unpublished
        swap(&output, &outputs[firstOutput])
        firstOutput += 1
        return output
    }

    // MARK: For the handlers of messages

    mutating func emit(_ output: Output) { outputs.append(output) }

    mutating func send(_ message: RTMPMessage) { writer.append(message, to: &sending) }

    /// What is sent from here on is cut into chunks of this size.
    mutating func useChunkSize(_ size: Int) {
        send(ControlMessage.setChunkSize(UInt32(clamping: size)))
        writer.chunkSize = size
    }

    mutating func setReceiveWindow(_ bytes: UInt32) { receiveWindow.window = Int(bytes) }

    mutating func wait(_ limit: Duration, _ error: RTMPSessionError) { deadline = (now + limit, error) }

    /// Ends the session; what was sent before still goes out.
    mutating func fail(_ error: RTMPSessionError) {
        if case .closed = state { return }
        state = .closed
        deadline = nil
        emit(.close(error))
    }
}
