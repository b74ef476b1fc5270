import Bytes
public import RTMP

/// One RTMP message with the room before it that librtmp writes its chunk header into.
public struct PushMessage: Equatable, Sendable {
    /// RTMP_MAX_HEADER_SIZE.
    static let headroom = 18

    var bytes: [UInt8]
    var byteCount: Int { bytes.count - Self.headroom }

    /// The AVCDecoderConfigurationRecord of a stream.
    public static func videoHeader(_ record: [UInt8]) -> PushMessage {
        PushMessage(FLVVideoTag.header(.sequenceHeader, isKey: true), record[...])
    }

    /// The AudioSpecificConfig of a stream.
    public static func audioHeader(_ configuration: [UInt8]) -> PushMessage {
        PushMessage(FLVAudioTag.header(.sequenceHeader), configuration[...])
    }

    public static func metadata(_ metadata: FLVMetadata) -> PushMessage {
        PushMessage([], metadata.serialized()[...])
    }

    fileprivate init(_ header: [UInt8], _ data: ArraySlice<UInt8>) {
        bytes = []
        bytes.reserveCapacity(Self.headroom + header.count + data.count)
        bytes.append(contentsOf: repeatElement(0, count: Self.headroom))
        bytes.append(contentsOf: header)
        bytes.append(contentsOf: data)
    }
}

/// A picture or a piece of sound on its way out. It owns its bytes, so that a slow destination holds on to nothing else.
public struct PushFrame: Equatable, Sendable {
    public enum Kind: Sendable {
        case audio
        case video
    }

    public let kind: Kind
    public let isKey: Bool
    /// Decoding time in milliseconds, on a clock that goes on over retries.
    public let time: Int64
    /// The sequence header that decodes it, and its number, which changes with it.
    public let header: PushMessage
    public let headerNumber: UInt32
    var message: PushMessage

    /// - Parameter accessUnit: length-prefixed NAL units.
    public static func video(
        _ accessUnit: ArraySlice<UInt8>, time: Int64, compositionTime: Int32, isKey: Bool, header: PushMessage,
        headerNumber: UInt32
    ) -> PushFrame {
        let tag = FLVVideoTag.header(.units, isKey: isKey, compositionTime: compositionTime)
        return PushFrame(
            kind: .video, isKey: isKey, time: time, header: header, headerNumber: headerNumber,
            message: PushMessage(tag, accessUnit))
    }

    /// - Parameter frame: one raw_data_block.
    public static func audio(
        _ frame: ArraySlice<UInt8>, time: Int64, header: PushMessage, headerNumber: UInt32
    ) -> PushFrame {
        PushFrame(
            kind: .audio, isKey: false, time: time, header: header, headerNumber: headerNumber,
            message: PushMessage(FLVAudioTag.header(.frame), frame))
    }

    public var byteCount: Int { message.byteCount }
}
