import Assignments
import Packaging
import Timing

extension OutputReport {
    /// Gaps that are told one by one, at most.
    private static let gapLimit = 100

    /// Adds the gaps of a file that begins `start` after the output's begin.
    mutating func addGaps(of statistics: RecorderStatistics, from start: Duration) {
        gapCount &+= statistics.gapCount
        gapSeconds += statistics.gapTime.inSeconds
        gaps += statistics.gaps.map { gap in
            ReportedGap(
                track: gap.track, atSeconds: (start + gap.from).inSeconds, seconds: gap.length.inSeconds,
                cause: gap.cause.name, isFilled: gap.isFilled)
        }
        if gaps.count > Self.gapLimit { gaps.removeFirst(gaps.count - Self.gapLimit) }
    }
}

extension MediaGap.Cause {
    fileprivate var name: String {
        switch self {
        case .silence: "silence"
        case .jump: "jump"
        case .away: "away"
        case .missed: "missed"
        case .restart: "restart"
        case .pause: "pause"
        }
    }
}
