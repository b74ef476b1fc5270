/// A participant's number within one room's feed: small, never reused.
public struct ParticipantNumber: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A track's number within one room's feed: small, never reused. ``TrackInfo/id`` is what clients see.
public struct TrackNumber: RawRepresentable, Hashable, Comparable, Sendable {
    public var rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What happens in a room, beside media. Readers skip kinds and fields that they do not know.
public enum RoomEvent: Equatable, Sendable {
    /// Room time 0 is this instant, in nanoseconds since 1970 UTC.
    case clock(epoch: Int64)
    case joined(ParticipantInfo)
    case left(ParticipantNumber)
    /// A track exists from here on. Repeated with the same number after its publisher came back.
    case published(TrackInfo)
    case unpublished(TrackNumber)
    /// What decodes the units of a track that name ``Configuration/id``. Stands before the first of them.
    case configuration(TrackNumber, rendition: UInt16, Configuration)
    /// The participant's source clock from here on: room time = source time + offset, both in nanoseconds.
    /// A new publication and a jump of the source's stamps make one; drift alone does not.
    case anchored(ParticipantNumber, offset: Int64)
    case muted(TrackNumber, Bool)
    case speaking([ParticipantNumber])
    /// A layout in the terms of the API, as JSON text.
    case layout(String)
    /// This consumer missed the records `from` up to, not including, `to`: it was slower than the replay limit.
    case missed(from: UInt64, to: UInt64)
}

public struct ParticipantInfo: Equatable, Sendable {
    public var number: ParticipantNumber
    /// `PA_…`
    public var id: String
    public var identity: String
    public var name: String

    public init(number: ParticipantNumber, id: String, identity: String, name: String) {
        self.number = number
        self.id = id
        self.identity = identity
        self.name = name
    }
}

public struct TrackInfo: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case audio = 0
        case video = 1
    }

    public enum Source: UInt8, Sendable {
        case unknown = 0
        case camera = 1
        case microphone = 2
        case screenShare = 3
        case screenShareAudio = 4
    }

    /// The form in which a track arrives; it is never changed by the core (DESIGN section 1).
    public enum Form: UInt8, Sendable {
        case units = 0
        case packets = 1
    }

    public var number: TrackNumber
    /// `TR_…`
    public var id: String
    public var participant: ParticipantNumber
    public var kind: Kind
    public var source: Source
    public var form: Form
    public var name: String

    public init(
        number: TrackNumber, id: String, participant: ParticipantNumber, kind: Kind, source: Source, form: Form,
        name: String = ""
    ) {
        self.number = number
        self.id = id
        self.participant = participant
        self.kind = kind
        self.source = source
        self.form = form
        self.name = name
    }
}

/// The codec of units, by the four-character code of its MP4 sample entry (`avc1`, `mp4a`, `Opus`, `hvc1`, `av01` …): open,
/// since publishers bring codecs that a gateway only forwards.
public struct CodecID: RawRepresentable, Hashable, Sendable {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let h264 = CodecID(rawValue: "avc1")
    public static let aac = CodecID(rawValue: "mp4a")
    public static let opus = CodecID(rawValue: "Opus")
}

/// A decoder configuration of one rendition of a track.
public struct Configuration: Equatable, Sendable {
    public var id: UInt32
    public var codec: CodecID
    /// Ticks a second of `pts` and `dts`. RTMP video and audio keep milliseconds: 1000.
    public var timescale: UInt32
    /// As the source sent it: the AVCDecoderConfigurationRecord of H.264, the AudioSpecificConfig of AAC.
    public var record: [UInt8]
    /// Video: coded size in pixels after cropping; 0 for audio.
    public var width: UInt32
    public var height: UInt32
    /// Audio: samples a second and channels as heard (after SBR and PS); 0 for video.
    public var sampleRate: UInt32
    public var channels: UInt32

    public init(
        id: UInt32, codec: CodecID, timescale: UInt32, record: [UInt8], width: UInt32 = 0, height: UInt32 = 0,
        sampleRate: UInt32 = 0, channels: UInt32 = 0
    ) {
        self.id = id
        self.codec = codec
        self.timescale = timescale
        self.record = record
        self.width = width
        self.height = height
        self.sampleRate = sampleRate
        self.channels = channels
    }
}
