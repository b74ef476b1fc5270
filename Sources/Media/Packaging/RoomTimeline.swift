public import Feed
import ISOBMFF
import Timing

/// Turns a room's feed into samples that stand at their times (DESIGN section 3): what every file, segmenter and exporter
/// of unit tracks is made from. It does no I/O and knows no container.
///
/// Give it each record in order, and room time after each batch; after **every** input drain ``pollOutput()`` until it
/// says `wait`:
///
///     timeline.receive(record)
///     timeline.advance(to: record.time)
///     while true {
///         switch timeline.pollOutput() {
///         case .began(let beginning): …        // the zero, in room time and in UTC
///         case .track(let track): …            // tracks[track.index]; its first entry is there
///         case .entry(let index, let entry): … // tracks[index].entries.append(entry)
///         case .sample(let sample): …          // with time, duration, entry and bytes
///         case .wait(let until): return        // call advance(to:) then, if nothing came before
///         …
///         }
///     }
///
/// A sample comes out when its successor showed how long it lasts, or with an estimate when none came for a second, its
/// track paused, or the owner called ``flush()``. All that was polled is the owner's: ``safePosition`` is where a later
/// attempt must read the feed from, and ``resumeBytes(without:)`` lets it go on there sample for sample. An owner that has
/// no place for what comes (a full header) calls ``close()`` and goes on with ``next()``.
public struct RoomTimeline: Sendable {
    private let options: Options
    var room: RecordedRoom
    /// What came before the beginning.
    private var held: HeldMedia
    var media: PlacedMedia?
    /// The record whose outputs are being polled.
    var current: Record?
    /// Records that came and were not looked at.
    var backlog: ArraySlice<Record> = []
    private var isAdvanceDue = false
    /// All was given out for a room that begins anew.
    private var isPaused = false
    private var isFinishing = false
    private var isOver = false
    /// Takes nothing more; what comes is for ``next()``.
    var isClosed = false
    var pausing = Pausing.no
    var isSplitDue = false
    var splitting: Splitting?
    private(set) var roomTime: Int64 = .min
    private var outputs: [Output] = []
    private var warned: Set<TrackNumber> = []

    public init(options: Options = Options()) {
        self.init(options: options, room: RecordedRoom(selection: options.selection))
    }

    private init(options: Options, room: RecordedRoom) {
        self.options = options
        self.room = room
        held = HeldMedia(base: room)
    }

    /// Goes on where an earlier attempt was, with the tracks and entries that its file has.
    /// - Returns: `nil` if the two do not match: begin anew.
    init?(resuming resume: ResumeState, tracks: [TimelineTrack], options: Options) {
        self.init(options: options)
        guard let media = PlacedMedia(options: options, resuming: resume, tracks) else { return nil }
        room.apply(.clock(epoch: resume.epoch))
        room.adopt(resume.clocks)
        for track in resume.tracks { room.adopt(track) }
        self.media = media
    }

    /// Goes on where ``resumeBytes(without:)`` was taken, with the ``tracks`` that it had then. Subscribe from
    /// ``safePosition``.
    /// - Returns: `nil` if the bytes are not ours, or do not match the tracks: begin anew.
    public init?(resuming bytes: [UInt8], tracks: [TimelineTrack], options: Options = Options()) {
        guard let resume = ResumeState(decoding: bytes) else { return nil }
        self.init(resuming: resume, tracks: tracks, options: options)
    }

    // MARK: What is known

    /// `nil` before the beginning.
    public var beginning: Beginning? { media?.beginning }

    /// The tracks, in the order of their indices.
    public var tracks: [TimelineTrack] { media?.tracks.map(\.track) ?? [] }

    /// The feed's position before which all was polled: read from there to go on. `nil` before the beginning.
    public var safePosition: UInt64? { media?.safePosition(without: queue) }

    /// Nothing of what comes is taken, up to ``resume()``.
    var isLeavingOut: Bool { pausing == .paused }

    var gaps: GapLog { media?.gaps ?? GapLog() }

    var forms: FormLog { media?.forms ?? FormLog() }

    var clock: RecorderStatistics.Clock? { media.map { RecorderStatistics.Clock($0, room) } }

    var counts: RecordingCounts {
        if let media { return media.counts }
        var counts = RecordingCounts()
        counts.unitsSkipped = held.skipped
        return counts
    }

    /// What a later attempt needs to go on behind all that was polled but for `sample`, which is in the owner's hand.
    func resume(without sample: PlacedSample?) -> ResumeState? {
        media?.resume(without: (sample.map { [$0] } ?? []) + queue, room.allClocks)
    }

    /// The same, for an owner that has `samples` in its hands; those of one track in their order.
    func resume(without samples: [PlacedSample]) -> ResumeState? {
        media?.resume(without: samples + queue, room.allClocks)
    }

    /// The same, to be kept beside what was written: opaque, some 100 bytes a track. `nil` before the beginning.
    public func resumeBytes(without sample: PlacedSample? = nil) -> [UInt8]? { resume(without: sample)?.encoded() }

    /// Samples that wait to be polled.
    private var queue: [PlacedSample] {
        media?.outputs.compactMap { if case .sample(let sample) = $0 { sample } else { nil } } ?? []
    }

    // MARK: Inputs

    /// Takes the next record of the feed. Records are given in order.
    public mutating func receive(_ record: Record) {
        guard !isOver else { return }
        backlog.append(record)
    }

    /// Moves room time (nanoseconds) forward. Call it after each batch of records, and when `wait(until:)` is over.
    public mutating func advance(to roomTime: Int64) {
        guard !isOver, !isClosed else { return }
        self.roomTime = max(self.roomTime, roomTime)
        isAdvanceDue = true
    }

    /// Gives out what is held, with estimated durations.
    public mutating func flush() {
        for index in media?.tracks.indices ?? 0..<0 { media?.flush(index) }
    }

    /// Takes out the held sample of the track at `index`, with an estimated duration.
    mutating func takeHeld(_ index: Int) -> PlacedSample? { media?.takeHeld(index) }

    /// Takes nothing more, not even the record whose outputs are being polled: it is for ``next()``.
    public mutating func close() {
        guard !isClosed else { return }
        isClosed = true
        guard let record = current.take() else { return }
        media?.takeBack(record)
        backlog = [record] + backlog
    }

    /// Nothing more will come: gives out what is held.
    public mutating func finish() { isFinishing = true }

    /// Leaves out what comes from here on, until ``resume()``: from the next place, half a second away at most, up to which
    /// all pictures and all sound are there. What came before is given out with a `paused`.
    public mutating func pause() {
        beginCut()
        if media == nil { held = HeldMedia(base: room) }
    }

    /// Goes on with the next key frame (or the next sound, where there is no picture), right behind what came before the
    /// pause: a `leftOut` says how much of the room's time is not there.
    public mutating func resume() {
        switch pausing {
        case .no, .resuming: break
        case .cutting(var cut):
            cut.isResumeDue = true
            pausing = .cutting(cut)
        case .paused: pausing = .resuming([])
        }
    }

    /// Ends at the next key frame (or sound, where there is no picture) with `split`; that key frame is the first of
    /// ``next()``. Nothing is lost between the two.
    public mutating func split() {
        if media != nil { isSplitDue = true }
    }

    /// The timeline that goes on after this one was closed. It has what did not fit here.
    public func next() -> RoomTimeline {
        var next = RoomTimeline(options: options, room: room)
        next.backlog = backlog
        next.pausing = pausing.behindCut
        return next
    }

    // MARK: Outputs

    /// The next that came of the inputs, oldest first. Call until it returns `wait`.
    public mutating func pollOutput() -> Output {
        repeat {
            if !outputs.isEmpty { return outputs.removeFirst() }
            if let output = media?.pollOutput() { return output }
        } while work()
        if isOver || isClosed { return .wait(until: nil) }
        guard let media else { return .wait(until: held.deadline(wait: options.startWait.nanoseconds)) }
        return .wait(until: [media.deadline, pausing.deadline].compactMap { $0 }.min())
    }

    /// Does the next thing that is due.
    /// - Returns: false when there is none.
    private mutating func work() -> Bool {
        current = nil
        if !isClosed, let record = backlog.popFirst() {
            current = record
            take(record)
        } else if isAdvanceDue {
            isAdvanceDue = false
            advance()
        } else if isFinishing, !isOver {
            end()
        } else {
            return false
        }
        return true
    }

    private mutating func take(_ record: Record) {
        if case .event(.clock(let epoch)) = record.body, let known = media?.beginning.epoch, epoch != known {
            return rebase(onto: epoch, record)
        }
        roomTime = max(roomTime, record.time)
        if media == nil { hold(record) } else { place(record) }
    }

    /// The room began anew: the timeline goes on with it, after a gap, once all that was held is polled.
    private mutating func rebase(onto epoch: Int64, _ record: Record) {
        endCut()
        guard media?.canRebase(onto: epoch, at: record) == true else {
            media?.outputs.append(.newEpoch(epoch))
            return close()
        }
        guard isPaused else {
            isPaused = true
            let numbers = media?.tracks.map(\.info.number) ?? []
            media?.pause(numbers)
            backlog = [record] + backlog
            return current = nil
        }
        isPaused = false
        media?.rebase(onto: epoch, at: record)
        let budgets = room.budgets
        room = RecordedRoom(selection: options.selection)
        room.budgets = budgets
        room.apply(.clock(epoch: epoch))
        roomTime = record.time
    }

    private mutating func advance() {
        if media != nil {
            if let deadline = pausing.deadline, roomTime > deadline { endCut() }
            media?.advance(to: roomTime)
        } else if begin(isLast: false) {
            isAdvanceDue = true  // once what was held is placed
        }
    }

    private mutating func end() {
        if media == nil, !isClosed, begin(isLast: true) { return }  // again, once what was held is placed
        isOver = true
        endCut()
        flush()
        if media == nil { outputs.append(.finished) } else { media?.outputs.append(.finished) }
    }

    // MARK: Before the beginning

    private mutating func hold(_ record: Record) {
        if case .event(let event) = record.body { room.apply(event) }
        warnOfPackets()
        if case .unit(let unit) = record.body, pausing != .no {
            guard case .resuming = pausing, room.isCut(unit) else { return }
            pausing = .no
        }
        held.receive(record, room)
        _ = begin(isLast: false)
    }

    mutating func warnOfPackets() {
        for track in room.published where track.info.form == .packets {
            guard warned.insert(track.info.number).inserted else { continue }
            outputs.append(.warning(.packets(room.name(of: track.info))))
        }
    }

    /// Begins with what was held, if all is there that is needed.
    /// - Returns: whether it did.
    private mutating func begin(isLast: Bool) -> Bool {
        let wait = options.startWait.nanoseconds
        guard let start = held.start(at: roomTime, wait: wait, room, isLast: isLast) else { return false }
        let latest = room
        let records = held.records
        room = held.base
        for record in records[..<start.index] { if case .event(let event) = record.body { room.apply(event) } }
        guard var media = makeMedia(start, records[start.index], latest) else {
            room = latest
            held = HeldMedia(base: latest)
            return false
        }
        media.note(roomTime)
        outputs.append(.began(media.beginning))
        self.media = media
        let clocks = room.clocks.filter { held.base.clocks[$0.key] == nil && $0.value.announced == .min }
        room = held.base
        room.clocks.merge(clocks) { $1 }
        held = HeldMedia(base: room)
        current = nil
        backlog = records[...] + backlog
        return true
    }

    /// The media whose zero is the unit of `record`, with the tracks that the `latest` room knows.
    private mutating func makeMedia(
        _ start: HeldMedia.Start, _ record: Record, _ latest: RecordedRoom
    ) -> PlacedMedia? {
        guard case .unit(let unit) = record.body, let track = room.tracks[unit.track],
            let configuration = track.configurations[unit.configuration]
        else { return nil }
        let scale = Int64(configuration.timescale)
        func nanoseconds(_ stamp: Int64) -> Int64 { SampleClock.scale(stamp, from: scale, to: 1_000_000_000) }
        let clock = room.clock(of: track.info.participant, stamp: nanoseconds(unit.dts), at: record.time)
        let beginning = Beginning(
            epoch: latest.epoch ?? 0, zero: nanoseconds(unit.pts) &+ clock.offset, position: record.position)
        var media = PlacedMedia(options: options, beginning: beginning)
        guard media.canAdd(track, configuration, room), let coding = SampleCoding.of(configuration)?.coding else {
            for case .warning(let warning) in media.outputs { outputs.append(.warning(warning)) }
            return nil
        }
        let reorder = SampleClock.scale(unit.pts &- unit.dts, from: scale, to: Int64(coding.timescale))
        media.add(track, configuration, origin: start.isVideo ? max(0, reorder) : nil, room)
        for other in latest.published where other.info.number != unit.track && other.info.form == .units {
            let known = room.tracks[other.info.number]?.configurations ?? [:]
            guard let first = (known.isEmpty ? other.configurations : known).values.min(by: { $0.id < $1.id }) else {
                continue
            }
            if media.canAdd(other, first, latest) { media.add(other, first, origin: nil, latest) }
        }
        return media
    }
}
