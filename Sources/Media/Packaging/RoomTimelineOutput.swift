public import Feed
public import ISOBMFF
public import Timing

extension RoomTimeline {
    /// What came of the feed, in this order.
    public enum Output: Equatable, Sendable {
        /// The zero is known: the first picture that decodes, or the first sound when there is no picture. First of all
        /// outputs but warnings; the tracks that are known by then follow at once.
        case began(Beginning)
        /// A track that has samples from here on.
        case track(TimelineTrack)
        /// The track at `index` has one more entry, its last: a new configuration, or parameter sets in band.
        case entry(index: Int, SampleEntry)
        case sample(PlacedSample)
        /// A track had nothing for a while. The samples before it came out; what fills it, if anything does, follows.
        case gap(MediaGap)
        /// The tracks at these indices ended for now: unpublished, their participant left, or the gateway was started
        /// again. What came before must be written before more is polled. They may go on.
        case paused([Int])
        /// What came while the timeline was paused was left out, this much of the room's time: what follows stands right
        /// behind what came before. `at` is that place, in nanoseconds since the zero.
        case leftOut(nanoseconds: Int64, at: Int64)
        /// ``RoomTimeline/split()`` was asked for, and here is the place. This timeline takes nothing more:
        /// ``RoomTimeline/finish()`` it, and go on with ``RoomTimeline/next()``.
        case split
        /// Records that this consumer was too slow for: pictures go on at the next key frame.
        case missed(count: UInt64)
        /// The room began anew (a restart of the gateway), too far from what came to go on with it. This timeline takes
        /// nothing more: ``RoomTimeline/finish()`` it, and go on with ``RoomTimeline/next()``.
        case newEpoch(Int64)
        case warning(RecorderWarning)
        /// All that was held came out; nothing follows. After ``RoomTimeline/finish()``.
        case finished
        /// Nothing to do until then (room time, nanoseconds), or until the next record.
        case wait(until: Int64?)
    }

    /// Where a timeline stands in the room's time.
    public struct Beginning: Equatable, Sendable {
        /// Nanoseconds since 1970 UTC at room time 0.
        public var epoch: Int64
        /// Room time of the timeline's zero, in nanoseconds.
        public var zero: Int64
        /// The feed's position of the sample at the zero.
        public var position: UInt64
        /// What pauses left out so far, in nanoseconds: the timeline's time = room time − `zero` − `leftOut`.
        public var leftOut: Int64 = 0

        public init(epoch: Int64, zero: Int64, position: UInt64, leftOut: Int64 = 0) {
            self.epoch = epoch
            self.zero = zero
            self.position = position
            self.leftOut = leftOut
        }

        /// Wall time of the zero.
        public var startedAt: WallTime { WallTime(nanoseconds: epoch &+ zero) }
    }

    /// What is taken, and how long is waited for it. The defaults are those of DESIGN section 4.
    public struct Options: Equatable, Sendable {
        /// The tracks to take; events of others are ignored. The same as the subscription's.
        public var selection: Subscribe.Selection
        /// How long the beginning waits for published tracks without a configuration, and for a picture beside sound.
        public var startWait: Duration
        /// Sound that is missing this long, at most, is filled with frames of silence; a longer gap is a hole.
        public var longestSilence: Duration
        /// A picture lasts this long, at most, when none follows; then there is a hole. `nil`: until the next.
        public var longestPicture: Duration?
        /// Tracks, at most.
        public var maximumTracks: Int

        public init(
            selection: Subscribe.Selection = .all, startWait: Duration = .seconds(2),
            longestSilence: Duration = .seconds(3600), longestPicture: Duration? = nil, maximumTracks: Int = 16
        ) {
            self.longestSilence = longestSilence
            self.longestPicture = longestPicture
            self.selection = selection
            self.startWait = startWait
            self.maximumTracks = maximumTracks
        }
    }
}
