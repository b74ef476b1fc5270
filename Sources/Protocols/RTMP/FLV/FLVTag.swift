import Bytes

/// Why a tag was refused. Drop the message and count it.
public enum FLVError: Error, Equatable, Sendable {
    case truncated
}

/// The header of a video message: of an FLV video tag's body (FLV 10.1 annex E.4.3, Enhanced RTMP for four-character codes).
public struct FLVVideoTag: Equatable, Sendable {
    public enum Codec: Hashable, Sendable {
        case h264
        /// A codec by its FLV number, 2 to 6 and 12.
        case legacy(UInt8)
        /// A codec of Enhanced RTMP, as `hvc1`: recognised, not taken yet.
        case fourCC(String)

        /// For people, and for the API.
        public var name: String {
            switch self {
            case .h264: "h264"
            case .legacy(2): "sorenson h263"
            case .legacy(3), .legacy(6): "screen video"
            case .legacy(4), .legacy(5): "vp6"
            case .legacy(12): "h265"
            case .legacy(let number): "flv video codec \(number)"
            case .fourCC(let code): FourCC.name(code)
            }
        }
    }

    public enum Packet: UInt8, Sendable {
        /// An AVCDecoderConfigurationRecord.
        case sequenceHeader = 0
        /// Length-prefixed NAL units of one access unit.
        case units = 1
        case endOfSequence = 2
    }

    public var isKey: Bool
    /// A frame that no other refers to.
    public var isDisposable: Bool
    public var codec: Codec
    /// `nil` for a codec that we do not take, and for a type of packet that we do not know.
    public var packet: Packet?
    /// What is added to the decoding time to give the presentation time, in milliseconds; signed.
    public var compositionTime: Int32
    /// Where the configuration or the units begin.
    public var dataOffset: Int

    public init(parsing body: Span<UInt8>) throws(FLVError) {
        guard body.count >= 1 else { throw .truncated }
        let frameType = body[0] >> 4 & 7
        isKey = frameType == 1 || frameType == 4
        isDisposable = frameType == 3
        compositionTime = 0
        packet = nil
        guard body[0] & 0x80 == 0 else {
            guard body.count >= 5 else { throw .truncated }
            codec = .fourCC(FourCC.text(body.extracting(1..<5)))
            dataOffset = 5
            return
        }
        guard body[0] & 0x0F == 7 else {
            codec = .legacy(body[0] & 0x0F)
            dataOffset = 1
            return
        }
        guard body.count >= 5 else { throw .truncated }
        codec = .h264
        // Frame type 5 is a command to the player, whatever follows.
        packet = frameType == 5 ? nil : Packet(rawValue: body[1])
        compositionTime = Int32(bitPattern: body.uint24(at: 2) << 8) >> 8
        dataOffset = 5
    }

    /// The five bytes before the data of an H.264 message.
    public static func header(_ packet: Packet, isKey: Bool, compositionTime: Int32 = 0) -> [UInt8] {
        var bytes: [UInt8] = [isKey ? 0x17 : 0x27, packet.rawValue]
        bytes.append(uint24: UInt32(bitPattern: compositionTime) & 0xFF_FFFF)
        return bytes
    }
}

/// The header of an audio message (FLV 10.1 annex E.4.2).
public struct FLVAudioTag: Equatable, Sendable {
    public enum Codec: Hashable, Sendable {
        case aac
        /// A codec by its FLV number.
        case legacy(UInt8)
        /// A codec of Enhanced RTMP, as `Opus`: recognised, not taken yet.
        case fourCC(String)

        /// For people, and for the API.
        public var name: String {
            switch self {
            case .aac: "aac"
            case .legacy(2), .legacy(14): "mp3"
            case .legacy(0), .legacy(3): "pcm"
            case .legacy(1): "adpcm"
            case .legacy(4), .legacy(5), .legacy(6): "nellymoser"
            case .legacy(7), .legacy(8): "g711"
            case .legacy(11): "speex"
            case .legacy(let number): "flv audio codec \(number)"
            case .fourCC(let code): FourCC.name(code)
            }
        }
    }

    public enum Packet: UInt8, Sendable {
        /// An AudioSpecificConfig.
        case sequenceHeader = 0
        /// One raw_data_block.
        case frame = 1
    }

    public var codec: Codec
    /// `nil` for a codec that we do not take, and for a type of packet that we do not know.
    public var packet: Packet?
    /// Where the configuration or the frame begins.
    public var dataOffset: Int

    public init(parsing body: Span<UInt8>) throws(FLVError) {
        guard body.count >= 1 else { throw .truncated }
        packet = nil
        switch body[0] >> 4 {
        case 10:
            guard body.count >= 2 else { throw .truncated }
            codec = .aac
            packet = Packet(rawValue: body[1])
            dataOffset = 2
        case 9:
            guard body.count >= 5 else { throw .truncated }
            codec = .fourCC(FourCC.text(body.extracting(1..<5)))
            dataOffset = 5
        case let number:
            codec = .legacy(number)
            dataOffset = 1
        }
    }

    /// The two bytes before the data of an AAC message; rate and channels stand in the configuration, not here.
    public static func header(_ packet: Packet) -> [UInt8] { [0xAF, packet.rawValue] }
}

private enum FourCC {
    /// Four characters; what is not printable becomes `?`.
    static func text(_ bytes: Span<UInt8>) -> String {
        var text = ""
        for index in bytes.indices {
            let isPrintable = (0x20..<0x7F).contains(bytes[index])
            text.unicodeScalars.append(isPrintable ? Unicode.Scalar(bytes[index]) : "?")
        }
        return text
    }

    static func name(_ code: String) -> String {
        switch code {
        case "avc1": "h264 (Enhanced RTMP)"
        case "hvc1": "h265"
        case "av01": "av1"
        case "vp08": "vp8"
        case "vp09": "vp9"
        case "mp4a": "aac (Enhanced RTMP)"
        case "ac-3": "ac3"
        case "ec-3": "eac3"
        case ".mp3": "mp3"
        case "fLaC": "flac"
        case "Opus": "opus"
        default: code
        }
    }
}
