import Bytes

/// Splits an Aggregate message (RTMP 1.0 section 7.1.6) into the messages in it: FLV tags, each with a back pointer.
struct AggregateReader: Sendable {
    private static let headerBytes = 11
    private static let backPointerBytes = 4

    private let aggregate: RTMPMessage
    private var offset = 0
    /// What is added to the tags' own times: the aggregate's time is that of its first tag.
    private var shift: Int64?

    init(_ aggregate: RTMPMessage) { self.aggregate = aggregate }

    /// - Returns: `nil` after the last.
    mutating func next() throws(ChunkError) -> RTMPMessage? {
        let payload = aggregate.payload
        let bytes = payload.span
        guard offset < bytes.count else { return nil }
        guard bytes.count - offset >= Self.headerBytes else { throw .invalidAggregate }
        let length = Int(bytes.uint24(at: offset + 1))
        let time = Int64(bytes.uint24(at: offset + 4)) | Int64(bytes[offset + 7]) << 24
        let start = offset + Self.headerBytes
        guard bytes.count - start >= length else { throw .invalidAggregate }
        let shift = shift ?? aggregate.timestamp &- time
        self.shift = shift
        let type = MessageType(rawValue: bytes[offset])
        // Deviation: the last back pointer may be missing.
        offset = min(start + length + Self.backPointerBytes, bytes.count)
        return RTMPMessage(
            chunkStreamID: aggregate.chunkStreamID, timestamp: time &+ shift, type: type,
            messageStreamID: aggregate.messageStreamID,
            payload: Array(copying: bytes.extracting(start..<start + length)))
    }
}
