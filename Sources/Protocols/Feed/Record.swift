/// One entry of a feed: a room event, a unit or a packet, at its place in the room's order and on the room's clock.
///
/// A feed is a room in time (DESIGN section 1). The link and the tape carry the same records.
public struct Record: Equatable, Sendable {
    public enum Body: Equatable, Sendable {
        case event(RoomEvent)
        case unit(Unit)
        case packet(Packet)
    }

    /// The record's number in its room, rising by one; 0 is the room's first.
    public var position: UInt64
    /// Room time in nanoseconds since the room's epoch; a `clock` event ties the epoch to UTC.
    public var time: Int64
    public var body: Body

    public init(position: UInt64, time: Int64, body: Body) {
        self.position = position
        self.time = time
        self.body = body
    }
}

/// One access unit or audio frame as its source sent it (RTMP, files, our own encoders).
public struct Unit: Equatable, Sendable {
    public var track: TrackNumber
    /// 0 is the rendition that the publisher sent.
    public var rendition: UInt16
    /// The id of the ``Configuration`` that decodes it, counted per track from 1.
    public var configuration: UInt32
    /// Presentation and decoding time on the source's clock, in ticks of the configuration's timescale.
    public var pts: Int64
    public var dts: Int64
    public var isKey: Bool
    /// Untouched: for H.264 the length-prefixed NAL units of one access unit, for AAC one raw_data_block.
    public var bytes: ArraySlice<UInt8>

    public init(
        track: TrackNumber, rendition: UInt16 = 0, configuration: UInt32, pts: Int64, dts: Int64, isKey: Bool,
        bytes: ArraySlice<UInt8>
    ) {
        self.track = track
        self.rendition = rendition
        self.configuration = configuration
        self.pts = pts
        self.dts = dts
        self.isKey = isKey
        self.bytes = bytes
    }
}

/// One RTP packet or RTCP sender report as it arrived from a WebRTC publisher.
public struct Packet: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case rtp = 0
        case senderReport = 1
    }

    public var track: TrackNumber
    /// The simulcast layer, 0 the lowest.
    public var rendition: UInt16
    public var kind: Kind
    /// True for a packet that begins a key frame.
    public var isKey: Bool
    public var bytes: ArraySlice<UInt8>

    public init(track: TrackNumber, rendition: UInt16, kind: Kind, isKey: Bool, bytes: ArraySlice<UInt8>) {
        self.track = track
        self.rendition = rendition
        self.kind = kind
        self.isKey = isKey
        self.bytes = bytes
    }
}
