import ISOBMFF

/// Gathers samples for the next fragment.
struct FragmentBuilder: Sendable {
    private(set) var runs: [Fragment.Run] = []
    /// Of each run, where the next sample must begin to stand in it. Kept: a fragment may have ten thousands of samples.
    private var ends: [Int64] = []
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
        guard let index = runs.firstIndex(where: { $0.trackID == trackID }) else { return true }
        return runs[index].description == description && ends[index] == time
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
        if index == runs.count {
            runs.append(Fragment.Run(trackID: trackID, description: description, time: time))
            ends.append(time)
        }
        ends[index] &+= Int64(sample.duration)
        runs[index].samples.append(sample)
        runs[index].payload.append(contentsOf: bytes)
    }

    /// Takes out what was gathered; video first.
    mutating func take() -> [Fragment.Run] {
        defer { (runs, ends) = ([], []) }
        return runs.sorted { $0.trackID < $1.trackID }
    }
}
