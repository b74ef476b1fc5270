/// Where a segment ends and the next begins. Times are nanoseconds from the timeline's zero.
struct HLSCut: Equatable, Sendable {
    /// Where the segment that ends here began, and where its media ends.
    var start: Int64
    var end: Int64
    /// Presentation time of what begins behind the cut: sound that begins before it is of the segment that ends.
    var next: Int64
    /// The feed's position of the leading track's sample that begins behind it; `nil`: told by its time.
    var position: UInt64?
    /// The times of the two sides do not follow each other, or they decode differently.
    var isDiscontinuity = false
    /// What begins behind it does not begin with a key frame.
    var isDependent = false
    /// Room time at which the cut was made.
    var madeAt: Int64
    /// Nothing more comes.
    var isLast = false
}

/// Decides where segments end, by the samples of the track that leads: the picture, or the sound where there is none.
///
/// A segment ends at the first key frame at which it is long enough, or behind which the next group of pictures would make
/// it too long. When a group is longer than any before, the segment ends at the last key frame it has, and without one in
/// the middle of the group: section 4.4.3.1 of rfc8216bis lets no segment be longer than the playlist once said.
struct HLSCutter: Sendable {
    /// Media may be away for this long, in nanoseconds: the last picture stays.
    static let holdLimit: Int64 = 2_000_000_000
    /// Before the playlist has said its target duration, a group may be this long.
    static let firstLimit: Int64 = 30_000_000_000
    /// A segment may be longer than the target by this much: it still rounds to it, and so does its sound, which is
    /// longer by up to a frame.
    static let slack: Int64 = 400_000_000
    /// What is this near to what was published follows it without a break.
    private static let seam: UInt64 = 200_000_000
    /// Key frames that come this little too early are on time: their stamps are milliseconds.
    private static let tolerance: Int64 = 20_000_000

    /// Nanoseconds that a segment is to have.
    let asked: Int64
    /// As published, in seconds; `nil` before.
    var target: Int?
    /// The longest group of pictures that was seen.
    private(set) var longestGroup: Int64 = 0
    /// The last one, which the next is like: a picture that lasted long tells nothing of those behind it.
    private var lastGroup: Int64 = 0
    /// Where the segment that is gathered began; `nil` before the first sample.
    private(set) var start: Int64?
    /// Where the leading track's last sample ends.
    private(set) var end: Int64?
    private var lastKey: Int64?
    /// The last key frame behind the segment's first sample.
    private var candidate: (time: Int64, position: UInt64)?
    /// The segment is to end at the next place where one can begin.
    var isSplitDue = false
    /// The leading track has a sample in the segment that is gathered.
    private(set) var hasLead = false
    /// What begins behind what was published earlier, until it is asked for.
    private var opening: Opening?

    init(asked: Int64) { self.asked = asked }

    /// Nanoseconds that a segment may have.
    var limit: Int64 {
        target.map { Int64(clamping: $0) &* 1_000_000_000 &+ Self.slack } ?? max(asked, Self.firstLimit)
    }

    /// How the first segment of a later attempt follows what the earlier one published.
    struct Opening {
        var isDiscontinuity: Bool
        var isDependent: Bool
    }

    mutating func takeOpening() -> Opening? { opening.take() }

    /// A sample of the leading track.
    struct Step {
        /// Presentation time of the picture, but for reordering; nanoseconds.
        var time: Int64
        var duration: Int64
        var isSync: Bool
        /// Each sample is one where a segment can begin: sound.
        var isSound: Bool
        var position: UInt64
        /// Another configuration than the sample before.
        var isChange: Bool
        /// Where the sample before it ended, in the same terms; `nil` for the first.
        var previousEnd: Int64?
        /// The track takes the lead here: its segment begins with this sample.
        var takesLead = false
    }

    /// Whether the sample before `step` is to last up to it, so that there is no hole.
    func holds(_ step: Step) -> Bool {
        guard let start, let end = step.previousEnd, step.time != end, !step.isChange else { return false }
        let length = step.time &- (candidate?.time ?? start)
        if step.time &- end <= Self.holdLimit { return length <= limit }
        return !step.isSync && length &+ step.duration <= limit
    }

    /// Takes the next sample of the leading track.
    /// - Parameter sound: when there is sound behind a hole in front of it.
    /// - Returns: the cuts before it: there, and before an earlier key frame.
    mutating func take(_ step: Step, isHeld: Bool, sound: Int64? = nil, at roomTime: Int64) -> [HLSCut] {
        guard start != nil else {
            open(at: step)
            (end, hasLead) = (step.time &+ step.duration, true)
            return []
        }
        var cuts: [HLSCut] = []
        if isHeld {
            // What is before the last key frame goes first, when the picture that lasts longer makes all of it too long.
            if let start, step.time &- start > limit, let cut = cutAtCandidate(at: roomTime) { cuts.append(cut) }
            lastKey = nil  // no group is as long as that
        }
        if let cut = follow(step, isHeld: isHeld, at: roomTime) {
            cuts.append(cut)
            if cut.isDiscontinuity, let sound { leave(sound, before: step, &cuts, at: roomTime) }
        }
        (end, hasLead) = (step.time &+ step.duration, true)
        return cuts
    }

    private mutating func follow(_ step: Step, isHeld: Bool, at roomTime: Int64) -> HLSCut? {
        guard let start else { return nil }
        let isHole = step.previousEnd.map { step.time != $0 && !isHeld } ?? false
        if step.isChange || isHole { return cut(before: step, start, isDiscontinuity: true, at: roomTime) }
        if step.takesLead { return cut(before: step, start, isDiscontinuity: false, at: roomTime) }
        if step.isSync, !step.isSound {
            if let lastKey { lastGroup = step.time &- lastKey }
            longestGroup = max(longestGroup, lastGroup)
            lastKey = step.time
        }
        let length = step.time &- start
        if step.isSync, length > 0 {
            let group = step.isSound ? step.duration : lastGroup
            let tolerance = step.isSound ? step.duration / 2 : Self.tolerance
            let goal = target == nil ? max(asked &+ Self.slack, 0) : limit
            if isSplitDue || length >= asked &- tolerance || length &+ group > goal {
                return cut(before: step, start, isDiscontinuity: false, at: roomTime)
            }
            candidate = (step.time, step.position)
        }
        guard length &+ step.duration > limit else { return nil }
        return cutAtCandidate(at: roomTime) ?? cut(before: step, start, isDiscontinuity: false, at: roomTime)
    }

    /// Sound that is there so long before its picture that a segment of both would be too long has segments of its own,
    /// behind the last of `cuts`.
    private func leave(_ sound: Int64, before step: Step, _ cuts: inout [HLSCut], at roomTime: Int64) {
        let group = max(asked, longestGroup)
        let most = min(limit, group &+ Self.slack)
        let lead = step.time &- sound
        guard lead > 0, lead &+ group > most, lead <= most &+ 2 &* Self.holdLimit else { return }
        cuts[cuts.count - 1].next = sound
        var start = sound
        while start < step.time {
            let isNear = step.time &- start <= most
            let end = isNear ? step.time : start &+ asked
            cuts.append(
                HLSCut(start: start, end: end, next: end, position: isNear ? step.position : nil, madeAt: roomTime))
            start = end
        }
    }

    private mutating func cutAtCandidate(at roomTime: Int64) -> HLSCut? {
        guard let start, let candidate else { return nil }
        self.start = candidate.time
        self.candidate = nil
        return HLSCut(
            start: start, end: candidate.time, next: candidate.time, position: candidate.position, madeAt: roomTime)
    }

    /// Begins to gather at `step`, behind nothing, or behind what was published earlier.
    mutating func open(at step: Step) {
        begin(at: step)
        guard let end = step.previousEnd else { return }
        let isHole = (step.time &- end).magnitude > Self.seam
        opening = Opening(isDiscontinuity: step.isChange || isHole, isDependent: !step.isSync)
        if !step.isChange, !isHole { start = min(step.time, end) }
    }

    private mutating func begin(at step: Step) {
        start = step.time
        candidate = nil
        lastKey = step.isSync ? step.time : nil
    }

    private mutating func cut(
        before step: Step, _ start: Int64, isDiscontinuity: Bool, at roomTime: Int64
    ) -> HLSCut {
        let isBehind = isDiscontinuity && hasLead
        isSplitDue = false
        // What is behind may reorder less: its first picture is shown before the last one's end, as that was counted.
        let last = isBehind ? min(end ?? step.time, step.time) : step.time
        let cut = HLSCut(
            start: start, end: max(last, start), next: step.time,
            position: step.position, isDiscontinuity: isDiscontinuity, isDependent: !step.isSync, madeAt: roomTime)
        let key = lastKey
        begin(at: step)
        if !isDiscontinuity, !step.isSync { lastKey = key }
        return cut
    }

    /// Ends the segment at `time` without a sample of the leading track, which has none.
    /// - Parameter border: set when what begins there does not follow what came before, which ends here.
    mutating func cut(at time: Int64, border: Int64? = nil, roomTime: Int64) -> HLSCut? {
        guard let start, time > start else { return nil }
        let end = border.map { max(start, min($0, time)) } ?? time
        self.start = time
        candidate = nil
        hasLead = false
        return HLSCut(
            start: start, end: end, next: time, isDiscontinuity: border != nil, madeAt: roomTime)
    }

    /// Ends all: nothing more comes.
    mutating func finish(at roomTime: Int64) -> HLSCut? {
        guard let start, let end else { return nil }
        defer { (self.start, candidate, hasLead) = (nil, nil, false) }
        let last = hasLead ? max(end, start) : start
        return HLSCut(start: start, end: last, next: .max, madeAt: roomTime, isLast: true)
    }

}
