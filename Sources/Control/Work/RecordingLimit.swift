import Feed
import Timing

/// Where in the feed a recording of limited length ends: this long after its first picture (or sound, without one).
struct RecordingLimit {
    var duration: Duration?
    private var epoch: Int64 = 0
    private var videoTracks: Set<TrackNumber> = []
    /// Room time, in nanoseconds, of the file's zero.
    private var startedAt: Int64?

    init(duration: Duration?) { self.duration = duration }

    /// The recorder says when its file begins; until then the first key frame stands for it.
    mutating func start(at wall: WallTime) { startedAt = wall.nanoseconds &- epoch }

    /// So much of the room's time is not in what is recorded.
    mutating func leaveOut(_ time: Duration) { startedAt? &+= time.nanoseconds }

    /// True for the first unit that the limit leaves out, and for those after it.
    mutating func isReached(by record: Record) -> Bool {
        guard let duration else { return false }
        switch record.body {
        case .event(.clock(let newEpoch)):
            if let startedAt { self.startedAt = startedAt &+ epoch &- newEpoch }
            epoch = newEpoch
        case .event(.published(let track)) where track.kind == .video: videoTracks.insert(track.number)
        case .event(.unpublished(let track)): videoTracks.remove(track)
        case .unit(let unit):
            if startedAt == nil, unit.isKey, videoTracks.isEmpty || videoTracks.contains(unit.track) {
                startedAt = record.time
            }
            if let startedAt { return record.time &- startedAt >= duration.nanoseconds }
        case .event, .packet: break
        }
        return false
    }
}
