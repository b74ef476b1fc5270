import Bytes

/// Makes the bytes of a tape, without doing any I/O: append what ``takeBytes()`` gives to the file, in order.
public struct TapeWriter: Sendable {
    /// Nanoseconds of room time between two snapshots, and how many times its own length must stand between them.
    static let snapshotInterval: Int64 = 10_000_000_000
    static let snapshotShare: UInt64 = 32

    public private(set) var identity: TapeIdentity
    public private(set) var summary: TapeSummary
    /// The position from which the feed goes on once all bytes are on disk; `nil` before the first record of this run.
    public private(set) var nextPosition: UInt64?
    /// All bytes of the tape, with those that were not taken yet.
    public private(set) var byteCount: UInt64
    private let mark: UInt32
    private var state: RoomState
    private var roomTime: Int64
    private var entries: [TapeIndex.Entry]
    private var lastSnapshot: (roomTime: Int64, offset: UInt64, length: UInt64)?
    private var bytes: [UInt8] = []

    /// Begins an empty tape.
    /// - Parameter mark: a random number; see `TapeFormat`.
    public init(_ identity: TapeIdentity, mark: UInt32) {
        self.identity = identity
        self.mark = mark
        summary = TapeSummary()
        state = RoomState()
        roomTime = .min
        entries = []
        byteCount = 0
        TapeFormat.appendPreamble(to: &bytes)
        byteCount = UInt64(bytes.count)
        writeIdentity()
    }

    /// Goes on behind what an earlier attempt left; cut the file to ``TapeTail/byteCount`` first.
    /// - Parameter feedIsNew: the room's feed began anew meanwhile.
    public init(adopting tail: TapeTail, _ identity: TapeIdentity) {
        mark = tail.mark
        summary = tail.summary
        state = tail.state
        roomTime = tail.roomTime
        entries = tail.entries
        byteCount = tail.byteCount
        nextPosition = tail.nextPosition
        self.identity = identity
        self.identity.run = tail.identity.run
        writeIdentity()
    }

    /// The epoch of the room whose feed it holds, in nanoseconds since 1970; `nil` before a `clock` event told it.
    public var epoch: Int64? { state.epoch }

    /// Adds the next record of the feed. Media that stands on the tape already is left out. A `clock` event with another epoch
    /// begins a run.
    public mutating func append(_ record: Record) {
        if case .event(let event) = record.body {
            if case .clock(let epoch) = event, let known = state.epoch, known != epoch { beginRun() }
            nextPosition = max(nextPosition ?? 0, record.position)
        } else {
            if let nextPosition, record.position < nextPosition { return }
            if isSnapshotDue(before: record) { writeSnapshot(at: record.time) }
            nextPosition = record.position &+ 1
        }
        roomTime = max(roomTime, record.time)
        summary.add(record)
        if case .event(let event) = record.body { state.apply(event) }
        write(.record) { record.encode(into: &$0) }
    }

    /// The records before `position` were left out, as asked.
    public mutating func leaveOut(to position: UInt64, time: Int64) {
        guard let from = nextPosition, from < position else { return }
        add(TapeNote(.pause(from: from, to: position), time: summary.wallTime(time)))
        nextPosition = position
    }

    /// Names this place.
    public mutating func mark(_ name: String) {
        add(TapeNote(.marker(name), time: roomTime == .min ? identity.openedAt : summary.wallTime(roomTime)))
    }

    private mutating func add(_ note: TapeNote) {
        summary.add(note)
        write(.note) { note.encode(into: &$0) }
    }

    private mutating func beginRun() {
        identity.run &+= 1
        nextPosition = nil
        state = RoomState()
        roomTime = .min
        summary.beginRun(identity.run)
        writeIdentity()
    }

    /// Ends the tape with its index. It may still be adopted.
    public mutating func finish() {
        writeSnapshot(at: roomTime)
        let index = TapeIndex(entries: entries)
        let offset = byteCount
        write(.index) { index.encode(into: &$0, at: offset) }
    }

    /// What is to be appended to the file now.
    public mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Bytes that wait to be taken.
    public var waitingBytes: Int { bytes.count }

    private func isSnapshotDue(before record: Record) -> Bool {
        guard let last = lastSnapshot else { return true }
        let isOld = record.time &- last.roomTime >= Self.snapshotInterval || record.time < last.roomTime
        return isOld && byteCount &- last.offset >= last.length &* Self.snapshotShare
    }

    private mutating func writeIdentity() {
        let identity = identity
        write(.identity) { identity.encode(into: &$0) }
    }

    private mutating func writeSnapshot(at present: Int64) {
        let time = roomTime == .min ? identity.openedAt : summary.wallTime(roomTime)
        let offset = byteCount
        let snapshot = TapeSnapshot(
            previous: entries.last?.offset ?? 0, time: time, position: nextPosition ?? 0, roomTime: max(roomTime, 0),
            identity: identity, events: state.snapshot, summary: summary)
        write(.snapshot) { snapshot.encode(into: &$0) }
        entries.append(TapeIndex.Entry(offset: offset, time: time, position: snapshot.position))
        lastSnapshot = (present, offset, byteCount - offset)
    }

    private mutating func write(_ kind: TapeFormat.Kind, _ body: (inout [UInt8]) -> Void) {
        let before = bytes.count
        TapeFormat.appendFrame(kind, mark: mark, to: &bytes, body)
        byteCount &+= UInt64(bytes.count - before)
    }
}
