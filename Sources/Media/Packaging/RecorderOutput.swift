import Feed
public import Timing

extension MP4Recorder {
    /// What the caller is to do next, in this order, one after another.
    public enum Output: Equatable, Sendable {
        /// Write these bytes at the end of the file.
        case append([UInt8])
        /// Overwrite bytes at `offset`, in one write.
        case patch(offset: UInt64, [UInt8])
        /// Make all that was written so far durable, then acknowledge the feed up to, not including, `position`. Several
        /// may be joined: the last one counts.
        case sync(position: UInt64)
        /// Make all that was written so far durable **before** anything that comes after is written.
        case barrier
        /// The first decodable frame was appended: the output is active once the `sync` after this is done.
        /// `startedAt` is the wall time of that frame.
        case active(startedAt: WallTime)
        case warning(RecorderWarning)
        /// This file can take no more: `finish()` it, and feed what comes into ``MP4Recorder/nextPart()``.
        case full(FullReason)
        /// A pause was left out: so much of the room's time, at that time of the file.
        case leftOut(Duration, at: Duration)
        /// The file is an ordinary MP4 now, or, if nothing was ever appended, empty: remove it then.
        case finished(RecorderStatistics)
        /// Nothing to do until then (room time, nanoseconds), or until the next record.
        case wait(until: Int64?)
    }

    public enum FullReason: Equatable, Sendable {
        /// The space kept for the header is used up by tracks and sample entries.
        case headerReserve
        /// The room began anew (a restart of the gateway): its clock has another zero.
        case newEpoch
        /// ``MP4Recorder/split()`` was asked for.
        case split
    }
}

/// Something that a person should know about a recording; it goes on.
public struct RecorderWarning: Equatable, Sendable {
    /// For programs: `track_left_out`, `units_missed`, …
    public var code: String
    public var message: String
    public var remedy: String

    public init(code: String, message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

/// Counts of one file, for reports and for the manifest.
public struct RecorderStatistics: Equatable, Sendable {
    public struct Track: Equatable, Sendable {
        /// `TR_…`
        public var id: String
        /// Samples in the file.
        public var frames: Int64
        /// Media time that the track holds, from the file's zero to its end.
        public var duration: Duration
        /// Who publishes it.
        public var identity = ""
        public var isVideo = false
        /// How its samples are coded, in their order.
        public var forms: [Form] = []
    }

    /// A span in which a track has nothing that was received; see ``MediaGap``.
    public struct Gap: Equatable, Sendable {
        /// `TR_…`
        public var track: String
        /// Since the file's zero.
        public var from: Duration
        public var length: Duration
        public var cause: MediaGap.Cause
        /// Frames of silence stand in it.
        public var isFilled: Bool
    }

    /// Units of selected tracks that came in.
    public var unitsIn: Int64 = 0
    /// Records that the feed no longer held.
    public var unitsLost: Int64 = 0
    /// Units before the first key frame, or after a gap and before the next one.
    public var unitsSkipped: Int64 = 0
    /// Decoding times that had to be moved so that they rise.
    public var timesRepaired: Int64 = 0
    /// From the file's zero to the end of the longest track.
    public var duration: Duration = .zero
    /// Bytes appended so far.
    public var byteCount: UInt64 = 0
    /// Wall time of the file's zero; `nil` before the first frame.
    public var startedAt: WallTime?
    public var tracks: [Track] = []
    /// `nil` before the first frame.
    public var clock: Clock?
    /// How many gaps there are, the time in which any track has one, and the latest of them, at most 100.
    public var gapCount: Int64 = 0
    public var gapTime: Duration = .zero
    public var gaps: [Gap] = []
    /// Frames of silence that fill gaps; they are among the tracks' frames.
    public var framesFilled: Int64 = 0

    public init() {}

    mutating func take(_ log: GapLog, _ tracks: [TimelineTrack]) {
        gapCount = log.count
        framesFilled = log.filled
        gapTime = .nanoseconds(log.time)
        gaps = log.latest.filter { tracks.indices.contains($0.track) }.map { gap in
            Gap(
                track: tracks[gap.track].info.id, from: .nanoseconds(gap.from), length: .nanoseconds(gap.length),
                cause: gap.cause, isFilled: gap.isFilled)
        }
    }
}

extension RecorderWarning {
    static func tooManyTracks(_ name: String, limit: Int) -> Self {
        Self(
            code: "track_left_out", message: "\(name) is not in the file: it holds \(limit) tracks.",
            remedy: "Record this participant with an egress of its own.")
    }

    static func codec(_ codec: String, _ name: String) -> Self {
        Self(
            code: "track_left_out",
            message: "\(name) is not in the file: MP4 output does not take \(codec) as it came.",
            remedy: "Publish H.264 and AAC.")
    }

    static func tooLarge(_ name: String) -> Self {
        Self(
            code: "track_left_out", message: "\(name) is not in the file: its decoder configuration is too large.",
            remedy: "Look at the encoder's extra data: it has kilobytes where tens of bytes are usual.")
    }

    static func largeConfiguration(_ name: String) -> Self {
        Self(
            code: "units_left_out",
            message: "\(name) changed to a decoder configuration that is too large: what needs it is left out.",
            remedy: "Look at the encoder's extra data: it has kilobytes where tens of bytes are usual.")
    }

    static func tooManyChanges(_ name: String) -> Self {
        Self(
            code: "units_left_out",
            message: "\(name) changes its decoder configuration again and again: some of it is left out.",
            remedy: "Set the encoder to keep its size and parameter sets.")
    }

    static func packets(_ name: String) -> Self {
        Self(
            code: "track_left_out", message: "\(name) is not in the file: it is published over WebRTC.",
            remedy: "Publish over RTMP.")
    }

    static func unitsMissed(_ count: UInt64) -> Self {
        Self(
            code: "units_missed",
            message: "\(count) records came too fast for this recording; the file has a gap where they were.",
            remedy: "Look for a slow disk, or raise limits.replay.")
    }

    static let timesRepaired = Self(
        code: "times_repaired", message: "The encoder sent decoding times that do not rise; they were moved.",
        remedy: "Update the encoder, or set it to a constant frame rate.")
}
