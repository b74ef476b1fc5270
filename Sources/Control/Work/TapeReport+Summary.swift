import Assignments
import Feed
import Timing

extension TapeReport {
    /// What a report tells of `summary`: the first entries of each list.
    init(_ summary: TapeSummary) {
        let limit = Self.limit
        let cut = [summary.participants.count, summary.tracks.count, summary.gaps.count].map { max(0, $0 - limit) }
        self.init(
            participants: summary.participants.prefix(limit).map {
                Participant(
                    id: $0.info.id, identity: $0.info.identity, name: $0.info.name, joinedAt: $0.joinedAt,
                    leftAt: $0.leftAt)
            },
            tracks: summary.tracks.prefix(limit).map { Track($0) },
            gaps: summary.gaps.prefix(limit).map {
                Gap(
                    cause: $0.cause.name, track: $0.track.isEmpty ? nil : $0.track,
                    from: $0.from, to: $0.to, records: $0.records)
            },
            leftOut: summary.leftOut &+ Int64(clamping: cut.reduce(0, +)))
    }
}

extension OutputReport {
    /// Adds the gaps of a tape but for pauses, which were asked for: their time counts once, however many tracks have it.
    mutating func addGaps(of summary: TapeSummary) {
        var end = Int64.min
        for gap in summary.gaps.filter({ $0.cause != .pause }).sorted(by: { $0.from < $1.from }) {
            gapCount &+= 1
            gapSeconds += Duration.nanoseconds(max(0, gap.to &- max(gap.from, end))).inSeconds
            end = max(end, gap.to)
        }
    }
}

extension TapeReport.Track {
    fileprivate init(_ track: TapeSummary.Track) {
        self.init(
            id: track.info.id, identity: track.identity, kind: track.info.kind == .video ? "video" : "audio",
            codec: track.codec)
        (width, height) = (Int(track.width), Int(track.height))
        (sampleRate, channels) = (Int(track.sampleRate), Int(track.channels))
        (units, bytes) = (track.units &+ track.packets, track.bytes)
        (firstAt, lastAt) = (track.firstAt, track.lastAt)
    }
}
