/// Gives the samples of one track their decoding times (DESIGN section 3).
///
/// Between two anchors, video keeps the source's own deltas exactly; AAC is counted, and follows its stamps only when they
/// show a gap.
struct SampleClock: Equatable, Sendable {
    /// Where the source's stamps stand on the track's time.
    struct Anchor: Equatable, Sendable {
        /// The generation of the participant's clock that it was made with.
        var generation: UInt32
        /// The source's ticks a second.
        var sourceScale: Int64
        /// A stamp in those ticks, and the track's time there.
        var stamp: Int64
        var time: Int64
        /// By how much the source's clock has drifted since the anchor, as far as that is in `time`, in nanoseconds.
        var drift: Int64 = 0
    }

    /// One frame of sound: its samples, and samples a second. A track may hold frames of another rate than its own.
    struct Frame: Equatable, Sendable {
        var length: Int64
        var rate: Int64

        static let picture = Frame(length: 0, rate: 1)
    }

    struct Placed: Equatable {
        var time: Int64
        /// The stamp did not rise: the time was moved.
        var wasRepaired = false
    }

    /// Stamps of sound may wander this far from the count of samples, in milliseconds.
    static let wander: Int64 = 100
    /// Stamps that stay this far off on one side for ``patience`` frames are right, and the count is wrong.
    static let steadyWander: Int64 = 12
    static let patience: UInt16 = 16

    /// Ticks a second of the track.
    var timescale: Int64
    /// A frame of sound has so many samples, at so many a second; 0 for video.
    var frame: Frame
    /// What the count is ahead of the last time, in ticks × the frame's rate.
    var carry: Int64 = 0
    var anchor: Anchor?
    var lastStamp: Int64 = 0
    /// The last sample's decoding time; `nil` before the first.
    var lastTime: Int64?
    /// How many frames in turn stood off on one side, and the least distance of those.
    var offCount: UInt16 = 0
    var offLeast: Int64 = 0

    init(timescale: Int64, frame: Frame) {
        self.timescale = timescale
        self.frame = frame
    }

    /// Ticks of one frame of sound, to the nearest; 0 for video.
    var frameTicks: Int64 { Self.scale(frame.length, from: frame.rate, to: timescale) }

    /// Where the next sample is expected at the earliest.
    var end: Int64? { lastTime.map { $0 &+ max(1, (frame.length &* timescale &+ carry) / max(1, frame.rate)) } }

    /// The track's time of `stamp` by the present anchor.
    func mapped(_ stamp: Int64) -> Int64? {
        guard let anchor else { return nil }
        return anchor.time &+ Self.scale(stamp &- anchor.stamp, from: anchor.sourceScale, to: timescale)
    }

    /// Places the sample with decoding stamp `stamp`; needs an anchor.
    /// - Parameter isMoved: the anchor was moved for this sample; else the count may follow it later.
    mutating func place(_ stamp: Int64, isGap: Bool, isMoved: Bool = false) -> Placed {
        let mapped = mapped(stamp) ?? 0
        lastStamp = stamp
        guard let end else {
            lastTime = mapped
            carry = 0
            return Placed(time: mapped)
        }
        let placed =
            frame.length == 0
            ? follow(mapped, end: end) : count(mapped, end: end, isGap: isGap, isMoved: isMoved)
        carry = placed.time == end ? (frame.length &* timescale &+ carry) % max(1, frame.rate) : 0
        lastTime = placed.time
        return placed
    }

    private func follow(_ mapped: Int64, end: Int64) -> Placed {
        mapped >= end ? Placed(time: mapped) : Placed(time: end, wasRepaired: true)
    }

    private mutating func count(_ mapped: Int64, end: Int64, isGap: Bool, isMoved: Bool) -> Placed {
        let off = mapped &- end
        let limit = timescale * Self.wander / 1000
        let earliest = end &- frameTicks &+ 1
        if isMoved {
            offCount = 0
            return Placed(time: max(mapped, earliest))
        }
        if isGap || off > limit {
            offCount = 0
            return Placed(time: max(mapped, end))
        }
        if off < -limit {
            offCount = 0
            return Placed(time: max(mapped, earliest), wasRepaired: true)
        }
        guard off.magnitude > (timescale * Self.steadyWander / 1000).magnitude else {
            offCount = 0
            return Placed(time: end)
        }
        let isSameSide = offCount > 0 && (off > 0) == (offLeast > 0)
        offLeast = isSameSide ? (off > 0 ? min(off, offLeast) : max(off, offLeast)) : off
        offCount = isSameSide ? offCount + 1 : 1
        guard offCount >= Self.patience else { return Placed(time: end) }
        offCount = 0
        return Placed(time: max(end &+ offLeast, earliest), wasRepaired: offLeast < 0)
    }

    /// Converts ticks between scales, to the nearest; what cannot be (a stamp of nonsense) is clamped.
    static func scale(_ ticks: Int64, from source: Int64, to target: Int64) -> Int64 {
        guard source > 0, source != target else { return ticks }
        if target % source == 0 {
            let (product, isOver) = ticks.multipliedReportingOverflow(by: target / source)
            return isOver ? (ticks < 0 ? .min / 4 : .max / 4) : product
        }
        let (quotient, remainder) = ticks.quotientAndRemainder(dividingBy: source)
        let (whole, isOver) = quotient.multipliedReportingOverflow(by: target)
        guard !isOver else { return ticks < 0 ? .min / 4 : .max / 4 }
        let part = remainder &* target
        return whole &+ (part &+ (part < 0 ? -source : source) / 2) / source
    }
}
