import Bytes

/// What the reader keeps of one chunk stream: the header that the next may refer to, and a message under way.
struct ChunkStream {
    let id: UInt32
    private(set) var length = 0
    private(set) var type = MessageType(rawValue: 0)
    private(set) var messageStreamID: UInt32 = 0
    private(set) var timestamp: Int64
    /// The extended timestamp that type 3 chunks repeat, if the last header had one.
    private(set) var extended: UInt32?
    private var step: UInt32 = 0
    private var hasHeader = false
    /// Received bytes of the message under way, unless they stand in the reader's batch.
    private(set) var payload: [UInt8] = []
    /// How many bytes of it have come.
    private(set) var received = 0
    private(set) var isReceiving = false

    /// - Parameter timestamp: of the media read last on any chunk stream: a new one is in the same epoch.
    init(id: UInt32, near timestamp: Int64) {
        self.id = id
        self.timestamp = timestamp
    }

    var missing: Int { length - received }

    /// Takes the header of a message's first chunk.
    mutating func begin(_ header: ChunkHeader) throws(ChunkError) {
        switch header.message {
        case .full(let time, let length, let type, let messageStreamID):
            self.length = length
            self.type = type
            self.messageStreamID = messageStreamID
            advance(to: time)
            step = time  // a type 3 chunk that follows takes the time for its step (section 5.3.1.2.4)
            note(time, header)
        case .sameStream(let step, let length, let type):
            // Deviation: a chunk stream may begin with type 1, as librtmp's first messages do; stream 0 is meant.
            self.length = length
            self.type = type
            if !hasHeader { timestamp = timestamp & ~0xFFFF_FFFF }
            take(step, header)
        case .sameLength(let step):
            guard hasHeader else { throw .missingHeader(chunkStreamID: id) }
            take(step, header)
        case .same:
            guard hasHeader else { throw .missingHeader(chunkStreamID: id) }
            advance(to: UInt32(truncatingIfNeeded: timestamp) &+ step)
        }
        hasHeader = true
        isReceiving = true
    }

    /// Makes room at once for a message of up to `limit` bytes.
    mutating func reserve(upTo limit: Int) { payload.reserveCapacity(min(length, limit)) }

    /// Takes bytes of the message under way that were counted before.
    mutating func append(_ bytes: Span<UInt8>) {
        let needed = payload.count + bytes.count
        if needed > payload.capacity {
            // Doubles, but for the last time only up to the length.
            payload.reserveCapacity(max(needed, min(length, 2 * payload.capacity)))
        }
        payload.append(copying: bytes)
    }

    /// Counts bytes of the message under way.
    mutating func note(received count: Int) { received += count }

    /// The message, all of whose bytes have come.
    mutating func finish() -> RTMPMessage {
        let message = RTMPMessage(
            chunkStreamID: id, timestamp: timestamp, type: type, messageStreamID: messageStreamID, payload: payload[...]
        )
        drop()
        return message
    }

    /// Forgets the message under way; the next chunk begins another.
    mutating func drop() {
        payload = []
        received = 0
        isReceiving = false
    }

    private mutating func take(_ step: UInt32, _ header: ChunkHeader) {
        self.step = step
        advance(to: UInt32(truncatingIfNeeded: timestamp) &+ step)
        note(step, header)
    }

    private mutating func note(_ time: UInt32, _ header: ChunkHeader) {
        extended = header.isExtended ? time : nil
    }

    private mutating func advance(to time: UInt32) { timestamp = Self.extend(time, near: timestamp) }

    /// Extends the wire's 32 bits. Only a step from the last quarter of their range to the first, or back, is a wrap: an
    /// encoder may send metadata at 0 and media at the uptime of its machine.
    private static func extend(_ time: UInt32, near reference: Int64) -> Int64 {
        let quarter: UInt32 = 0x4000_0000
        let last = UInt32(truncatingIfNeeded: reference)
        var epoch = reference >> 32
        if last >= 3 * quarter, time < quarter { epoch += 1 }
        if last < quarter, time >= 3 * quarter, epoch > 0 { epoch -= 1 }
        return epoch << 32 | Int64(time)
    }
}
