// What the gateway and a worker tell each other about a job, as JSON inside `LinkMessage.assign`, `.command`, `.report`.

/// One egress for a worker to run.
public struct EgressAssignment: Codable, Equatable, Sendable {
    /// `EG_…`
    public var egress: String
    /// `RM_…`, and the name for people.
    public var roomID: String
    public var room: String
    /// 1 for the first worker that runs it.
    public var attempt: Int
    public var outputs: [OutputAssignment]
    public var preroll: Preroll
    /// End by itself after this much recorded media, in seconds; `nil` for no end.
    public var durationSeconds: Double?
    /// End by itself after this many bytes over all files; `nil` for no end.
    public var bytes: Int64?
    /// Write nothing until told to go on.
    public var isPaused: Bool
    /// Named places so far.
    public var markers: [Marker]
    /// Test hook: the worker traps at the first unit of this job (issue: the poison stream). Never set without `--dev`.
    public var poison: Bool

    public init(
        egress: String, roomID: String, room: String, attempt: Int, outputs: [OutputAssignment], preroll: Preroll,
        durationSeconds: Double? = nil, bytes: Int64? = nil, isPaused: Bool = false, markers: [Marker] = [],
        poison: Bool = false
    ) {
        self.egress = egress
        self.roomID = roomID
        self.room = room
        self.attempt = attempt
        self.outputs = outputs
        self.preroll = preroll
        self.durationSeconds = durationSeconds
        self.bytes = bytes
        self.isPaused = isPaused
        self.markers = markers
        self.poison = poison
    }
}

public enum Preroll: Codable, Equatable, Sendable {
    case gop
    case none
    case seconds(Double)
}

public struct OutputAssignment: Codable, Equatable, Sendable {
    public enum Target: Codable, Equatable, Sendable {
        /// `root` is the storage root, `path` the resolved path beneath it; another name is chosen when it is taken.
        case mp4(root: String, path: String)
        /// `TP_…`, and where it lies.
        case tape(root: String, path: String, id: String)
        /// As `mp4`, but `path` is that of a folder.
        case hls(root: String, path: String, HLSPlan)
        /// The whole URL with its key: a secret, never logged.
        case rtmp(url: String)
    }

    public enum Selection: Codable, Equatable, Sendable {
        case all
        case participant(identity: String, screenShare: Bool)
        /// By `TR_…` ids.
        case tracks([String])
    }

    public var id: String
    public var target: Target
    public var selection: Selection
    /// The path of further files, with a NUL where their number stands; `nil`: that of `target`, and another name is chosen.
    public var partPath: String?
    /// Which part the file of `target` is; `nil`: the first.
    public var partNumber: Int?
    /// What the finished files of earlier attempts hold, without that of `target`.
    public var earlierSeconds: Double?
    public var earlierBytes: Int64?
    /// An earlier attempt made the file at this path: go on in it. Else a file that is there is somebody else's.
    public var adopts: Bool
    /// The feed's position from which a later attempt goes on when the file it finds holds nothing: what was last
    /// acknowledged, or where the first subscription began. `nil`: as `preroll` says.
    public var resumeFrom: UInt64?

    public init(
        id: String, target: Target, selection: Selection, adopts: Bool = false, resumeFrom: UInt64? = nil,
        partPath: String? = nil
    ) {
        self.id = id
        self.target = target
        self.selection = selection
        self.adopts = adopts
        self.resumeFrom = resumeFrom
        self.partPath = partPath
    }
}

/// How an HLS output is cut.
public struct HLSPlan: Codable, Equatable, Sendable {
    public var segmentSeconds: Double
    /// Segments that a live playlist holds; `nil`: an event, whose playlist holds all.
    public var windowSegments: Int?

    public init(segmentSeconds: Double = 6, windowSegments: Int? = nil) {
        self.segmentSeconds = segmentSeconds
        self.windowSegments = windowSegments
    }
}

public enum JobCommand: Codable, Equatable, Sendable {
    /// Finish what runs and report the end.
    case stop
    case addOutput(OutputAssignment)
    case removeOutput(id: String)
    /// Write nothing until `resume`; files play as they stand.
    case pause
    /// Go on with the next key frame.
    case resume
    /// Finish the present files; the next key frame begins further parts.
    case split
    /// Name a place.
    case mark(Marker)
    /// The limits of the assignment, from here on; `nil` for none.
    case setLimits(durationSeconds: Double?, bytes: Int64?)
}

/// A named place in what is recorded.
public struct Marker: Codable, Equatable, Sendable {
    public var name: String
    /// Seconds of recorded media, over all parts; pauses do not count.
    public var atSeconds: Double

    public init(name: String, atSeconds: Double) {
        self.name = name
        self.atSeconds = atSeconds
    }
}

/// What a worker tells of a job: at each change of state at once, else at least once a second.
public struct JobReport: Codable, Equatable, Sendable {
    public var outputs: [OutputReport]
    /// True in the last report: every output is complete, failed or removed; the worker has forgotten the job.
    public var isFinal: Bool
    /// Set with `isFinal` when the job ended by a limit of its own: `duration` or `bytes`.
    public var limitReached: String?
    /// Set when it is the worker that ends: what runs is being sealed, and is to go on elsewhere.
    public var isSealed: Bool?

    public init(outputs: [OutputReport], isFinal: Bool, limitReached: String? = nil) {
        self.outputs = outputs
        self.isFinal = isFinal
        self.limitReached = limitReached
    }
}

public struct OutputReport: Codable, Equatable, Sendable {
    public enum State: String, Codable, Sendable {
        /// Subscribed, no media yet.
        case pending
        /// Media comes, nothing durable or accepted yet.
        case starting
        /// A decodable first frame is synced to disk, or the destination has taken the first key frame.
        case active
        /// Asked to write nothing.
        case paused
        /// A push that lost its destination and waits for the next try.
        case retrying
        case complete
        case failed
        case removed
    }

    public var id: String
    public var state: State
    /// Wall time of the first video key frame (or first audio frame), nanoseconds since 1970; 0 until known.
    public var startedAt: Int64
    /// Media in the output so far.
    public var durationSeconds: Double
    public var sizeBytes: Int64
    /// The absolute path as it was created, once it is.
    public var location: String?
    /// Files that came before `location`, when one could not take all; absolute paths.
    public var parts: [String]
    /// Units taken from the feed, and units that the feed no longer held (a `missed` event, or a live cut).
    public var unitsIn: Int64
    public var unitsLost: Int64
    public var retries: Int
    /// A code of ErrorCode, and words for a person.
    public var errorCode: String?
    public var errorMessage: String?
    public var warnings: [ReportedWarning]
    /// What the finished files hold, of `parts` and `location`.
    public var finished: [FinishedFile]
    /// What pauses left out.
    public var pauses: [LeftOutTime]
    /// How many gaps the output has, the time in which any track has one, and the latest of them.
    public var gapCount: Int64
    public var gapSeconds: Double
    public var gaps: [ReportedGap]
    /// What the files hold, and where their time stands; of outputs that have tracks of their own.
    public var tracks: [ReportedTrack]
    public var clock: ReportedClock?
    /// What is on the tape, of an output that writes one.
    public var tape: TapeReport?

    public init(id: String, state: State) {
        self.id = id
        self.state = state
        startedAt = 0
        durationSeconds = 0
        sizeBytes = 0
        parts = []
        unitsIn = 0
        unitsLost = 0
        retries = 0
        warnings = []
        finished = []
        pauses = []
        gapCount = 0
        gapSeconds = 0
        gaps = []
        tracks = []
    }
}

/// A file that is complete.
public struct FinishedFile: Codable, Equatable, Sendable {
    /// Absolute.
    public var path: String
    public var durationSeconds: Double
    public var sizeBytes: Int64

    public init(path: String, durationSeconds: Double, sizeBytes: Int64) {
        self.path = path
        self.durationSeconds = durationSeconds
        self.sizeBytes = sizeBytes
    }
}

/// A span in which a track has nothing that was received.
public struct ReportedGap: Codable, Equatable, Sendable {
    /// `TR_…`
    public var track: String
    /// Seconds of media before it, over all parts.
    public var atSeconds: Double
    public var seconds: Double
    /// `silence`, `jump`, `away`, `missed`, `restart`.
    public var cause: String
    /// Frames of silence stand in it; else the picture stands still, or nothing plays.
    public var isFilled: Bool

    public init(track: String, atSeconds: Double, seconds: Double, cause: String, isFilled: Bool) {
        self.track = track
        self.atSeconds = atSeconds
        self.seconds = seconds
        self.cause = cause
        self.isFilled = isFilled
    }
}

/// Time that is not in the media: what stands before and behind it stands side by side.
public struct LeftOutTime: Codable, Equatable, Sendable {
    /// Seconds of media before it, over all parts.
    public var atSeconds: Double
    public var seconds: Double

    public init(atSeconds: Double, seconds: Double) {
        self.atSeconds = atSeconds
        self.seconds = seconds
    }
}

/// For the API's `warnings`: a track that the output cannot hold, a gap that stands in the file.
public struct ReportedWarning: Codable, Equatable, Sendable {
    public var code: String
    public var message: String
    public var remedy: String

    public init(code: String, message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}
