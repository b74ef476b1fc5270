import Bytes

/// Bounds of what a peer may make a ``ChunkReader`` hold.
public struct ChunkLimits: Equatable, Sendable {
    /// Bytes of one message's payload.
    public var messageBytes = 8 << 20
    /// Chunk streams that may have a header on record.
    public var chunkStreams = 64
    /// Bytes of all messages that have begun and not ended.
    public var unfinishedBytes = 16 << 20

    public init() {}
}

/// Puts messages together from a chunk stream (RTMP 1.0 section 5.3), from bytes cut anywhere.
///
/// Set Chunk Size, Abort and Aggregate messages are dealt with here and not handed on. Memory grows with what was
/// received, never with what was announced, but for one buffer of at most ``firstReserve`` bytes for each of a few messages.
public struct ChunkReader: Sendable {
    /// A message's buffer is made for its whole length up to this size, so that most messages cost one allocation.
    static let firstReserve = 64 << 10
    /// No more than this many unfinished messages have such a buffer.
    static let reservedMessages = 4

    private let limits: ChunkLimits
    private(set) var chunkSize = 128
    private var streams: [ChunkStream] = []
    /// The stream whose chunk is being read, and what is left of that chunk.
    private var current = 0
    private var chunkMissing = 0
    /// A header cut by the end of the input. When its last bytes turn out to be no extended timestamp, they are read as
    /// payload from here.
    private var carry: [UInt8] = []
    private var unfinishedBytes = 0
    /// Of the last audio or video message.
    private var mediaTime: Int64 = 0
    private var unfinishedMessages = 0
    private var aggregate: AggregateReader?
    /// True once a type 3 chunk came without the extended timestamp that it has to repeat.
    private var omitsExtendedTimestamps = false

    public init(limits: ChunkLimits = ChunkLimits()) { self.limits = limits }

    /// The next whole message in `bytes` from `offset`, which moves past what was read; `nil` when all is read.
    /// - Throws: ``ChunkError``. The framing is lost: end the session.
    public mutating func next(in bytes: Span<UInt8>, at offset: inout Int) throws(ChunkError) -> RTMPMessage? {
        while true {
            while let message = try aggregate?.next() {
                // Nothing but media belongs into an aggregate; a control message from there would have no meaning.
                if [.audio, .video, .data, .dataAMF3].contains(message.type) { return message }
            }
            aggregate = nil
            guard offset < bytes.count || !carry.isEmpty else { return nil }
            if chunkMissing == 0, try !beginChunk(in: bytes, at: &offset) { return nil }
            readPayload(bytes, at: &offset)
            guard chunkMissing == 0, streams[current].isReceiving, streams[current].missing == 0 else { continue }
            let message = finishMessage()
            switch message.type {
            case .setChunkSize: try setChunkSize(message.payload)
            case .abort: try abort(message.payload)
            case .aggregate: aggregate = AggregateReader(message)
            default: return message
            }
        }
    }

    /// Bytes held for messages under way: for tests of the bound.
    var heldBytes: Int { streams.reduce(carry.capacity) { $0 + $1.payload.capacity } }

    // MARK: Chunks

    /// Reads a chunk's header.
    /// - Returns: false if the input ends within it; what there is of it is kept.
    private mutating func beginChunk(in bytes: Span<UInt8>, at offset: inout Int) throws(ChunkError) -> Bool {
        if carry.isEmpty, let size = try takeHeader(bytes.extracting(offset..<bytes.count)) {
            offset += size
            return true
        }
        // Rare: a header across two reads. Byte by byte, since only its own bytes may be taken.
        while true {
            let header = carry
            if let size = try takeHeader(header.span) {
                carry.removeFirst(size)
                return true
            }
            guard offset < bytes.count else { return false }
            carry.append(bytes[offset])
            offset += 1
        }
    }

    /// - Returns: the bytes of the header, `nil` if `bytes` end within it.
    private mutating func takeHeader(_ bytes: Span<UInt8>) throws(ChunkError) -> Int? {
        guard let header = ChunkHeader(parsing: bytes) else { return nil }
        let index = try index(of: header.chunkStreamID)
        var size = header.byteCount
        if case .same = header.message {
            guard let extra = repeatedTimestamp(streams[index].extended, bytes.extracting(size..<bytes.count)) else {
                return nil
            }
            size += extra
        }
        try begin(header, index)
        return size
    }

    private mutating func begin(_ header: ChunkHeader, _ index: Int) throws(ChunkError) {
        current = index
        if streams[index].isReceiving {
            guard case .same = header.message else {
                throw .interruptedMessage(chunkStreamID: header.chunkStreamID)
            }
        } else {
            try streams[index].begin(header)
            guard streams[index].length <= limits.messageBytes else { throw .messageTooLong(streams[index].length) }
            unfinishedMessages += 1
            if unfinishedMessages <= Self.reservedMessages {
                streams[index].reserve(upTo: Self.firstReserve)
            }
        }
        chunkMissing = min(chunkSize, streams[index].missing)
        guard unfinishedBytes + chunkMissing <= limits.unfinishedBytes else {
            throw .tooManyUnfinishedBytes(unfinishedBytes + chunkMissing)
        }
    }

    /// The bytes of the extended timestamp that a type 3 chunk repeats: 4, or 0 from encoders which leave it out, as is
    /// seen by other bytes in its place. `nil` if too few bytes are there to tell.
    private mutating func repeatedTimestamp(_ extended: UInt32?, _ bytes: Span<UInt8>) -> Int? {
        guard let extended, !omitsExtendedTimestamps else { return 0 }
        for index in 0..<min(4, bytes.count)
        where bytes[index] != UInt8(truncatingIfNeeded: extended >> UInt32(24 - 8 * index)) {
            omitsExtendedTimestamps = true
            return 0
        }
        return bytes.count >= 4 ? 4 : nil
    }

    private mutating func index(of id: UInt32) throws(ChunkError) -> Int {
        if current < streams.count, streams[current].id == id { return current }
        if let index = streams.firstIndex(where: { $0.id == id }) { return index }
        guard streams.count < limits.chunkStreams else { throw .tooManyChunkStreams(streams.count + 1) }
        streams.append(ChunkStream(id: id, near: mediaTime))
        return streams.count - 1
    }

    private mutating func readPayload(_ bytes: Span<UInt8>, at offset: inout Int) {
        if !carry.isEmpty {
            let carried = Array(carry.prefix(chunkMissing))
            carry.removeFirst(carried.count)
            take(carried.span)
        }
        let count = min(chunkMissing, bytes.count - offset)
        guard count > 0 else { return }
        take(bytes.extracting(offset..<offset + count))
        offset += count
    }

    private mutating func take(_ bytes: Span<UInt8>) {
        streams[current].append(bytes)
        chunkMissing -= bytes.count
        unfinishedBytes += bytes.count
    }

    // MARK: Messages

    private mutating func finishMessage() -> RTMPMessage {
        unfinishedBytes -= streams[current].length
        unfinishedMessages -= 1
        let message = streams[current].finish()
        if message.type == .audio || message.type == .video { mediaTime = message.timestamp }
        return message
    }

    private mutating func setChunkSize(_ payload: [UInt8]) throws(ChunkError) {
        guard payload.count >= 4 else { throw .invalidControlMessage(.setChunkSize) }
        let size = payload.span.uint32(at: 0)
        guard size > 0, size < 0x8000_0000 else { throw .invalidChunkSize(size) }
        chunkSize = min(Int(size), 0xFF_FFFF)  // no message is longer, so a larger size means the same
    }

    private mutating func abort(_ payload: [UInt8]) throws(ChunkError) {
        guard payload.count >= 4 else { throw .invalidControlMessage(.abort) }
        let id = payload.span.uint32(at: 0)
        guard let index = streams.firstIndex(where: { $0.id == id && $0.isReceiving }) else { return }
        unfinishedBytes -= streams[index].payload.count
        unfinishedMessages -= 1
        streams[index].drop()
    }
}
