public import Feed
public import ISOBMFF

/// A track of a timeline. Its times count from an origin of its own, so that none is negative.
public struct TimelineTrack: Equatable, Sendable {
    /// Its place among the timeline's tracks, from 0: the order of the `track` outputs.
    public var index: Int
    /// As the present feed has it; a publisher that comes back may have another number.
    public var info: TrackInfo
    /// Who publishes it, beyond the life of one connection.
    public var identity: String
    /// For people: who, and what of theirs.
    public var name: String
    /// Ticks a second: 90 000 for video, the core coder's sample rate for AAC.
    public var timescale: UInt32
    /// The track's time at the timeline's zero, in its ticks.
    public var origin: Int64
    /// How its samples are coded, in the order in which they came; more may come.
    public var entries: [SampleEntry]

    public var isVideo: Bool { info.kind == .video }

    /// Nanoseconds since the timeline's zero at the track's time `ticks`; negative before the zero.
    public func nanoseconds(at ticks: Int64) -> Int64 {
        SampleClock.scale(ticks &- origin, from: Int64(timescale), to: 1_000_000_000)
    }

    /// The track's time, in its ticks, at `nanoseconds` since the timeline's zero.
    public func ticks(at nanoseconds: Int64) -> Int64 {
        origin &+ SampleClock.scale(nanoseconds, from: 1_000_000_000, to: Int64(timescale))
    }
}

/// One sample at its time (ISO/IEC 14496-12 section 8.6): a picture's access unit, or a frame of sound.
///
/// Samples of one track come in decoding order, each at or behind the end of the one before: `time` + `duration` of one
/// is `time` of the next, unless there is a hole, or the duration was estimated.
public struct PlacedSample: Equatable, Sendable {
    /// ``TimelineTrack/index``.
    public var track: Int
    /// Decoding time, in ticks of the track.
    public var time: Int64
    /// Up to the next sample, in ticks of the track.
    public var duration: Int64 = 0
    /// The next sample had not come: it may begin before or behind the end of this one.
    public var isDurationEstimated = false
    /// Presentation − decoding time, in ticks.
    public var compositionOffset: Int32
    /// Silence that was made to fill a gap; it was not received.
    public var isFill = false
    /// A decoder can begin here: a key frame, or any frame of sound.
    public var isSync: Bool
    /// `sample_description_index`: counts ``TimelineTrack/entries`` from 1.
    public var description: UInt32
    /// As a sample of MP4: without filler, delimiters and the parameter sets of its entry.
    public var bytes: ArraySlice<UInt8>
    /// The feed's position of its unit.
    public var position: UInt64
    /// The track's state before it.
    var before: TrackTimeline.State
}
