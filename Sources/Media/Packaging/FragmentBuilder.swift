import ISOBMFF

/// Gathers samples for the next fragment.
struct FragmentBuilder: Sendable {
    private(set) var runs: [Fragment.Run] = []
    /// The file's time, in nanoseconds, at which the earliest sample begins.
    private(set) var start: Int64 = 0
    /// The room's time when the first sample came.
    private(set) var openedAt: Int64 = 0

    var isEmpty: Bool { runs.isEmpty }

    func contains(trackID: UInt32) -> Bool { runs.contains { $0.trackID == trackID } }

    /// Whether a sample of `description`, from `time` on, up to `end` (the file's time), may stand in this fragment.
    func takes(trackID: UInt32, description: UInt32, time: Int64, upTo end: Int64, limit: Int64) -> Bool {
        guard !isEmpty else { return true }
        if end &- start > limit { return false }
        guard let run = runs.first(where: { $0.trackID == trackID }) else { return true }
        return run.description == description && run.endTime == time
    }

    mutating func add(
        _ sample: FragmentSample, _ bytes: ArraySlice<UInt8>, trackID: UInt32, description: UInt32, time: Int64,
        from start: Int64, at roomTime: Int64
    ) {
        if isEmpty {
            self.start = start
            openedAt = roomTime
        }
        self.start = min(self.start, start)
        let index = runs.firstIndex { $0.trackID == trackID } ?? runs.count
        if index == runs.count { runs.append(Fragment.Run(trackID: trackID, description: description, time: time)) }
        runs[index].samples.append(sample)
        runs[index].payload.append(contentsOf: bytes)
    }

    /// Takes out what was gathered; video first.
    mutating func take() -> [Fragment.Run] {
        defer { runs = [] }
        return runs.sorted { $0.trackID < $1.trackID }
    }
}

extension Fragment.Run {
    /// Where the next sample must begin to stand in this run.
    fileprivate var endTime: Int64 { samples.reduce(time) { $0 &+ Int64($1.duration) } }
}
