import Feed
import ISOBMFF

/// One track of the file: from units to samples with times. One sample is held back until the next shows how long it
/// lasts.
struct TrackRecorder: Sendable {
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
        /// Records are missing before the next unit: its stamp is right, a count is not.
        var isAfterGap = false
    }

    /// A sample whose duration is not known yet.
    struct Pending: Sendable {
        var sample: FragmentSample
        var time: Int64
        var description: UInt32
        var bytes: ArraySlice<UInt8>
        var position: UInt64
        /// The room's time when it came.
        var arrival: Int64
        /// The track's state before it.
        var before: State
    }

    /// As the present feed has it; a publisher that comes back may have another number.
    var info: TrackInfo
    /// Who publishes it, beyond the life of one connection.
    let identity: String
    let id: UInt32
    let timescale: UInt32
    /// The track's time at the file's zero.
    let origin: Int64
    var coding: SampleCoding
    var state: State
    var pending: Pending?
    var table = SampleTable()
    /// Units at positions before this one are in the file.
    var resumesAt: UInt64 = 0
    /// The last sample's duration that was measured, for one that cannot be.
    var lastDuration: Int64 = 0

    init(
        info: TrackInfo, identity: String, id: UInt32, timescale: UInt32, origin: Int64, coding: SampleCoding,
        state: State
    ) {
        self.info = info
        self.identity = identity
        self.id = id
        self.timescale = timescale
        self.origin = origin
        self.coding = coding
        self.state = state
    }

    var isVideo: Bool { info.kind == .video }

    /// How long a sample lasts, as far as one can tell without the next.
    var estimatedDuration: Int64 {
        let frame = state.clock.frameTicks
        if frame > 0 { return frame }
        return lastDuration > 0 ? min(lastDuration, Int64(timescale)) : Int64(timescale) / 30
    }

    /// Nanoseconds of the file's time at the track's time `time`.
    func fileTime(_ time: Int64) -> Int64 {
        SampleClock.scale(time &- origin, from: Int64(timescale), to: 1_000_000_000)
    }

    /// The track's time at `nanoseconds` of the file's time.
    func time(atFileTime nanoseconds: Int64) -> Int64 {
        origin &+ SampleClock.scale(nanoseconds, from: 1_000_000_000, to: Int64(timescale))
    }
}
