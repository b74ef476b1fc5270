public import Feed
import Timing

/// The part of a room's feed that is still held: from the oldest position that a durable consumer has not acknowledged,
/// never less than the last GOP, never more than ``Limits`` (DESIGN section 1).
///
/// Positions rise by one; a consumer is a cursor. Nobody waits for a consumer: one that falls behind the limits is told
/// with a `missed` event and goes on at the oldest key frame held.
public struct FeedRing: Sendable {
    public struct Limits: Equatable, Sendable {
        /// Bytes of memory that the feed of one room takes, at most.
        public var bytes: Int
        /// Room time held, at most.
        public var span: Duration
        /// How far a live consumer may lag before it is cut to a key frame.
        public var liveLag: Duration

        public init(bytes: Int = 64 << 20, span: Duration = .seconds(30), liveLag: Duration = .seconds(2)) {
            self.bytes = bytes
            self.span = span
            self.liveLag = liveLag
        }
    }

    /// Lower ones take effect with the next key frame.
    public var limits: Limits {
        didSet {
            spanNanoseconds = limits.span.nanoseconds
            liveLagNanoseconds = limits.liveLag.nanoseconds
        }
    }
    /// The oldest position held, and the position that the next record gets.
    public private(set) var oldest: UInt64 = 0
    public private(set) var next: UInt64 = 0
    /// Bytes of media held now.
    public private(set) var byteCount = 0
    /// Bytes of memory that the records held take, counted high: what ``Limits/bytes`` bounds. Else a stranger's stream of
    /// one-byte units, or of ever new configurations, would take many times the limit.
    private var memory = 0
    /// Records that went before every durable consumer had acknowledged them.
    public private(set) var droppedRecords: UInt64 = 0
    public private(set) var state = RoomState()

    /// The state just before `oldest`.
    private var oldestState = RoomState()
    /// A circular buffer: the record at `position` stands at `position & mask`.
    private var slots: [Record?] = Array(repeating: nil, count: 256)
    /// The room times of the oldest record held and of the newest, if there are any: asked at each append.
    private var oldestTime: Int64 = 0
    private var newestTime: Int64 = 0
    /// The tracks with pictures, of which there are few.
    private var videoTracks: [TrackNumber] = []
    /// The latest key frame of each video track.
    private var lastKey: [TrackNumber: UInt64] = [:]
    private var acknowledged: [Int: UInt64] = [:]
    /// Where live consumers stand.
    private var followers: [Int: UInt64] = [:]
    private var lastConsumer = 0
    /// Of `limits.span`: kept, since a Duration is converted by a division of 128 bits.
    private var spanNanoseconds: Int64
    private var liveLagNanoseconds: Int64

    public init(limits: Limits = Limits()) {
        self.limits = limits
        spanNanoseconds = limits.span.nanoseconds
        liveLagNanoseconds = limits.liveLag.nanoseconds
    }

    // MARK: Writing

    /// Adds a record at room time `time` (nanoseconds) and lets go of what nobody needs.
    @discardableResult
    public mutating func append(_ body: Record.Body, time: Int64) -> UInt64 {
        let position = next
        if next - oldest == UInt64(slots.count) { grow() }
        let slot = slot(position)
        slots[slot] = Record(position: position, time: time, body: body)
        if oldest == next { oldestTime = time }
        newestTime = time
        next += 1
        memory += Self.memory(of: body)
        var mayBeNeededLess = lastKey.isEmpty || !followers.isEmpty
        switch body {
        case .event(let event):
            apply(event)
            mayBeNeededLess = true
        case .unit(let unit):
            byteCount += unit.bytes.count
            if unit.isKey, noteKey(unit.track, at: position) { mayBeNeededLess = true }
        case .packet(let packet):
            byteCount += packet.bytes.count
            if packet.isKey, noteKey(packet.track, at: position) { mayBeNeededLess = true }
        }
        // Most records end no group of pictures: then only the limits count.
        if mayBeNeededLess { trim() } else { enforceLimits() }
        return position
    }

    private mutating func apply(_ event: RoomEvent) {
        state.apply(event)
        switch event {
        case .published(let info):
            if info.kind == .video, !videoTracks.contains(info.number) { videoTracks.append(info.number) }
        case .unpublished(let track):
            lastKey[track] = nil
            videoTracks.removeAll { $0 == track }
        case .left:
            lastKey = lastKey.filter { state.tracks[$0.key] != nil }
            videoTracks.removeAll { state.tracks[$0] == nil }
        default: break
        }
    }

    /// - Returns: whether a group of pictures has begun.
    private mutating func noteKey(_ track: TrackNumber, at position: UInt64) -> Bool {
        guard videoTracks.contains(track) else { return false }
        lastKey[track] = position
        return true
    }

    // MARK: Durable consumers

    /// Keeps the feed from `position` on, as far as the limits allow, until ``release(_:)``.
    /// - Returns: the consumer's number for ``acknowledge(_:through:)``.
    public mutating func retain(from position: UInt64) -> Int {
        lastConsumer += 1
        acknowledged[lastConsumer] = position
        return lastConsumer
    }

    /// Everything before `position` is safe with this consumer.
    public mutating func acknowledge(_ consumer: Int, before position: UInt64) {
        guard let known = acknowledged[consumer], position > known else { return }
        acknowledged[consumer] = min(position, next)
        trim()
    }

    /// The oldest position that the consumer still needs.
    public func needed(by consumer: Int) -> UInt64? { acknowledged[consumer] }

    public mutating func release(_ consumer: Int) {
        acknowledged[consumer] = nil
        followers[consumer] = nil
        trim()
    }

    // MARK: Live consumers

    /// Keeps what a live consumer at `position` has not read, but never more than ``Limits/liveLag``: a GOP may end, and
    /// its key frame's successor come, before the consumer's next turn. Until ``release(_:)``.
    public mutating func follow(from position: UInt64) -> Int {
        lastConsumer += 1
        followers[lastConsumer] = position
        return lastConsumer
    }

    /// The live consumer has read everything before `position`.
    public mutating func advance(_ follower: Int, to position: UInt64) {
        if followers[follower] != nil { followers[follower] = position }
    }

    // MARK: Reading

    public func record(at position: UInt64) -> Record? {
        position >= oldest && position < next ? slots[slot(position)] : nil
    }

    /// The state just before `position`, for a consumer that begins there.
    public func state(before position: UInt64) -> RoomState {
        var state = oldestState
        var at = oldest
        while at < min(position, next) {
            if case .event(let event) = slots[slot(at)]?.body { state.apply(event) }
            at += 1
        }
        return state
    }

    /// Where a consumer of `selection` begins for `start`: at or before the present GOP of each of its video tracks.
    public func position(for start: Subscribe.Start, of selection: Subscribe.Selection) -> UInt64 {
        let keys = state.tracks(in: selection).compactMap { lastKey[$0.info.number] }
        switch start {
        case .gop: return max(keys.min() ?? next, oldest)
        case .live: return next
        case .position(let position): return min(position, next)
        case .preroll(let nanoseconds):
            guard next > oldest else { return next }
            let wanted = firstKey(since: newestTime &- nanoseconds, of: selection)
            return wanted ?? max(keys.min() ?? next, oldest)
        }
    }

    /// The latest position at which every selected video track has begun a GOP; where a lagging live consumer is cut to.
    public func cutPosition(of selection: Subscribe.Selection) -> UInt64? {
        state.tracks(in: selection).compactMap { lastKey[$0.info.number] }.min()
    }

    private func firstKey(since time: Int64, of selection: Subscribe.Selection) -> UInt64? {
        for position in oldest..<next {
            guard let record = slots[slot(position)], record.time >= time, case .unit(let unit) = record.body,
                unit.isKey, let track = state.tracks[unit.track], track.info.kind == .video,
                state.selects(track.info, by: selection)
            else { continue }
            return position
        }
        return nil
    }

    // MARK: Holding

    private func slot(_ position: UInt64) -> Int { Int(truncatingIfNeeded: position) & (slots.count - 1) }

    private mutating func grow() {
        var larger = [Record?](repeating: nil, count: slots.count * 2)
        for position in oldest..<next {
            larger[Int(truncatingIfNeeded: position) & (larger.count - 1)] = slots[slot(position)]
        }
        slots = larger
    }

    private mutating func trim() {
        let gop = lastKey.values.min() ?? next
        let needed = min(gop, acknowledged.values.min() ?? next)
        let unread = followers.values.min() ?? next
        while oldest < needed, oldest < unread || isBeyondLiveLag { dropOldest() }
        enforceLimits()
    }

    private mutating func enforceLimits() {
        guard isOverLimit else { return }
        let before = oldest
        repeat { dropOldest() } while oldest < next && (isOverLimit || !isCut(oldest))
        droppedRecords += oldest - before
    }

    private var isBeyondLiveLag: Bool {
        guard next > oldest else { return true }
        return heldSpan > liveLagNanoseconds
    }

    private var isOverLimit: Bool {
        guard memory <= limits.bytes else { return true }
        return next > oldest && heldSpan > spanNanoseconds
    }

    /// Room time between the oldest and the newest record; there must be one.
    private var heldSpan: Int64 { newestTime &- oldestTime }

    /// Whole GOPs go: the feed may begin at a key frame of video, or anywhere when there is no video.
    private func isCut(_ position: UInt64) -> Bool {
        guard !lastKey.isEmpty else { return true }
        guard case .unit(let unit) = slots[slot(position)]?.body else { return false }
        return unit.isKey && lastKey[unit.track] != nil
    }

    /// A slot, and the header of the array that holds the bytes.
    private static let recordOverhead = 192

    private static func memory(of body: Record.Body) -> Int {
        switch body {
        case .event(.configuration(_, _, let configuration)): recordOverhead + configuration.record.count
        case .event(.layout(let text)): recordOverhead + text.utf8.count
        case .event: recordOverhead
        case .unit(let unit): recordOverhead + unit.bytes.count
        case .packet(let packet): recordOverhead + packet.bytes.count
        }
    }

    private mutating func dropOldest() {
        var dropped: Record?
        swap(&dropped, &slots[slot(oldest)])  // taken, not copied
        oldest += 1
        if oldest < next, let time = slots[slot(oldest)]?.time { oldestTime = time }
        guard let dropped else { return }
        memory -= Self.memory(of: dropped.body)
        switch dropped.body {
        case .event(let event): oldestState.apply(event)
        case .unit(let unit): byteCount -= unit.bytes.count
        case .packet(let packet): byteCount -= packet.bytes.count
        }
    }
}
