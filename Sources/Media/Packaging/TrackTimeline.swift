import Feed
import ISOBMFF

/// One track of a timeline: from units to samples with times. One sample is held back until the next shows how long it
/// lasts.
struct TrackTimeline: Sendable {
    /// What must be known to go on behind a sample: it stands in the resume box.
    struct State: Equatable, Sendable {
        var clock: SampleClock
        /// Index of the present sample entry, from 1.
        var description: UInt32
        /// The id of the feed's configuration that `description` came from.
        var configuration: UInt32
        /// The publication of the track that was last seen.
        var publication: UInt32
        /// Nothing can be decoded before the next key frame.
        var needsKey: Bool
        /// Something is missing before the next unit: its stamp is right, a count is not.
        var gap: MediaGap.Cause?
        /// That gap was stated, and filled up to here.
        var isGapStated = false
        /// When the latest picture so far is shown, in ticks: behind their decoding, while B-frames are missing.
        var lastShown: Int64?
        /// The last sample's duration that was measured, for one that cannot be.
        var lastDuration: Int64 = 0
    }

    /// A sample whose duration is not known yet.
    struct Pending: Sendable {
        var sample: PlacedSample
        /// The room's time when it came.
        var arrival: Int64
    }

    var track: TimelineTrack
    var coding: SampleCoding
    var state: State
    var pending: Pending?
    /// Units at positions before this one are dealt with.
    var resumesAt: UInt64 = 0

    init(_ track: TimelineTrack, coding: SampleCoding, state: State) {
        self.track = track
        self.coding = coding
        self.state = state
    }

    var info: TrackInfo { track.info }
    var isVideo: Bool { track.isVideo }
    var timescale: UInt32 { track.timescale }

    /// Where the pictures so far end as they are shown, in ticks.
    var shownUntil: Int64? { state.lastShown.map { $0 &+ estimatedDuration } }

    /// How long a sample lasts, as far as one can tell without the next.
    var estimatedDuration: Int64 {
        let frame = state.clock.frameTicks
        if frame > 0 { return frame }
        return state.lastDuration > 0 ? min(state.lastDuration, Int64(timescale)) : Int64(timescale) / 30
    }
}
