public import Timing

/// The list of the segments of one rendition (section 4.4.3).
public struct MediaPlaylist: Equatable, Sendable {
    /// What a client may rely on (section 4.4.3.5).
    public enum Kind: String, Sendable {
        /// Segments are only ever added.
        case event = "EVENT"
        /// Nothing changes any more.
        case vod = "VOD"
    }

    /// One line with a URI, and the tags that stand before it.
    public struct Segment: Equatable, Sendable {
        /// Relative to the playlist.
        public var uri: String
        /// `EXTINF`: written in microseconds.
        public var duration: Duration
        /// How many discontinuities stand before this segment: each raises its discontinuity sequence number.
        public var discontinuities = 0
        /// `EXT-X-GAP` (section 4.4.4.7): there is no media in this stretch, and nothing to load.
        public var isGap = false
        /// The wall time of its first sample (section 4.4.4.6): written in milliseconds.
        public var programDateTime: WallTime?
        /// Named places that came with this segment.
        public var markers: [Marker] = []
        /// URI of the initialization section that holds from here on; `nil`: the one before.
        public var map: String?

        public init(uri: String, duration: Duration) {
            self.uri = uri
            self.duration = duration
        }
    }

    /// An instant with a name: a date range without length (`EXT-X-DATERANGE`, section 4.4.5.1) of a class of our own.
    public struct Marker: Equatable, Sendable {
        static let className = "sluice.marker"

        /// No other of the playlist has it.
        public var id: String
        /// Written in milliseconds.
        public var date: WallTime
        /// For people. See ``MultivariantPlaylist/quotable(_:)``.
        public var name: String

        public init(id: String, date: WallTime, name: String) {
            self.id = id
            self.date = date
            self.name = name
        }
    }

    /// Most segments that are read: a week of two-second segments.
    public static let segmentLimit = 302_400

    public var version = 6
    /// Whole seconds. No segment's duration, rounded, may be greater (section 4.4.3.1).
    public var targetDuration: Int
    /// The number of the first segment of the list.
    public var mediaSequence: UInt64 = 0
    /// The discontinuity sequence number of the first segment, without those that stand before it in the list.
    public var discontinuitySequence: UInt64 = 0
    /// `nil`: segments may go, oldest first.
    public var kind: Kind?
    /// No further segment will come (section 4.4.3.4).
    public var isEnded = false
    public var segments: [Segment] = []

    public init(targetDuration: Int) { self.targetDuration = targetDuration }

    /// The sum of all durations.
    public var duration: Duration { segments.reduce(.zero) { $0 + $1.duration } }

    /// What `duration` is rounded to for the rule of section 4.4.3.1: the nearest integer, halves up.
    public static func rounded(_ duration: Duration) -> Int {
        Int(clamping: (duration.nanoseconds &+ 500_000_000) / 1_000_000_000)
    }
}
