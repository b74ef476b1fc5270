/// A whole route as data: what is taken, how it is processed, where it goes. A request names one and overrides parts.
///
/// Encoded as JSON it has the form of a `POST /v1/egress` body without `room` (API, "Egress").
public struct Pipeline: Equatable, Sendable, Encodable {
    /// The file's name without `.yaml`.
    public var name: String
    /// One line for people.
    public var title: String
    /// `nil`: what the request says, else the room.
    public var source: Source?
    public var encoding: Encoding?
    public var outputs: [Output]
    public var limits: Limits
    public var start: Start

    public enum Source: Equatable, Sendable {
        case room
        case participant(identity: String, screenShare: Bool)
    }

    public struct Encoding: Equatable, Sendable, Encodable {
        /// The presets that exist.
        public static let presets = ["passthrough"]
        public var preset: String
    }

    public struct Output: Equatable, Sendable {
        public enum Target: Equatable, Sendable {
            /// `path` is a template beneath the storage root; `nil`: the service's default.
            case mp4(path: String?)
            /// `nil`: the request must give it.
            case rtmp(url: String?)
        }

        public var id: String
        public var target: Target
    }

    /// `nil` is no limit.
    public struct Limits: Equatable, Sendable, Encodable {
        public var durationSeconds: Double?
        public var bytes: Int64?
        public var emptySeconds: Double?

        /// With `null` for what is not limited: a field is never absent.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(durationSeconds, forKey: .durationSeconds)
            try container.encode(bytes, forKey: .bytes)
            try container.encode(emptySeconds, forKey: .emptySeconds)
        }

        private enum CodingKeys: String, CodingKey { case durationSeconds, bytes, emptySeconds }
    }

    public struct Start: Equatable, Sendable, Encodable {
        public enum Preroll: Equatable, Sendable {
            case gop, none
            case seconds(Double)
        }

        public var waitSeconds: Double
        public var preroll: Preroll
    }
}

extension Pipeline.Source: Encodable {
    private enum CodingKeys: String, CodingKey { case type, identity, screenShare }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .room:
            try container.encode("room", forKey: .type)
        case .participant(let identity, let screenShare):
            try container.encode("participant", forKey: .type)
            try container.encode(identity, forKey: .identity)
            try container.encode(screenShare, forKey: .screenShare)
        }
    }
}

extension Pipeline.Output: Encodable {
    private enum CodingKeys: String, CodingKey { case id, type, path, url }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        switch target {
        case .mp4(let path):
            try container.encode("mp4", forKey: .type)
            try container.encodeIfPresent(path, forKey: .path)
        case .rtmp(let url):
            try container.encode("rtmp", forKey: .type)
            try container.encodeIfPresent(url, forKey: .url)
        }
    }
}

extension Pipeline.Start.Preroll: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .gop: try container.encode("gop")
        case .none: try container.encode("none")
        case .seconds(let seconds): try container.encode(seconds)
        }
    }
}
