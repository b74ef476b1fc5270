import Timing

/// When a publisher of 2.5 Mbit/s sends what: 30 frames a second in groups of 2 s, and AAC of 160 kbit/s at 48 kHz.
public struct MediaSchedule: Sendable {
    /// One access unit or audio frame, by its number from 0.
    public struct Unit: Sendable {
        public var isVideo: Bool
        public var index: Int
        /// From the first frame on.
        public var time: Duration
    }

    public static let framesPerSecond = 30
    public static let framesPerGroup = 60
    /// Of an AAC frame of 1024 samples.
    public static let audioBytes = 427

    private var video = 0
    private var audio = 0

    public init() {}

    /// The next unit in the order of time.
    public mutating func next() -> Unit {
        let videoTime = Self.videoTime(video)
        let audioTime = Self.audioTime(audio)
        if videoTime <= audioTime {
            video += 1
            return Unit(isVideo: true, index: video - 1, time: videoTime)
        }
        audio += 1
        return Unit(isVideo: false, index: audio - 1, time: audioTime)
    }

    public static func videoTime(_ index: Int) -> Duration {
        .nanoseconds(Int64(index) * 1_000_000_000 / Int64(framesPerSecond))
    }

    public static func audioTime(_ index: Int) -> Duration { .nanoseconds(Int64(index) * 64_000_000 / 3) }

    /// Size of a frame: one of 60 is a key frame eight times as large; together 2.34 Mbit/s.
    public static func videoBytes(frame index: Int) -> Int {
        guard index % framesPerGroup != 0 else { return 70_000 }
        // Frames between differ, as they do after a rate control; the mean stays.
        return 8_730 + (index % 7 - 3) * 900
    }
}
