import Bytes

/// The header of one chunk as it stands on the wire (RTMP 1.0 section 5.3.1).
struct ChunkHeader {
    enum Message {
        /// Type 0: everything, the time absolute.
        case full(time: UInt32, length: Int, type: MessageType, messageStreamID: UInt32)
        /// Type 1: the message stream of the chunk stream's last message, the time as a step.
        case sameStream(step: UInt32, length: Int, type: MessageType)
        /// Type 2: length and type of the last message as well.
        case sameLength(step: UInt32)
        /// Type 3: the same step again, or the next chunk of the message.
        case same
    }

    var chunkStreamID: UInt32
    var message: Message
    /// True if the time did not fit in 24 bits.
    var isExtended = false
    /// Bytes of the header; an extended timestamp of a type 3 chunk is not among them, see ``ChunkReader``.
    var byteCount: Int

    /// The longest header: 3 bytes of basic header, 11 of message header, 4 of extended timestamp.
    static let maximumByteCount = 18

    /// - Returns: `nil` if `bytes` end within the header.
    init?(parsing bytes: Span<UInt8>) {
        guard bytes.count >= 1 else { return nil }
        var offset = 1
        switch bytes[0] & 0x3F {
        case 0:
            guard bytes.count >= 2 else { return nil }
            chunkStreamID = 64 + UInt32(bytes[1])
            offset = 2
        case 1:
            guard bytes.count >= 3 else { return nil }
            chunkStreamID = 64 + UInt32(bytes[1]) + UInt32(bytes[2]) << 8
            offset = 3
        case let id:
            chunkStreamID = UInt32(id)
        }
        let format = bytes[0] >> 6
        guard format < 3 else {
            message = .same
            byteCount = offset
            return
        }
        let size = format == 0 ? 11 : format == 1 ? 7 : 3
        guard bytes.count >= offset + size else { return nil }
        var time = bytes.uint24(at: offset)
        byteCount = offset + size
        if time == 0xFF_FFFF {
            guard bytes.count >= byteCount + 4 else { return nil }
            isExtended = true
            time = bytes.uint32(at: byteCount)
            byteCount += 4
        }
        guard format < 2 else {
            message = .sameLength(step: time)
            return
        }
        let length = Int(bytes.uint24(at: offset + 3))
        let type = MessageType(rawValue: bytes[offset + 6])
        if format == 1 {
            message = .sameStream(step: time, length: length, type: type)
        } else {
            // Little-endian, the only field that is.
            let stream = bytes.uint32(at: offset + 7).byteSwapped
            message = .full(time: time, length: length, type: type, messageStreamID: stream)
        }
    }
}
