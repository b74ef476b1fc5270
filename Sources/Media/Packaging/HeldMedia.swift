import Feed

/// What came before the file could begin: its zero is the first video key frame, and its header waits for the tracks that
/// are published but not yet described.
struct HeldMedia: Sendable {
    /// Sound that is kept while a picture is waited for, in nanoseconds of room time.
    private static let soundKept: Int64 = 2_000_000_000
    /// Records, and bytes of sound, that are kept meanwhile at most: stamps that stand still pass no time.
    private static let soundLimit = (records: 16_384, bytes: 8 << 20)
    /// Bytes that are held at most; then the file begins with what is there.
    private static let byteLimit = 64 << 20

    /// Where a file can begin.
    struct Start: Equatable {
        var track: TrackNumber
        /// Whether that is a picture.
        var isVideo: Bool
        /// Index in ``records`` of the unit that it begins with.
        var index: Int
    }

    /// The room as it was before the first record of ``records``.
    private(set) var base: RecordedRoom
    private(set) var records: [Record] = []
    /// Units that came and could not be decoded.
    private(set) var skipped: Int64 = 0
    private var byteCount = 0
    private var firstKey: Start?
    private var firstSound: Start?
    private var hasPicture = false
    /// Room time of the first unit.
    private var since: Int64?

    init(base: RecordedRoom) { self.base = base }

    mutating func receive(_ record: Record, _ room: RecordedRoom) {
        switch record.body {
        case .packet: break
        case .event(let event): receive(event, record, room)
        case .unit(let unit):
            guard unit.rendition == 0, let track = room.tracks[unit.track], !unit.bytes.isEmpty,
                let configuration = track.configurations[unit.configuration],
                SampleCoding.of(configuration) != nil, configuration.record.count <= PlacedMedia.configurationLimit
            else { return }
            since = since ?? record.time
            receive(unit, record, isVideo: track.info.kind == .video)
        }
    }

    private mutating func receive(_ event: RoomEvent, _ record: Record, _ room: RecordedRoom) {
        if case .missed = event {  // what is held has a hole: begin behind it
            self = HeldMedia(base: room)
        } else if records.isEmpty {
            base.apply(event)
        } else {
            records.append(record)
        }
    }

    private mutating func receive(_ unit: Unit, _ record: Record, isVideo: Bool) {
        hasPicture = hasPicture || isVideo
        let start = Start(track: unit.track, isVideo: isVideo, index: records.count)
        if isVideo && firstKey == nil {
            guard unit.isKey else {
                skipped += 1
                return
            }
            firstKey = start
        }
        if !isVideo && firstSound == nil { firstSound = start }
        records.append(record)
        byteCount += unit.bytes.count
        if firstKey == nil && hasPicture { dropOldSound(before: record.time &- Self.soundKept) }
    }

    /// Drops what is older than `time` once as much again has gathered, so that a flood of sound costs little for each.
    private mutating func dropOldSound(before time: Int64) {
        let isOver = records.count > Self.soundLimit.records || byteCount > Self.soundLimit.bytes
        guard let first = records.first, isOver || first.time < time &- Self.soundKept else { return }
        let old = records.firstIndex { $0.time >= time } ?? records.count
        let count = isOver ? max(old, records.count / 2) : old
        for record in records[..<count] {
            switch record.body {
            case .event(let event): base.apply(event)
            case .unit(let unit): byteCount -= unit.bytes.count
            case .packet: break
            }
        }
        records.removeFirst(count)
        firstSound = nil
        for (index, record) in records.enumerated() {
            guard case .unit(let unit) = record.body else { continue }
            firstSound = Start(track: unit.track, isVideo: false, index: index)
            break
        }
    }

    /// Where the file begins, if it can by now.
    /// - Parameter isLast: nothing more will come.
    func start(at roomTime: Int64, wait: Int64, _ room: RecordedRoom, isLast: Bool) -> Start? {
        guard let since else { return nil }
        let isOver = isLast || roomTime &- since >= wait || byteCount > Self.byteLimit
        let isComplete = room.published.allSatisfy { $0.info.form == .packets || !$0.configurations.isEmpty }
        if let firstKey { return isComplete || isOver ? firstKey : nil }
        return isOver && (!hasPicture || isLast) ? firstSound : nil
    }

    /// When ``start(at:wait:_:isLast:)`` may answer otherwise, in room time.
    func deadline(wait: Int64) -> Int64? { since.map { $0 &+ wait } }
}
