/// The type of an RTMP message (RTMP 1.0 sections 5.4 and 7.1): open, unknown types are skipped.
public struct MessageType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let setChunkSize = MessageType(rawValue: 1)
    public static let abort = MessageType(rawValue: 2)
    public static let acknowledgement = MessageType(rawValue: 3)
    public static let userControl = MessageType(rawValue: 4)
    public static let windowAcknowledgementSize = MessageType(rawValue: 5)
    public static let setPeerBandwidth = MessageType(rawValue: 6)
    public static let audio = MessageType(rawValue: 8)
    public static let video = MessageType(rawValue: 9)
    public static let dataAMF3 = MessageType(rawValue: 15)
    public static let commandAMF3 = MessageType(rawValue: 17)
    public static let data = MessageType(rawValue: 18)
    public static let command = MessageType(rawValue: 20)
    public static let aggregate = MessageType(rawValue: 22)
}

/// One whole message, put together from its chunks.
public struct RTMPMessage: Equatable, Sendable {
    public var chunkStreamID: UInt32
    /// Milliseconds, extended over the wrap of the wire's 32 bits within its chunk stream.
    public var timestamp: Int64
    public var type: MessageType
    public var messageStreamID: UInt32
    /// Its storage may be shared with messages that came along with it.
    public var payload: ArraySlice<UInt8>

    public init(
        chunkStreamID: UInt32, timestamp: Int64, type: MessageType, messageStreamID: UInt32, payload: ArraySlice<UInt8>
    ) {
        self.chunkStreamID = chunkStreamID
        self.timestamp = timestamp
        self.type = type
        self.messageStreamID = messageStreamID
        self.payload = payload
    }

    /// A message that has its payload to itself.
    public init(
        chunkStreamID: UInt32, timestamp: Int64, type: MessageType, messageStreamID: UInt32, payload: [UInt8]
    ) {
        self.init(
            chunkStreamID: chunkStreamID, timestamp: timestamp, type: type, messageStreamID: messageStreamID,
            payload: payload[...])
    }
}

/// Why a chunk stream can not be read on: its framing is lost. End the session.
public enum ChunkError: Error, Equatable, Sendable {
    /// Set Chunk Size of 0, or with its top bit set.
    case invalidChunkSize(UInt32)
    case invalidControlMessage(MessageType)
    /// A chunk that refers to the header of a chunk stream which has sent none.
    case missingHeader(chunkStreamID: UInt32)
    /// A new header within an unfinished message.
    case interruptedMessage(chunkStreamID: UInt32)
    case messageTooLong(Int)
    case tooManyChunkStreams(Int)
    case tooManyUnfinishedBytes(Int)
    case invalidAggregate
}
