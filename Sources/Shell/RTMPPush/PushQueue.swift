public import Timing

/// What waits for one destination: bounded in bytes and in age, cut to a key frame when it falls behind. Whatever is
/// dropped, what remains begins with a key frame, so that it decodes.
public struct PushQueue: Sendable {
    public static let byteLimit = 8 << 20
    /// Longer than this nothing waits if there is a later key frame to go on from.
    public static let lagLimit = Duration.seconds(2)

    private var frames: [(frame: PushFrame, arrival: Instant)] = []
    private var head = 0
    private var needsKey = true
    public private(set) var byteCount = 0
    /// Frames that were dropped, beside those before the very first key frame.
    public private(set) var lostFrames: Int64 = 0
    private var hasBegun = false
    /// A stream without pictures begins anywhere.
    public var hasVideo = false

    public init() {}

    public var isEmpty: Bool { head == frames.count }

    public mutating func append(_ frame: PushFrame, at now: Instant) {
        if needsKey {
            guard canBegin(frame) else {
                if hasBegun { lostFrames += 1 }
                return
            }
            needsKey = false
            hasBegun = true
        }
        frames.append((frame, now))
        byteCount += frame.byteCount
        if byteCount > Self.byteLimit { cut() }
        if head < frames.count, now - frames[head].arrival > Self.lagLimit, let key = lastKey, key > head {
            drop(to: key)
        }
    }

    public mutating func popFirst() -> PushFrame? {
        guard head < frames.count else { return nil }
        let frame = frames[head].frame
        byteCount -= frame.byteCount
        head += 1
        if head == frames.count || head >= 64 {
            frames.removeFirst(head)
            head = 0
        }
        return frame
    }

    /// A new connection begins: what it is given first must decode alone.
    public mutating func begin() {
        if let key = (head..<frames.count).first(where: { canBegin(frames[$0].frame) }) { return drop(to: key) }
        drop(to: frames.count)
        needsKey = true
    }

    private var lastKey: Int? { (head..<frames.count).last { canBegin(frames[$0].frame) } }

    private func canBegin(_ frame: PushFrame) -> Bool { hasVideo ? frame.kind == .video && frame.isKey : true }

    private mutating func cut() {
        if let key = lastKey, key > head {
            drop(to: key)
        }
        if byteCount > Self.byteLimit {
            drop(to: frames.count)
            needsKey = true
        }
    }

    private mutating func drop(to index: Int) {
        for position in head..<index { byteCount -= frames[position].frame.byteCount }
        lostFrames += Int64(index - head)
        frames.removeFirst(index)
        head = 0
    }
}
