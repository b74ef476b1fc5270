/// Where the samples of one track stand in the file and in time: what `stbl` says, kept compactly while it grows
/// (some 4 to 10 bytes a sample).
public struct SampleTable: Equatable, Sendable {
    /// Neighbouring samples that are decoded by the same entry.
    struct Chunk: Equatable, Sendable {
        var offset: UInt64
        var count: UInt32
        /// Index in `stsd`, from 1.
        var description: UInt32
    }

    private(set) var sizes: [UInt32] = []
    private(set) var durations = RunLengthSeries()
    private(set) var compositionOffsets = RunLengthSeries()
    /// Numbers of the sync samples, from 1.
    private(set) var syncSamples: [UInt32] = []
    private(set) var chunks: [Chunk] = []
    private(set) var mediaByteCount: UInt64 = 0
    private var hasCompositionOffsets = false

    /// Decoding time of the first sample, in ticks of the track.
    public private(set) var firstTime: Int64 = 0
    /// Composition offset of the first sample.
    public private(set) var firstCompositionOffset: Int64 = 0
    /// Decoding time of the last sample, and how long it is taken to last until the next one shows it.
    public private(set) var lastTime: Int64 = 0
    public private(set) var lastDuration: Int64 = 0
    /// Where the presentation ends: the greatest composition time and duration so far.
    public private(set) var presentationEnd: Int64 = 0

    public init() {}

    public var count: Int { sizes.count }
    public var isEmpty: Bool { sizes.isEmpty }
    /// Decoding time at which the next sample is expected.
    public var endTime: Int64 { lastTime &+ lastDuration }
    /// True when every sample is a sync sample: `stss` is then left out.
    var isAllSync: Bool { syncSamples.count == sizes.count }
    var usesCompositionOffsets: Bool { hasCompositionOffsets }

    /// The samples appended from here on stand at `offset` of the file, one behind the other.
    mutating func beginChunk(at offset: UInt64, description: UInt32) {
        chunks.append(Chunk(offset: offset, count: 0, description: description))
    }

    /// Adds a sample that is decoded at `time`, which must not fall. What lies between the end of the last sample and
    /// `time` is added to the last one's duration.
    mutating func append(_ sample: FragmentSample, at time: Int64) {
        let time = isEmpty ? time : max(time, lastTime)
        if isEmpty {
            firstTime = time
            firstCompositionOffset = Int64(sample.compositionOffset)
            presentationEnd = time
        } else {
            durations.append(time &- lastTime)
        }
        compositionOffsets.append(Int64(sample.compositionOffset))
        if sample.compositionOffset != 0 { hasCompositionOffsets = true }
        sizes.append(sample.size)
        if sample.isSync { syncSamples.append(UInt32(truncatingIfNeeded: sizes.count)) }
        if chunks.isEmpty { beginChunk(at: 0, description: 1) }
        chunks[chunks.count - 1].count &+= 1
        mediaByteCount &+= UInt64(sample.size)
        (lastTime, lastDuration) = (time, Int64(sample.duration))
        presentationEnd = max(presentationEnd, endTime &+ Int64(sample.compositionOffset))
    }

    /// The durations of all samples, in order and joined into runs; the last one lasts as long as was estimated.
    var allDurations: RunLengthSeries {
        var all = durations
        if !isEmpty { all.append(lastDuration) }
        return all
    }
}

/// One sample of a fragment, as `trun` describes it (ISO/IEC 14496-12 section 8.8.8). Times in ticks of the track.
public struct FragmentSample: Equatable, Sendable {
    public var duration: UInt32
    public var size: UInt32
    public var compositionOffset: Int32
    public var isSync: Bool

    public init(duration: UInt32, size: UInt32, compositionOffset: Int32 = 0, isSync: Bool) {
        self.duration = duration
        self.size = size
        self.compositionOffset = compositionOffset
        self.isSync = isSync
    }
}
