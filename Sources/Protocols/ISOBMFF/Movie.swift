import Bytes

/// What `moov` says of a file apart from its samples.
public struct Movie: Equatable, Sendable {
    /// Ticks a second of the movie's own durations (edits, headers).
    static let timescale: UInt32 = 90_000

    /// Seconds since 1904-01-01T00:00:00Z, the file format's own epoch.
    public var creationTime: UInt64
    public var tracks: [MovieTrack]

    public init(creationTime: UInt64 = 0, tracks: [MovieTrack] = []) {
        self.creationTime = creationTime
        self.tracks = tracks
    }

    /// Converts nanoseconds since 1970 to seconds since 1904.
    public static func fileTime(unixNanoseconds: Int64) -> UInt64 {
        UInt64(max(0, unixNanoseconds / 1_000_000_000)) + 2_082_844_800
    }
}

/// One track as `trak` describes it.
public struct MovieTrack: Equatable, Sendable {
    public enum Kind: Sendable {
        case video
        case audio

        var handler: FourCC { self == .video ? "vide" : "soun" }
        /// Tracks of one kind are alternatives: a player shows one of them.
        var alternateGroup: UInt16 { self == .video ? 1 : 2 }
    }

    /// From 1.
    public var id: UInt32
    public var kind: Kind
    /// Ticks a second of the track's times.
    public var timescale: UInt32
    /// For people.
    public var name: String
    /// Played unless the viewer chooses otherwise: the first track of its kind.
    public var isDefault: Bool
    public var creationTime: UInt64
    /// In the order of `sample_description_index`, which counts from 1.
    public var entries: [SampleEntry]
    /// The track's own time, in its ticks, at which the movie's time is 0: what the edit list of a fragmented file says.
    public var origin: Int64

    public init(
        id: UInt32, kind: Kind, timescale: UInt32, name: String = "", isDefault: Bool = true, creationTime: UInt64 = 0,
        entries: [SampleEntry], origin: Int64 = 0
    ) {
        self.id = id
        self.kind = kind
        self.timescale = timescale
        self.name = name
        self.isDefault = isDefault
        self.creationTime = creationTime
        self.entries = entries
        self.origin = origin
    }
}

/// One entry of `elst` (ISO/IEC 14496-12 section 8.6.6).
struct Edit: Equatable {
    /// In ticks of the movie; 0 in a fragmented file: to the end.
    var duration: UInt64
    /// In ticks of the track; −1 for a stretch in which nothing plays.
    var mediaTime: Int64

    /// The edits of a finished track, whose samples begin at media time 0: the stretch before `table` begins is empty,
    /// and what lies before the movie's time 0 is cut.
    static func list(of table: SampleTable, in track: MovieTrack) -> [Edit] {
        guard !table.isEmpty else { return [] }
        let origin = track.origin &- table.firstTime
        let end = table.presentationEnd &- table.firstTime
        let firstShown = table.firstCompositionOffset
        let mediaTime = max(origin, firstShown, 0)
        var edits: [Edit] = []
        if mediaTime > origin {
            edits.append(Edit(duration: movieTicks(mediaTime &- origin, of: track), mediaTime: -1))
        }
        edits.append(Edit(duration: movieTicks(max(0, end &- mediaTime), of: track), mediaTime: mediaTime))
        return edits
    }

    private static func movieTicks(_ ticks: Int64, of track: MovieTrack) -> UInt64 {
        let scaled = UInt64(clamping: ticks).multipliedFullWidth(by: UInt64(Movie.timescale))
        let divisor = UInt64(max(1, track.timescale))
        guard scaled.high < divisor else { return .max }
        let (quotient, remainder) = divisor.dividingFullWidth(scaled)
        return remainder * 2 >= divisor ? quotient &+ 1 : quotient
    }
}
