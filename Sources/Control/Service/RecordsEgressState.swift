public import Store

/// Where an egress stands. ``table`` says what each state means.
public enum EgressState: String, Codable, Sendable, CaseIterable {
    case queued, starting, active, waiting, paused, ending, complete
    case limitReached = "limit_reached"
    case aborted, failed

    /// One row of the table of states.
    public struct Row: Sendable {
        public let state: EgressState
        public let means: String
        /// States in which its job may be meanwhile.
        public let job: Set<JobState>
        /// The name of LiveKit's status, without `EGRESS_`.
        public let liveKit: String
        /// States that may follow. Empty: it has ended.
        public let next: Set<EgressState>
    }

    /// Every state once, in the order of a life.
    public static let table: [Row] = [
        Row(
            state: .queued, means: "durable, no worker yet", job: [.queued], liveKit: "STARTING",
            next: [.starting, .active, .ending, .aborted, .failed]),
        Row(
            state: .starting, means: "a worker has it, no output byte is durable yet", job: [.leased, .running],
            liveKit: "STARTING", next: [.queued, .active, .ending, .aborted, .failed]),
        Row(
            state: .active, means: "at least one output holds a decodable, synced first frame; media flows",
            job: [.running], liveKit: "ACTIVE",
            next: [.waiting, .paused, .ending, .complete, .limitReached, .failed]),
        Row(
            state: .waiting, means: "began, but room, source or gateway is away; resumes by itself",
            job: [.running, .queued, .leased], liveKit: "ACTIVE",
            next: [.active, .paused, .ending, .complete, .limitReached, .failed]),
        Row(
            state: .paused, means: "paused as asked", job: [.running, .queued, .leased], liveKit: "ACTIVE",
            next: [.active, .waiting, .ending, .complete, .limitReached, .failed]),
        Row(
            state: .ending, means: "finishing as asked", job: [.running, .queued, .leased], liveKit: "ENDING",
            next: [.complete, .limitReached, .aborted, .failed]),
        Row(
            state: .complete, means: "every output complete, or at least one file-like one with partial: true",
            job: [.succeeded], liveKit: "COMPLETE", next: []),
        Row(
            state: .limitReached, means: "as complete, ended by limits", job: [.succeeded],
            liveKit: "LIMIT_REACHED", next: []),
        Row(
            state: .aborted, means: "stopped, or wait over, before the first byte: nothing was recorded",
            job: [.cancelled], liveKit: "ABORTED", next: []),
        Row(state: .failed, means: "no file-like output survived", job: [.failed], liveKit: "FAILED", next: []),
    ]

    public var row: Row {
        switch self {
        case .queued: Self.table[0]
        case .starting: Self.table[1]
        case .active: Self.table[2]
        case .waiting: Self.table[3]
        case .paused: Self.table[4]
        case .ending: Self.table[5]
        case .complete: Self.table[6]
        case .limitReached: Self.table[7]
        case .aborted: Self.table[8]
        case .failed: Self.table[9]
        }
    }

    /// True once nothing follows any more.
    public var isFinal: Bool { row.next.isEmpty }

    /// Whether `next` may come after this state; staying is allowed.
    public func allows(_ next: EgressState) -> Bool { next == self || row.next.contains(next) }
}

/// Where one output of an egress stands.
public enum OutputState: String, Codable, Sendable, CaseIterable {
    case pending, starting, active, paused, retrying, uploading, complete, failed, removed

    public var isFinal: Bool { self == .complete || self == .failed || self == .removed }
}

/// What kind of output it is.
public enum OutputType: String, Codable, Sendable, CaseIterable {
    case mp4, hls, rtmp, tape

    /// A file survives its job; a push does not, and so does not decide whether an egress failed.
    public var isFileLike: Bool { self != .rtmp }

    /// Whether its files are the egress's own: served and removed with it. A tape is a resource by itself.
    public var hasOwnFiles: Bool { self == .mp4 || self == .hls }
}
