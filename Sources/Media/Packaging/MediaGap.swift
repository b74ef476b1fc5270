import Bytes

/// A span in which a track has nothing that was received.
public struct MediaGap: Equatable, Sendable {
    public enum Cause: UInt8, Sendable {
        /// Nothing came for it, and the source's stamps went on: a stall, or sound that was not sent.
        case silence = 1
        /// The source's stamps jumped.
        case jump = 2
        /// The publisher was away.
        case away = 3
        /// This consumer was too slow for the feed.
        case missed = 4
        /// The gateway was started again.
        case restart = 5
        /// It was left out by request: such a one is not told, since the recording has no gap there.
        case pause = 6
    }

    /// ``TimelineTrack/index``.
    public var track: Int
    /// Nanoseconds since the timeline's zero.
    public var from: Int64
    /// Nanoseconds.
    public var length: Int64
    public var cause: Cause
    /// Frames of silence stand in it; else the sample before it lasts longer, or nothing does.
    public var isFilled: Bool

    /// Sound that is missing for less than this is no gap but jitter, unless something happened to the source.
    static let shortestSound: Int64 = 100_000_000
    /// A picture may last this long before it is a gap, in nanoseconds.
    static let longestPicture: Int64 = 2_000_000_000
}

/// The gaps of one timeline: how many, how long, and the latest of them.
struct GapLog: Equatable, Sendable {
    /// Gaps that are kept one by one.
    static let limit = 100

    var count: Int64 = 0
    /// The time in which any track had a gap, in nanoseconds.
    var time: Int64 = 0
    /// Frames of silence that were made.
    var filled: Int64 = 0
    private(set) var latest: [MediaGap] = []
    /// Where the furthest gap ends.
    private var end: Int64 = .min

    mutating func add(_ gap: MediaGap) {
        let gapEnd = gap.from &+ gap.length
        count &+= 1
        time &+= max(0, gapEnd &- max(gap.from, end))
        end = max(end, gapEnd)
        latest.append(gap)
        if latest.count > Self.limit { latest.removeFirst() }
    }
}

extension GapLog {
    func encode(into bytes: inout [UInt8]) {
        for value in [count, time, end, filled] { bytes.append(uint64: UInt64(bitPattern: value)) }
        bytes.append(UInt8(clamping: latest.count))
        for gap in latest {
            bytes += [UInt8(clamping: gap.track), gap.cause.rawValue, gap.isFilled ? 1 : 0]
            for value in [gap.from, gap.length] { bytes.append(uint64: UInt64(bitPattern: value)) }
        }
    }

    init?(reading reader: inout ByteReader) {
        guard let count = reader.uint64(), let time = reader.uint64(), let end = reader.uint64(),
            let filled = reader.uint64(), let kept = reader.uint8()
        else { return nil }
        self.count = Int64(bitPattern: count)
        self.time = Int64(bitPattern: time)
        self.end = Int64(bitPattern: end)
        self.filled = Int64(bitPattern: filled)
        for _ in 0..<kept {
            guard let track = reader.uint8(), let cause = reader.uint8().flatMap(MediaGap.Cause.init),
                let isFilled = reader.uint8(), let from = reader.uint64(), let length = reader.uint64()
            else { return nil }
            latest.append(
                MediaGap(
                    track: Int(track), from: Int64(bitPattern: from), length: Int64(bitPattern: length), cause: cause,
                    isFilled: isFilled != 0))
        }
    }
}
