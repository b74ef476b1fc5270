import Bytes

/// Protocol and user control messages (RTMP 1.0 sections 5.4 and 7.1.7): chunk stream 2, message stream 0.
enum ControlMessage {
    static func setChunkSize(_ size: UInt32) -> RTMPMessage { message(.setChunkSize, size) }
    static func acknowledgement(_ sequence: UInt32) -> RTMPMessage { message(.acknowledgement, sequence) }
    static func windowAcknowledgementSize(_ size: UInt32) -> RTMPMessage {
        message(.windowAcknowledgementSize, size)
    }

    /// Limit type 2, dynamic.
    static func setPeerBandwidth(_ size: UInt32) -> RTMPMessage {
        var message = message(.setPeerBandwidth, size)
        message.payload.append(2)
        return message
    }

    static func streamBegin(_ stream: UInt32) -> RTMPMessage {
        var message = message(.userControl, stream)
        message.payload.insert(contentsOf: [0, 0], at: 0)
        return message
    }

    /// The answer to a PingRequest, with the same time; `nil` for other events.
    static func pong(to message: RTMPMessage) -> RTMPMessage? {
        guard message.payload.count >= 6, message.payload.starts(with: [0, 6]) else { return nil }
        var answer = message
        answer.chunkStreamID = 2
        answer.timestamp = 0
        answer.messageStreamID = 0
        answer.payload = [0, 7] + message.payload.dropFirst(2).prefix(4)
        return answer
    }

    /// The number in a Window Acknowledgement Size or Acknowledgement.
    static func value(of message: RTMPMessage) -> UInt32? {
        message.payload.count >= 4 ? message.payload.span.uint32(at: 0) : nil
    }

    private static func message(_ type: MessageType, _ value: UInt32) -> RTMPMessage {
        var payload: [UInt8] = []
        payload.append(uint32: value)
        return RTMPMessage(chunkStreamID: 2, timestamp: 0, type: type, messageStreamID: 0, payload: payload)
    }
}
