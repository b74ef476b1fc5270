/// A tape: a room, or a part of it, on disk as it came.
public struct TapeRecord: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable, CaseIterable {
        /// Its egress goes on.
        case writing
        case complete
        /// It was ended by an error; what is on it can be read.
        case failed
    }

    public struct Participant: Codable, Equatable, Sendable {
        /// `PA_…`
        public var id: String
        public var identity: String
        public var name: String
        public var joinedAt: Timestamp
        @OrNull public var leftAt: Timestamp?
    }

    public struct Track: Codable, Equatable, Sendable {
        /// `TR_…`
        public var id: String
        /// Whose it is.
        public var identity: String
        /// `audio` or `video`.
        public var kind: String
        /// The four characters of its sample entry, as `avc1`.
        @OrNull public var codec: String?
        @OrNull public var width: Int?
        @OrNull public var height: Int?
        @OrNull public var channels: Int?
        @OrNull public var sampleRateHz: Int?
        /// Access units, frames of sound and packets.
        public var unitCount: Int64
        public var sizeBytes: Int64
        @OrNull public var firstAt: Timestamp?
        @OrNull public var lastAt: Timestamp?
    }

    /// A span in which a track sent nothing, or that is not on the tape.
    public struct Gap: Codable, Equatable, Sendable {
        /// `silence`, `missed` or `pause`.
        public var cause: String
        /// `TR_…`; `nil` for the whole room.
        @OrNull public var track: String?
        public var startedAt: Timestamp
        public var durationSeconds: Double
        /// Records that were lost.
        public var lostRecords: Int64
    }

    /// `TP_…`
    public var id: String
    /// `EG_…`, and the id of its output.
    public var egress: String
    public var output: String
    public var roomId: String
    public var room: String
    public var state: State
    public var createdAt: Timestamp
    /// Wall time of the first media.
    @OrNull public var startedAt: Timestamp?
    @OrNull public var endedAt: Timestamp?
    public var durationSeconds: Double
    public var sizeBytes: Int64
    /// The file's absolute path: `sluice tape info PATH` tells more.
    @OrNull public var location: String?
    /// Of each list the first 100; `leftOutCount` counts the others.
    public var participants: [Participant]
    public var tracks: [Track]
    public var gaps: [Gap]
    public var leftOutCount: Int64
    @OrNull public var error: Notice?
    public var labels: [String: String]
    @OrNull public var keyId: String?
}
