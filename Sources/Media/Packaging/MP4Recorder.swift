public import Feed
public import ISOBMFF
import Timing

/// Writes a feed into one hybrid MP4 file (DESIGN section 4), without doing any I/O.
///
/// After **every** input the owner drains ``pollOutput()`` until it says `wait`. The file must be empty at the start, or,
/// for an adopted one, be cut to ``HybridFile/byteCount``.
public struct MP4Recorder: Sendable {
    private let options: Options
    private var room: RecordedRoom
    /// What came before the file began.
    private var held: HeldMedia
    private var file: RecordingFile?
    /// What a full file did not take: the next part begins with it.
    private var refused: [Record] = []
    private var isFull = false
    private var isOver = false
    private var roomTime: Int64 = .min
    private var outputs: [Output] = []
    private var warned: Set<TrackNumber> = []

    /// Begins an empty file.
    public init(options: Options = Options()) {
        self.init(options: options, room: RecordedRoom(selection: options.selection))
    }

    private init(options: Options, room: RecordedRoom) {
        self.options = options
        self.room = room
        held = HeldMedia(base: room)
    }

    /// Goes on in a file that an earlier attempt left. Subscribe from ``nextPosition``.
    /// - Returns: `nil` if the file holds no state of ours: begin anew.
    public init?(adopting file: HybridFile, options: Options = Options()) {
        self.init(options: options)
        guard let resume = ResumeState(decoding: file.resumeState),
            let adopted = RecordingFile(adopting: file, resume, options: options)
        else { return nil }
        room.apply(.clock(epoch: resume.epoch))
        room.clocks = resume.clocks
        for track in resume.tracks { room.adopt(track) }
        self.file = adopted
    }

    /// The feed's position from which the file goes on: all before it is in the file. `nil` before the first fragment.
    public var nextPosition: UInt64? { file.map(\.safePosition) }

    /// The feed whose position that is, by its epoch (nanoseconds since 1970).
    public var epoch: Int64? { file?.epoch }

    /// What was counted so far.
    public var statistics: RecorderStatistics {
        if let file { return file.statistics }
        var statistics = RecorderStatistics()
        statistics.unitsSkipped = held.skipped
        return statistics
    }

    // MARK: Inputs

    /// Takes the next record of the feed. Records are given in order.
    public mutating func receive(_ record: Record) {
        guard !isOver else { return }
        guard !isFull else { return refused.append(record) }
        if case .event(.clock(let epoch)) = record.body, let known = file?.epoch, epoch != known {
            return begin(epoch, record)
        }
        roomTime = max(roomTime, record.time)
        if file == nil {
            hold(record)
        } else {
            write(record)
        }
    }

    /// Moves room time (nanoseconds) forward. Call it after each batch of records, and when `wait(until:)` is over:
    /// a first frame is not held back once this was called.
    public mutating func advance(to roomTime: Int64) {
        guard !isOver, !isFull else { return }
        self.roomTime = max(self.roomTime, roomTime)
        if file == nil { begin(isLast: false) }
        file?.advance(to: self.roomTime, room.clocks)
    }

    /// Ends the recording: writes what is held and turns the file into an ordinary MP4.
    public mutating func finish() {
        guard !isOver else { return }
        if file == nil, !isFull { begin(isLast: true) }
        isOver = true
        if file == nil {
            outputs.append(.finished(statistics))
        } else {
            file?.finish(room.clocks)
        }
    }

    /// The recorder that goes on in the next file after `full`. It has taken what did not fit here.
    public func nextPart() -> MP4Recorder {
        var next = MP4Recorder(options: options, room: room)
        for record in refused { next.receive(record) }
        return next
    }

    // MARK: Outputs

    /// The next thing to do, oldest first. Call until it returns `wait`.
    public mutating func pollOutput() -> Output {
        if !outputs.isEmpty { return outputs.removeFirst() }
        if file?.outputs.isEmpty == false, let output = file?.outputs.removeFirst() { return output }
        if isOver || isFull { return .wait(until: nil) }
        return .wait(until: file == nil ? held.deadline(wait: options.headerWait.nanoseconds) : file?.deadline)
    }

    /// The room began anew: the file goes on with it, after a gap.
    private mutating func begin(_ epoch: Int64, _ record: Record) {
        guard file?.rebase(onto: epoch, at: record, room.clocks) == true else { return refuse(record, .newEpoch) }
        room = RecordedRoom(selection: options.selection)
        room.apply(.clock(epoch: epoch))
        roomTime = record.time
    }

    // MARK: Before the file

    private mutating func hold(_ record: Record) {
        if case .event(let event) = record.body { room.apply(event) }
        warnOfPackets()
        held.receive(record, room)
        begin(isLast: false)
    }

    private mutating func warnOfPackets() {
        for track in room.published where track.info.form == .packets {
            guard warned.insert(track.info.number).inserted else { continue }
            outputs.append(.warning(.packets(room.name(of: track.info))))
        }
    }

    /// Begins the file, if all is there that it needs, with what was held.
    private mutating func begin(isLast: Bool) {
        let wait = options.headerWait.nanoseconds
        guard let start = held.start(at: roomTime, wait: wait, room, isLast: isLast) else { return }
        let latest = room
        let records = held.records
        room = held.base
        for record in records[..<start.index] { if case .event(let event) = record.body { room.apply(event) } }
        guard var file = makeFile(start, records[start.index], latest) else {
            room = latest
            held = HeldMedia(base: latest)
            return
        }
        file.note(roomTime)
        self.file = file
        let clocks = room.clocks.filter { held.base.clocks[$0.key] == nil && $0.value.announced == .min }
        room = held.base
        room.clocks.merge(clocks) { $1 }
        held = HeldMedia(base: room)
        for record in records { isFull ? refused.append(record) : write(record) }
    }

    /// The file whose zero is the unit of `record`, with the tracks that the `latest` room knows.
    private mutating func makeFile(
        _ start: HeldMedia.Start, _ record: Record, _ latest: RecordedRoom
    ) -> RecordingFile? {
        guard case .unit(let unit) = record.body, let track = room.tracks[unit.track],
            let configuration = track.configurations[unit.configuration]
        else { return nil }
        let scale = Int64(configuration.timescale)
        func nanoseconds(_ stamp: Int64) -> Int64 { SampleClock.scale(stamp, from: scale, to: 1_000_000_000) }
        let clock = room.clock(of: track.info.participant, stamp: nanoseconds(unit.dts), at: record.time)
        let zero = nanoseconds(unit.pts) &+ clock.offset
        var file = RecordingFile(options: options, epoch: latest.epoch ?? 0, zero: zero, position: record.position)
        guard file.canAdd(track, configuration, room), let coding = SampleCoding.of(configuration)?.coding else {
            outputs += file.outputs
            return nil
        }
        let reorder = SampleClock.scale(unit.pts &- unit.dts, from: scale, to: Int64(coding.timescale))
        guard file.add(track, configuration, origin: start.isVideo ? max(0, reorder) : nil, room) else { return nil }
        for other in latest.published where other.info.number != unit.track && other.info.form == .units {
            let known = room.tracks[other.info.number]?.configurations ?? [:]
            guard let first = (known.isEmpty ? other.configurations : known).values.min(by: { $0.id < $1.id }) else {
                continue
            }
            if file.canAdd(other, first, latest) { _ = file.add(other, first, origin: nil, latest) }
        }
        return file
    }

    // MARK: Into the file

    private mutating func write(_ record: Record) {
        file?.note(record.time)
        switch record.body {
        case .packet: break
        case .event(let event):
            room.apply(event)
            warnOfPackets()
            file?.apply(event, room)
            file?.pass(upTo: record.position)
        case .unit(let unit):
            guard file?.write(unit, record, &room) != .full else { return refuse(record, .headerReserve) }
            file?.pass(upTo: record.position &+ 1)
        }
    }

    private mutating func refuse(_ record: Record, _ reason: FullReason) {
        isFull = true
        refused.append(record)
        file?.outputs.append(.full(reason))
    }
}
