/// What travels between the gateway and a worker: the feed, and the commands around it.
///
/// Gateway and worker are built together; ``LinkVersion`` is checked in `hello` so that a half-done upgrade is noticed.
public enum LinkMessage: Equatable, Sendable {
    // Both ways, first on the link.
    case hello(Hello)

    // Gateway to worker.
    /// Begins a job. `body` is the JSON of the assignment (Control/Jobs).
    case assign(job: String, fence: UInt64, body: [UInt8])
    /// Something for a running job: stop, add or remove an output. `body` is JSON (Control/Jobs).
    case command(job: String, fence: UInt64, body: [UInt8])
    /// The subscription begins: the snapshot of the room's state follows as event records, all at `position`, then the
    /// feed from `position` on.
    case subscribed(subscription: UInt32, position: UInt64)
    case record(subscription: UInt32, Record)
    /// Nothing more comes on this subscription.
    case ended(subscription: UInt32, EndReason)
    case ping(UInt64)
    /// Seal what runs, acknowledge, exit.
    case shutdown

    // Worker to gateway.
    case subscribe(Subscribe)
    case unsubscribe(subscription: UInt32)
    /// Everything before `position` is safe on disk.
    case acknowledge(subscription: UInt32, position: UInt64, fence: UInt64)
    case keyFrameRequest(subscription: UInt32, track: TrackNumber)
    /// State and progress of a job. `body` is JSON (Control/Jobs).
    case report(job: String, fence: UInt64, body: [UInt8])
    case pong(UInt64)
}

public enum LinkVersion {
    /// Raised with every change of the framing that an older reader cannot skip.
    public static let current: UInt16 = 1
}

public struct Hello: Equatable, Sendable {
    public var version: UInt16
    /// `WK_…`, given by the gateway; the gateway sends its own name, `gateway`.
    public var name: String
    public var processID: Int32

    public init(version: UInt16 = LinkVersion.current, name: String, processID: Int32) {
        self.version = version
        self.name = name
        self.processID = processID
    }
}

public enum EndReason: UInt8, Sendable {
    /// The room was deleted.
    case roomClosed = 0
    /// No such room, or nothing that the selection names.
    case notFound = 1
    /// The worker asked for it.
    case unsubscribed = 2
    /// The fence of the subscription is not the job's any more.
    case fenced = 3
}

/// A consumer of one room's feed.
public struct Subscribe: Equatable, Sendable {
    /// Which records of the room; events come always.
    public enum Selection: Equatable, Sendable {
        case all
        /// The camera and microphone of one identity, or its screen share.
        case participant(identity: String, screenShare: Bool)
        /// By `TR_…` ids.
        case tracks([String])
    }

    /// Where in time it begins.
    public enum Start: Equatable, Sendable {
        /// At the oldest key frame that begins the present GOP of a selected video track, else at the live edge.
        case gop
        /// At the live edge.
        case live
        /// After what an earlier attempt made safe. Older than the room still holds: a `missed` event comes first.
        case position(UInt64)
        /// This long before now, or as far back as the room holds, from a key frame.
        case preroll(nanoseconds: Int64)
    }

    /// Chosen by the worker, unique on its link.
    public var subscription: UInt32
    public var job: String
    public var fence: UInt64
    /// `RM_…`
    public var room: String
    public var selection: Selection
    /// Durable: the room keeps what is not acknowledged, within `limits.replay`. Live: bounded at 2 s, then cut to a key frame.
    public var isDurable: Bool
    public var start: Start
    /// The feed whose position `start` names, by its epoch (nanoseconds since 1970). In a room that began anew since, the
    /// position means nothing: the subscription begins as `gop`. `nil`: the present feed.
    public var epoch: Int64?

    public init(
        subscription: UInt32, job: String, fence: UInt64, room: String, selection: Selection, isDurable: Bool,
        start: Start, epoch: Int64? = nil
    ) {
        self.subscription = subscription
        self.job = job
        self.fence = fence
        self.room = room
        self.selection = selection
        self.isDurable = isDurable
        self.start = start
        self.epoch = epoch
    }
}
