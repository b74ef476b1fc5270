import Bytes

/// The room at one place of a tape: with it a reader begins there, and a writer goes on.
public struct TapeSnapshot: Equatable, Sendable {
    /// The place of the snapshot before it; 0 for none.
    public var previous: UInt64
    /// Wall time of the last record before it, in nanoseconds since 1970.
    public var time: Int64
    /// Where the feed goes on: all records before this one stand before the snapshot.
    public var position: UInt64
    /// Room time of the last record before it.
    public var roomTime: Int64
    public var identity: TapeIdentity
    /// The events that make the room's state (``RoomState/snapshot``).
    public var events: [RoomEvent]
    public var summary: TapeSummary

    func encode(into bytes: inout [UInt8]) {
        bytes.append(uint64: previous)
        bytes.append(uint64: UInt64(bitPattern: time))
        bytes.append(uint64: position)
        bytes.append(field: 1, roomTime)
        bytes.append(field: 2) { identity.encode(into: &$0) }
        for event in events { bytes.append(field: 3) { event.encode(into: &$0) } }
        bytes.append(field: 4) { summary.encode(into: &$0) }
    }

    static func decode(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> TapeSnapshot {
        guard bytes.count >= TapeFormat.snapshotHeadBytes else { throw .truncated }
        let fields = try Fields(parsing: bytes.dropFirst(TapeFormat.snapshotHeadBytes))
        var events: [RoomEvent] = []
        for slice in try fields.slices(3) {
            if let event = try RoomEvent.decode(slice) { events.append(event) }
        }
        return TapeSnapshot(
            previous: bytes.span.uint64(at: 0), time: Int64(bitPattern: bytes.span.uint64(at: 8)),
            position: bytes.span.uint64(at: 16), roomTime: try fields.int64(1),
            identity: try TapeIdentity(Fields(parsing: try fields.bytes(2))), events: events,
            summary: try TapeSummary(Fields(parsing: try fields.bytes(4))))
    }

    /// The room's state by its events.
    public var state: RoomState {
        var state = RoomState()
        for event in events { state.apply(event) }
        return state
    }
}

/// Where the snapshots of a tape stand, in their order; the last one is of its end. Written when a tape is finished.
public struct TapeIndex: Equatable, Sendable {
    public struct Entry: Equatable, Sendable {
        /// Of the snapshot's frame in the file.
        public var offset: UInt64
        /// As in the snapshot.
        public var time: Int64
        public var position: UInt64

        public init(offset: UInt64, time: Int64, position: UInt64) {
            self.offset = offset
            self.time = time
            self.position = position
        }
    }

    public var entries: [Entry]

    func encode(into bytes: inout [UInt8], at offset: UInt64) {
        bytes.append(uint32: UInt32(clamping: entries.count))
        for entry in entries {
            bytes.append(uint64: entry.offset)
            bytes.append(uint64: UInt64(bitPattern: entry.time))
            bytes.append(uint64: entry.position)
        }
        bytes.append(uint64: offset)
        bytes.append(contentsOf: TapeFormat.trailer)
    }

    static func decode(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> TapeIndex {
        let span = bytes.span
        guard span.count >= 4 + TapeFormat.trailerBytes else { throw .truncated }
        let count = Int(span.uint32(at: 0))
        guard count == (span.count - 4 - TapeFormat.trailerBytes) / TapeFormat.entryBytes else {
            throw .malformed("an index of another length")
        }
        let entries = (0..<count).map { number in
            let start = 4 + number * TapeFormat.entryBytes
            return Entry(
                offset: span.uint64(at: start), time: Int64(bitPattern: span.uint64(at: start + 8)),
                position: span.uint64(at: start + 16))
        }
        return TapeIndex(entries: entries)
    }
}
