/// A door by which an encoder streams into a room.
public struct IngressRecord: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable, CaseIterable {
        case inactive, buffering, publishing, error, complete
    }

    /// `IN_…`
    public var id: String
    public var type: IngressType
    public var name: String
    public var room: String
    public var identity: String
    public var participantName: String
    public var enabled: Bool
    public var pipeline: String
    public var onConflict: OnConflict
    public var onDisconnect: OnDisconnect
    public var labels: [String: String]
    /// `***` but in the answers to POST and to GET of one.
    public var streamKey: String
    /// Where the encoder connects to, without the key.
    public var url: String
    public var publish: PublishAddresses
    public var state: State
    @OrNull public var error: Notice?
    @OrNull public var session: IngressSession?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    @OrNull public var keyId: String?

    public init(
        id: String, request: CreateIngress, streamKey: String, url: String, publish: PublishAddresses, state: State,
        createdAt: Timestamp, updatedAt: Timestamp, keyId: String? = nil
    ) {
        self.id = id
        type = request.type
        name = request.name
        room = request.room
        identity = request.identity
        participantName = request.participantName
        enabled = request.enabled
        pipeline = request.pipeline
        onConflict = request.onConflict
        onDisconnect = request.onDisconnect
        labels = request.labels
        self.streamKey = streamKey
        self.url = url
        self.publish = publish
        self.state = state
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.keyId = keyId
    }

    /// The record as lists show it: whoever may list need not publish.
    public var masked: IngressRecord {
        var copy = self
        copy.streamKey = "***"
        copy.publish.rtmp?.streamKey = "***"
        copy.publish.rtmps?.streamKey = "***"
        copy.publish.whip?.bearer = "***"
        return copy
    }
}

/// How an ingress takes its stream.
public enum IngressType: String, Codable, Sendable, CaseIterable {
    case rtmp
}

/// What happens to a second encoder on the same key.
public enum OnConflict: String, Codable, Sendable, CaseIterable {
    /// It replaces the first.
    case takeOver = "take_over"
    /// It is refused while the first lives.
    case refuse
}

/// What happens to the participant when its encoder goes away.
public struct OnDisconnect: Codable, Equatable, Sendable {
    public enum Action: String, Codable, Sendable, CaseIterable {
        /// It stays in the room, and its tracks, for `holdSeconds`.
        case hold
        /// It leaves at once.
        case leave
    }

    public var action: Action
    public var holdSeconds: Double

    public init(action: Action = .hold, holdSeconds: Double = 10) {
        self.action = action
        self.holdSeconds = holdSeconds
    }
}

/// What to put into an encoder, for each way in; `nil` for a way that is not open.
public struct PublishAddresses: Codable, Equatable, Sendable {
    public struct RTMP: Codable, Equatable, Sendable {
        public var server: String
        public var streamKey: String

        public init(server: String, streamKey: String) {
            self.server = server
            self.streamKey = streamKey
        }
    }

    public struct WHIP: Codable, Equatable, Sendable {
        public var url: String
        public var bearer: String

        public init(url: String, bearer: String) {
            self.url = url
            self.bearer = bearer
        }
    }

    @OrNull public var rtmp: RTMP?
    @OrNull public var rtmps: RTMP?
    @OrNull public var whip: WHIP?

    public init(rtmp: RTMP? = nil, rtmps: RTMP? = nil, whip: WHIP? = nil) {
        self.rtmp = rtmp
        self.rtmps = rtmps
        self.whip = whip
    }
}

/// One connection of an encoder, while it lasts.
public struct IngressSession: Codable, Equatable, Sendable {
    public struct Video: Codable, Equatable, Sendable {
        public var codec: String
        public var width: Int
        public var height: Int
        @OrNull public var framesPerSecond: Double?
        @OrNull public var bitrateBps: Int64?
        @OrNull public var keyFrameSeconds: Double?

        public init(codec: String, width: Int, height: Int) {
            self.codec = codec
            self.width = width
            self.height = height
        }
    }

    public struct Audio: Codable, Equatable, Sendable {
        public var codec: String
        public var channels: Int
        public var sampleRateHz: Int
        @OrNull public var bitrateBps: Int64?

        public init(codec: String, channels: Int, sampleRateHz: Int) {
            self.codec = codec
            self.channels = channels
            self.sampleRateHz = sampleRateHz
        }
    }

    /// `SE_…`
    public var id: String
    public var roomId: String
    /// The encoder's address, without its port.
    public var remote: String
    /// What the encoder calls itself.
    @OrNull public var encoder: String?
    public var startedAt: Timestamp
    @OrNull public var video: Video?
    @OrNull public var audio: Audio?
    /// `TR_…`
    public var tracks: [String]
    public var warnings: [Notice]

    public init(id: String, roomId: String, remote: String, startedAt: Timestamp) {
        self.id = id
        self.roomId = roomId
        self.remote = remote
        self.startedAt = startedAt
        tracks = []
        warnings = []
    }
}
