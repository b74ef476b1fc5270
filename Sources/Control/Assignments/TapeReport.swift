/// What is on a tape, as its writer tells it and the API shows it. Lists are cut to ``limit``; times are nanoseconds since 1970.
public struct TapeReport: Codable, Equatable, Sendable {
    public struct Participant: Codable, Equatable, Sendable {
        /// `PA_…`
        public var id: String
        public var identity: String
        public var name: String
        public var joinedAt: Int64
        /// `nil` while it is there.
        public var leftAt: Int64?

        public init(id: String, identity: String, name: String, joinedAt: Int64, leftAt: Int64?) {
            self.id = id
            self.identity = identity
            self.name = name
            self.joinedAt = joinedAt
            self.leftAt = leftAt
        }
    }

    public struct Track: Codable, Equatable, Sendable {
        /// `TR_…`
        public var id: String
        public var identity: String
        /// `audio` or `video`.
        public var kind: String
        /// The sample entry's four characters, as `avc1`; empty before the first configuration.
        public var codec: String
        public var width: Int = 0
        public var height: Int = 0
        public var sampleRate: Int = 0
        public var channels: Int = 0
        /// Access units, frames of sound and packets.
        public var units: Int64 = 0
        public var bytes: Int64 = 0
        public var firstAt: Int64?
        public var lastAt: Int64?

        public init(id: String, identity: String, kind: String, codec: String) {
            self.id = id
            self.identity = identity
            self.kind = kind
            self.codec = codec
        }
    }

    public struct Gap: Codable, Equatable, Sendable {
        /// `silence`, `missed` or `pause`.
        public var cause: String
        /// `TR_…`; `nil` for the whole room.
        public var track: String?
        public var from: Int64
        public var to: Int64
        /// Records that were lost.
        public var records: Int64

        public init(cause: String, track: String?, from: Int64, to: Int64, records: Int64) {
            self.cause = cause
            self.track = track
            self.from = from
            self.to = to
            self.records = records
        }
    }

    /// Entries of each list in a report.
    public static let limit = 100

    public var participants: [Participant]
    public var tracks: [Track]
    public var gaps: [Gap]
    /// Entries that the lists had no place for.
    public var leftOut: Int64

    public init(participants: [Participant], tracks: [Track], gaps: [Gap], leftOut: Int64) {
        self.participants = participants
        self.tracks = tracks
        self.gaps = gaps
        self.leftOut = leftOut
    }
}
