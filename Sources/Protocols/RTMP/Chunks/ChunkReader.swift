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
    /// So that a stranger's shortest messages take no more memory than his bytes account for.
    static let batchLimit = 256

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
    /// Where in the present input the message under way is put together, and its stream; `nil` if it is not there.
    private var inPlace: Range<Int>?
    private var inPlaceStream = 0
    /// Which of the messages read stand where in the present input.
    private var ranges: [(message: Int, bytes: Range<Int>)] = []
    /// True once a type 3 chunk came without the extended timestamp that it has to repeat.
    private var omitsExtendedTimestamps = false

    /// Whether media messages that come together share the array in which they came. The last of them to go frees it: turn
    /// this off for a peer most of whose messages go before the others.
    public var sharesMemory = true

    public init(limits: ChunkLimits = ChunkLimits()) { self.limits = limits }

    /// Reads whole messages from `bytes` from `offset`, which moves past what was read, and appends them to `messages`:
    /// all that end there, or so many that ``batchLimit`` stand in `messages`. Call it until all is read and ``hasMore`` is
    /// false.
    /// - Parameter bytes: media is put together in them, chunk behind chunk, and stays there: they are of no other use.
    /// - Throws: ``ChunkError``. The framing is lost: take the messages that came before it, then end the session.
    public mutating func read(
        _ bytes: inout [UInt8], at offset: inout Int, into messages: inout [RTMPMessage]
    ) throws(ChunkError) {
        defer { share(bytes, with: &messages) }
        while messages.count < Self.batchLimit {
            if let part = try nextOfAggregate() {
                messages.append(part)
                continue
            }
            guard offset < bytes.count || !carry.isEmpty else { return }
            if chunkMissing == 0, try !beginChunk(in: bytes.span, at: &offset) { return }
            readPayload(&bytes, at: &offset)
            guard chunkMissing == 0, streams[current].isReceiving, streams[current].missing == 0 else { continue }
            let range = inPlace
            let message = finishMessage()
            switch message.type {
            case .setChunkSize: try setChunkSize(message.payload)
            case .abort: try abort(message.payload)
            case .aggregate: aggregate = AggregateReader(message)
            default:
                if let range { ranges.append((messages.count, range)) }
                messages.append(message)
            }
        }
    }

    /// True while an aggregate is not read to its end: call ``read(_:at:into:)`` again, though all bytes were read.
    public var hasMore: Bool { aggregate != nil }

    /// Nothing but media belongs into an aggregate; a control message from there would have no meaning.
    private mutating func nextOfAggregate() throws(ChunkError) -> RTMPMessage? {
        while let part = try aggregate?.next() {
            if [.audio, .video, .data, .dataAMF3].contains(part.type) { return part }
        }
        aggregate = nil
        return nil
    }

    /// Bytes held for messages under way: for tests of the bound.
    var heldBytes: Int { streams.reduce(carry.capacity) { $0 + $1.payload.capacity } }

    // MARK: Chunks

    /// Reads a chunk's header.
    /// - Returns: false if the input ends within it; what there is of it is kept.
    private mutating func beginChunk(in input: Span<UInt8>, at offset: inout Int) throws(ChunkError) -> Bool {
        if carry.isEmpty, let size = try takeHeader(input.extracting(offset...), in: input, at: offset) {
            offset += size
            return true
        }
        // Rare: a header across two reads. Byte by byte, since only its own bytes may be taken.
        while true {
            let header = carry
            if let size = try takeHeader(header.span, in: input, at: nil) {
                carry.removeFirst(size)
                return true
            }
            guard offset < input.count else { return false }
            carry.append(input[offset])
            offset += 1
        }
    }

    /// - Parameter start: where `bytes` stand in `input`; `nil` if they came before it.
    /// - Returns: the bytes of the header, `nil` if `bytes` end within it.
    private mutating func takeHeader(
        _ bytes: Span<UInt8>, in input: Span<UInt8>, at start: Int?
    ) throws(ChunkError) -> Int? {
        guard let header = ChunkHeader(parsing: bytes) else { return nil }
        let index = try index(of: header.chunkStreamID)
        var size = header.byteCount
        if case .same = header.message {
            guard let extra = repeatedTimestamp(streams[index].extended, bytes.extracting(size...)) else {
                return nil
            }
            size += extra
        }
        if inPlace != nil, index != inPlaceStream { moveOut(of: input) }
        current = index
        if streams[index].isReceiving {
            guard case .same = header.message else {
                throw .interruptedMessage(chunkStreamID: header.chunkStreamID)
            }
        } else {
            try streams[index].begin(header)
            guard streams[index].length <= limits.messageBytes else { throw .messageTooLong(streams[index].length) }
            unfinishedMessages += 1
            makeRoom(in: start.map { $0 + size..<input.count })
        }
        chunkMissing = min(chunkSize, streams[index].missing)
        guard unfinishedBytes + chunkMissing <= limits.unfinishedBytes else {
            throw .tooManyUnfinishedBytes(unfinishedBytes + chunkMissing)
        }
        return size
    }

    /// - Parameter rest: the part of the input that begins with the message.
    private mutating func makeRoom(in rest: Range<Int>?) {
        let isMedia = streams[current].type == .video || streams[current].type == .audio
        if sharesMemory, isMedia, let rest, streams[current].length <= rest.count {
            (inPlace, inPlaceStream) = (rest.lowerBound..<rest.lowerBound, current)
        } else if unfinishedMessages <= Self.reservedMessages {
            streams[current].reserve(upTo: Self.firstReserve)
        }
    }

    /// The message under way in the input does not end in it, or not in one piece: it gets memory of its own.
    private mutating func moveOut(of input: Span<UInt8>) {
        guard let begun = inPlace else { return }
        inPlace = nil
        if unfinishedMessages <= Self.reservedMessages { streams[inPlaceStream].reserve(upTo: Self.firstReserve) }
        streams[inPlaceStream].append(input.extracting(begun))
    }

    /// The end of an input: the messages get their parts of it.
    private mutating func share(_ input: [UInt8], with messages: inout [RTMPMessage]) {
        moveOut(of: input.span)
        let used = ranges.reduce(0) { $0 + $1.bytes.count }
        if input.capacity <= 2 * used {
            for range in ranges { messages[range.message].payload = input[range.bytes] }
        } else {
            // Else little that is kept would hold the memory of all that came with it.
            var kept: [UInt8] = []
            kept.reserveCapacity(used)
            for range in ranges { kept.append(copying: input.span.extracting(range.bytes)) }
            var start = 0
            for range in ranges {
                messages[range.message].payload = kept[start..<start + range.bytes.count]
                start += range.bytes.count
            }
        }
        ranges = []
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

    private mutating func readPayload(_ bytes: inout [UInt8], at offset: inout Int) {
        if !carry.isEmpty {
            let carried = Array(carry.prefix(chunkMissing))
            carry.removeFirst(carried.count)
            streams[current].append(carried.span)
            note(received: carried.count)
        }
        let count = min(chunkMissing, bytes.count - offset)
        guard count > 0 else { return }
        if let begun = inPlace {
            bytes.move(offset..<offset + count, to: begun.upperBound)
            inPlace = begun.lowerBound..<begun.upperBound + count
        } else {
            streams[current].append(bytes.span.extracting(offset..<offset + count))
        }
        note(received: count)
        offset += count
    }

    private mutating func note(received count: Int) {
        streams[current].note(received: count)
        chunkMissing -= count
        unfinishedBytes += count
    }

    // MARK: Messages

    private mutating func finishMessage() -> RTMPMessage {
        unfinishedBytes -= streams[current].length
        unfinishedMessages -= 1
        inPlace = nil
        let message = streams[current].finish()
        if message.type == .audio || message.type == .video { mediaTime = message.timestamp }
        return message
    }

    private mutating func setChunkSize(_ payload: ArraySlice<UInt8>) throws(ChunkError) {
        guard payload.count >= 4 else { throw .invalidControlMessage(.setChunkSize) }
        let size = payload.span.uint32(at: 0)
        guard size > 0, size < 0x8000_0000 else { throw .invalidChunkSize(size) }
        chunkSize = min(Int(size), 0xFF_FFFF)  // no message is longer, so a larger size means the same
    }

    private mutating func abort(_ payload: ArraySlice<UInt8>) throws(ChunkError) {
        guard payload.count >= 4 else { throw .invalidControlMessage(.abort) }
        let id = payload.span.uint32(at: 0)
        guard let index = streams.firstIndex(where: { $0.id == id && $0.isReceiving }) else { return }
        unfinishedBytes -= streams[index].received
        unfinishedMessages -= 1
        streams[index].drop()
    }
}
