/// What libavformat says of one stream of a file.
public struct MediaStream: Equatable, Sendable {
    public enum Kind: Sendable {
        case video
        case audio
        case other
    }

    public var kind: Kind
    /// libav's name, as `h264` or `aac`.
    public var codec: String
    /// Ticks a second of the times of its packets.
    public var timescale: Int64
    /// In those ticks; `nil` when it is not known.
    public var duration: Int64?
    public var startTime: Int64?
    public var width: Int
    public var height: Int
    public var sampleRate: Int
    public var channels: Int
    /// Played unless the viewer chooses otherwise.
    public var isDefault: Bool
    /// The track's name.
    public var handlerName: String?
    /// The decoder configuration of the first sample entry.
    public var configuration: [UInt8]
}

/// One packet as libavformat gives it.
public struct MediaPacket: Equatable, Sendable {
    public var stream: Int
    /// In ticks of the stream; `nil` when they are not known.
    public var pts: Int64?
    public var dts: Int64?
    public var duration: Int64
    public var isKey: Bool
    /// To be decoded but not shown: before the beginning of an edit.
    public var isDiscarded: Bool
    public var bytes: [UInt8]
    /// A decoder configuration that begins with this packet.
    public var newConfiguration: [UInt8]?
}
