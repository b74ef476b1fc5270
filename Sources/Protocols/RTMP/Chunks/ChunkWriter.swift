import Bytes

/// Cuts messages into chunks (RTMP 1.0 section 5.3), with the shortest headers that say it.
public struct ChunkWriter: Sendable {
    /// What a chunk stream's last message was, for the headers that refer to it.
    private struct Last {
        var length: Int
        var type: MessageType
        var messageStreamID: UInt32
        var timestamp: UInt32
        /// What a type 3 header would repeat.
        var step: UInt32
    }

    /// The size that the peer was told by Set Chunk Size; 128 until then. At least 1.
    public var chunkSize = 128 {
        didSet { chunkSize = min(max(chunkSize, 1), 0xFF_FFFF) }
    }
    private var lasts: [UInt32: Last] = [:]

    public init() {}

    /// Appends the chunks of `message` to `output`. Chunk stream ids are 2 to 65 599.
    public mutating func append(_ message: RTMPMessage, to output: inout [UInt8]) {
        append(
            message.payload.span, chunkStreamID: message.chunkStreamID, timestamp: message.timestamp,
            type: message.type,
            messageStreamID: message.messageStreamID, to: &output)
    }

    /// The same for a payload that stands elsewhere.
    public mutating func append(
        _ payload: Span<UInt8>, chunkStreamID: UInt32, timestamp: Int64, type: MessageType, messageStreamID: UInt32,
        to output: inout [UInt8]
    ) {
        let needed = output.count + payload.count + (payload.count / chunkSize + 1) * 7 + 18
        // An array reserves exactly what it is told: without the doubling a long output would be copied each time.
        if needed > output.capacity { output.reserveCapacity(max(needed, 2 * output.capacity)) }
        let last = lasts[chunkStreamID]
        let time = UInt32(truncatingIfNeeded: timestamp)
        var next = Last(
            length: payload.count, type: type, messageStreamID: messageStreamID, timestamp: time, step: time)
        var format: UInt8 = 0
        if let last, last.messageStreamID == messageStreamID, Int32(bitPattern: time &- last.timestamp) >= 0 {
            next.step = time &- last.timestamp
            format = last.length != payload.count || last.type != type ? 1 : last.step != next.step ? 2 : 3
        }
        lasts[chunkStreamID] = next
        appendHeader(format, chunkStreamID, next, to: &output)
        var offset = 0
        while true {
            let end = min(offset + chunkSize, payload.count)
            output.append(copying: payload.extracting(offset..<end))
            offset = end
            guard offset < payload.count else { return }
            appendHeader(3, chunkStreamID, next, to: &output)
        }
    }

    private func appendHeader(_ format: UInt8, _ id: UInt32, _ header: Last, to output: inout [UInt8]) {
        switch id {
        case ..<64:
            output.append(format << 6 | UInt8(truncatingIfNeeded: id))
        case ..<320:
            output.append(format << 6)
            output.append(UInt8(truncatingIfNeeded: id - 64))
        default:
            output.append(format << 6 | 1)
            output.append(UInt8(truncatingIfNeeded: id - 64))
            output.append(UInt8(truncatingIfNeeded: (id - 64) >> 8))
        }
        let isExtended = header.step >= 0xFF_FFFF
        if format < 3 { output.append(uint24: isExtended ? 0xFF_FFFF : header.step) }
        if format < 2 {
            output.append(uint24: UInt32(truncatingIfNeeded: header.length))
            output.append(header.type.rawValue)
        }
        if format == 0 { output.append(uint32: header.messageStreamID.byteSwapped) }
        if isExtended { output.append(uint32: header.step) }
    }
}
