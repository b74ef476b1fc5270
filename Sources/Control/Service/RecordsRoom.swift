/// A room: where participants publish and from where outputs take.
public struct RoomRecord: Codable, Equatable, Sendable {
    /// `RM_…`
    public var id: String
    public var name: String
    public var createdAt: Timestamp
    /// Since when nobody is in it; `nil` while somebody is.
    @OrNull public var emptySince: Timestamp?
    /// An empty room goes away after this long; `nil`: never by itself.
    @OrNull public var emptyTimeoutSeconds: Double?
    @OrNull public var maxParticipants: Int?
    public var metadata: String
    public var participantCount: Int
    public var trackCount: Int
    /// Egress of this room that has not ended.
    public var activeEgressCount: Int
    public var labels: [String: String]
    @OrNull public var keyId: String?

    public init(
        id: String, name: String, createdAt: Timestamp, emptySince: Timestamp? = nil,
        emptyTimeoutSeconds: Double? = nil, maxParticipants: Int? = nil, metadata: String = "",
        participantCount: Int = 0, trackCount: Int = 0, activeEgressCount: Int = 0, labels: [String: String] = [:],
        keyId: String? = nil
    ) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.emptySince = emptySince
        self.emptyTimeoutSeconds = emptyTimeoutSeconds
        self.maxParticipants = maxParticipants
        self.metadata = metadata
        self.participantCount = participantCount
        self.trackCount = trackCount
        self.activeEgressCount = activeEgressCount
        self.labels = labels
        self.keyId = keyId
    }
}

/// Somebody, or an ingress, in a room.
public struct ParticipantRecord: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case standard, ingress
    }

    /// `PA_…`
    public var id: String
    public var identity: String
    public var name: String
    public var kind: Kind
    public var joinedAt: Timestamp
    /// `IN_…` of a participant that an ingress makes.
    @OrNull public var ingressId: String?
    public var metadata: String
    public var tracks: [TrackRecord]

    public init(
        id: String, identity: String, name: String, kind: Kind, joinedAt: Timestamp, ingressId: String? = nil,
        metadata: String = "", tracks: [TrackRecord] = []
    ) {
        self.id = id
        self.identity = identity
        self.name = name
        self.kind = kind
        self.joinedAt = joinedAt
        self.ingressId = ingressId
        self.metadata = metadata
        self.tracks = tracks
    }
}

/// One published track, with what is known of its codec so far.
public struct TrackRecord: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case audio, video
    }

    public enum Source: String, Codable, Sendable, CaseIterable {
        case unknown, camera, microphone
        case screenShare = "screen_share"
        case screenShareAudio = "screen_share_audio"
    }

    /// `TR_…`
    public var id: String
    public var kind: Kind
    public var source: Source
    public var name: String
    public var muted: Bool
    /// As `h264`, `aac`, `opus`; else the sample entry's code. `nil` until the first configuration came.
    @OrNull public var codec: String?
    @OrNull public var width: Int?
    @OrNull public var height: Int?
    @OrNull public var framesPerSecond: Double?
    @OrNull public var keyFrameSeconds: Double?
    @OrNull public var channels: Int?
    @OrNull public var sampleRateHz: Int?
    @OrNull public var bitrateBps: Int64?
    public var publishedAt: Timestamp

    public init(id: String, kind: Kind, source: Source, name: String = "", muted: Bool = false, publishedAt: Timestamp)
    {
        self.id = id
        self.kind = kind
        self.source = source
        self.name = name
        self.muted = muted
        self.publishedAt = publishedAt
    }
}
