import Assignments
import Timing

/// What the verbs pause, resume, split and markers asked of an egress.
struct EgressVerbs: Codable, Equatable, Sendable {
    /// Since when it is paused, in nanoseconds since 1970; `nil` while it is not.
    var pausedSince: Int64?
    /// How long earlier pauses were, as the gateway's clock saw them, in nanoseconds.
    var pausedTime: Int64 = 0
    /// How many files there were when a split was asked for; `nil` once it is done.
    var splitAt: Int?
    var markers: [Marker] = []
}

/// What the files of one output hold, over all attempts.
struct OutputFiles: Codable, Equatable, Sendable {
    var finished: [FinishedFile] = []
    /// What pauses left out; of earlier attempts, and of the present one.
    var earlierPauses: [LeftOutTime] = []
    var pauses: [LeftOutTime] = []
    /// Taken from the feed, and what the feed no longer held: the files of the present attempt.
    var unitsIn: Int64 = 0
    var unitsLost: Int64 = 0
    /// See ``OutputReport``; a later attempt tells those of its file again.
    var gaps: [ReportedGap]?
    var gapCount: Int64?
    var gapSeconds: Double?
    /// As the present attempt tells them, with the forms that earlier ones told.
    var tracks: [ReportedTrack]?
    /// Each time that the clock stood otherwise than before, and from where on.
    var clocks: [PlacedClock]?
    /// Whose `pauses` they are.
    var attempt = 0

    var allPauses: [LeftOutTime] { earlierPauses + pauses }
}

extension EgressRun {
    /// Markers of one egress, at most.
    static let markerLimit = 1000

    var isPaused: Bool { verbs?.pausedSince != nil }

    // MARK: Verbs

    /// - Returns: false when it is paused already.
    mutating func pause(at now: WallTime) -> Bool {
        guard !isPaused else { return false }
        var verbs = verbs ?? EgressVerbs()
        verbs.pausedSince = now.nanoseconds
        self.verbs = verbs
        move(to: .paused, "pause_requested")
        return true
    }

    /// - Parameter flows: whether media flows in its room.
    /// - Returns: false when it is not paused.
    mutating func resume(flows: Bool, at now: WallTime) -> Bool {
        guard let since = verbs?.pausedSince else { return false }
        verbs?.pausedTime &+= max(0, now.nanoseconds &- since)
        verbs?.pausedSince = nil
        for index in record.outputs.indices where record.outputs[index].state == .paused {
            record.outputs[index].state = .active
        }
        if flows { move(to: .active, nil) } else { move(to: .waiting, "source_away") }
        return true
    }

    /// - Returns: false when a split of a file is on its way already; nobody tells where a segment ended.
    mutating func split() -> Bool {
        guard record.outputs.contains(where: { $0.type == .mp4 && $0.canBeSplit }) else { return true }
        let count = fileCount
        guard verbs?.splitAt != count else { return false }
        var verbs = verbs ?? EgressVerbs()
        verbs.splitAt = count
        self.verbs = verbs
        return true
    }

    private var fileCount: Int {
        record.outputs.filter(\.type.isFileLike).reduce(0) { $0 + max(1, $1.parts.count) }
    }

    /// Adds a marker. Without a place it is set to now.
    /// - Returns: `nil` when the same marker is there already.
    mutating func mark(_ name: String, atSeconds: Double?, at now: WallTime) -> Marker? {
        let marker = Marker(name: name, atSeconds: atSeconds ?? elapsedSeconds(at: now))
        var verbs = verbs ?? EgressVerbs()
        guard atSeconds == nil || !verbs.markers.contains(marker) else { return nil }
        verbs.markers.append(marker)
        self.verbs = verbs
        return marker
    }

    /// Recorded media up to `now`, as far as the gateway's clock tells.
    private func elapsedSeconds(at now: WallTime) -> Double {
        guard let startedAt = record.startedAt else { return 0 }
        let until = min(now.nanoseconds, verbs?.pausedSince ?? now.nanoseconds)
        let length = until &- startedAt.wallTime.nanoseconds &- (verbs?.pausedTime ?? 0)
        return (Double(max(0, length)) / 1e6).rounded() / 1000
    }

    // MARK: Files

    /// How many files are complete.
    var finishedFiles: Int { (files ?? [:]).values.reduce(0) { $0 + $1.finished.count } }

    /// What the next attempt is to know of the files before its own.
    func withEarlier(_ output: OutputAssignment) -> OutputAssignment {
        guard let finished = files?[output.id]?.finished, !finished.isEmpty else { return output }
        let present = record.outputs.first { $0.id == output.id }?.location
        let earlier = finished.filter { $0.path != present }
        var output = output
        output.partNumber = earlier.count + 1
        output.earlierSeconds = earlier.reduce(0) { $0 + $1.durationSeconds }
        output.earlierBytes = earlier.reduce(0) { $0 &+ $1.sizeBytes }
        return output
    }

    /// Takes what a report says of an output's files.
    mutating func note(_ report: OutputReport, of output: inout OutputRecord) {
        var known = files?[output.id] ?? OutputFiles()
        for file in report.finished {
            known.finished.removeAll { $0.path == file.path }
            known.finished.append(file)
        }
        if known.attempt != attempts {
            known.earlierPauses = known.allPauses
            known.attempt = attempts
        }
        known.pauses = report.pauses
        let earlier = (known.gaps ?? []).filter { !report.gaps.contains($0) }
        known.gaps = Array((earlier + report.gaps).suffix(100))
        known.gapCount = max(known.gapCount ?? 0, report.gapCount)
        known.gapSeconds = max(known.gapSeconds ?? 0, report.gapSeconds)
        (known.unitsIn, known.unitsLost) = (report.unitsIn, report.unitsLost)
        known.note(report.tracks)
        if let clock = report.clock { known.note(clock, at: report.durationSeconds) }
        files = (files ?? [:]).merging([output.id: known]) { $1 }
        output.measureParts(known.finished)
    }
}

extension OutputRecord {
    /// Into parts, or at a segment's end.
    var canBeSplit: Bool { (type == .mp4 || type == .hls) && !state.isFinal }

    /// Gives each part what it holds: the finished ones as they were told, the last one the rest.
    fileprivate mutating func measureParts(_ finished: [FinishedFile]) {
        var rest = (seconds: durationSeconds, bytes: sizeBytes)
        for index in parts.indices {
            let known = finished.first { $0.path == parts[index].location }
            let isLast = index == parts.count - 1
            parts[index].durationSeconds =
                known?.durationSeconds ?? (isLast ? max(0, rest.seconds) : parts[index].durationSeconds)
            parts[index].sizeBytes = known?.sizeBytes ?? (isLast ? max(0, rest.bytes) : parts[index].sizeBytes)
            rest.seconds -= parts[index].durationSeconds
            rest.bytes &-= parts[index].sizeBytes
        }
    }
}
