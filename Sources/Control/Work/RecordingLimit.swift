import Feed
import Timing

/// Where in the feed a recording of limited length ends: this long after its first picture (or sound, without one).
///
/// What is shown or heard from there on is left out, track by track, since tracks come interleaved and pictures before they
/// are shown.
struct RecordingLimit {
    enum Verdict {
        case within
        /// It lies behind the limit; another track may have something before it still.
        case behind
        /// Nothing more comes before the limit.
        case over
    }

    /// How long is waited for tracks that are late, in nanoseconds of room time.
    private static let patience: Int64 = 500_000_000

    var duration: Duration?
    private var epoch: Int64 = 0
    private var videoTracks: Set<TrackNumber> = []
    private var timescales: [TrackNumber: Int64] = [:]
    /// Room time, in nanoseconds, of the file's zero.
    private var startedAt: Int64?
    /// Room time of the limit, once a track has passed it: from then on it is not moved.
    private var end: Int64?
    /// Tracks that have something before the limit, and those of them that have passed it.
    private var tracks: Set<TrackNumber> = []
    private var passed: Set<TrackNumber> = []

    init(duration: Duration?) { self.duration = duration }

    /// The recorder says when its file begins; until then the first key frame stands for it.
    mutating func start(at wall: WallTime) { startedAt = wall.nanoseconds &- epoch }

    /// So much of the room's time is not in what is recorded.
    mutating func leaveOut(_ time: Duration) { startedAt? &+= time.nanoseconds }

    /// Takes every record, in order.
    /// - Parameter isLeftOut: media is not recorded, by request.
    mutating func judge(_ record: Record, isLeftOut: Bool = false) -> Verdict {
        switch record.body {
        case .event(let event): apply(event)
        case .unit(let unit): return isLeftOut ? .within : judge(unit, at: record.time)
        case .packet: break
        }
        return isOver(at: record.time) ? .over : .within
    }

    private mutating func apply(_ event: RoomEvent) {
        switch event {
        case .clock(let newEpoch):
            let step = epoch &- newEpoch
            startedAt? &+= step
            end? &+= step
            epoch = newEpoch
        case .published(let track) where track.kind == .video: videoTracks.insert(track.number)
        case .configuration(let track, _, let configuration): timescales[track] = Int64(configuration.timescale)
        case .unpublished(let track):
            videoTracks.remove(track)
            tracks.remove(track)
        default: break
        }
    }

    private mutating func judge(_ unit: Unit, at time: Int64) -> Verdict {
        let scale = Double(timescales[unit.track] ?? 1000)
        let shown = time &+ (Int64(exactly: (Double(unit.pts &- unit.dts) / scale * 1e9).rounded()) ?? 0)
        if startedAt == nil, unit.isKey, videoTracks.isEmpty || videoTracks.contains(unit.track) { startedAt = shown }
        guard let limit = end ?? limit, shown >= limit || passed.contains(unit.track) else {
            tracks.insert(unit.track)
            return .within
        }
        end = limit
        passed.insert(unit.track)
        return isOver(at: time) ? .over : .behind
    }

    /// Room time of the limit as it is asked for now.
    private var limit: Int64? {
        guard let startedAt, let duration else { return nil }
        return startedAt &+ duration.nanoseconds
    }

    private func isOver(at time: Int64) -> Bool {
        guard let end else { return false }
        return tracks.isSubset(of: passed) || time >= end &+ Self.patience
    }
}
