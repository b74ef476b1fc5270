import Bytes
import Feed
import ISOBMFF

/// What the resume box of a fragment holds: all that a recorder needs, beside the file's own headers, to go on behind
/// that fragment as if nothing had happened.
struct ResumeState: Equatable, Sendable {
    struct Track: Equatable, Sendable {
        var id: UInt32
        var info: TrackInfo
        /// Of its publisher.
        var identity: String
        var state: TrackTimeline.State
        /// Units before this position are in the file.
        var resumesAt: UInt64
    }

    static let version: UInt8 = 5

    /// Nanoseconds since 1970 at room time 0, and the room time of the file's zero.
    var epoch: Int64
    var zero: Int64
    /// All records before it are in the file, or were not for it.
    var position: UInt64
    /// What pauses left out, in nanoseconds.
    var leftOut: Int64 = 0
    var counts = RecordingCounts()
    var gaps = GapLog()
    /// The present clock of each participant, behind those that it had before.
    var clocks: [ParticipantNumber: [RecordedRoom.SourceClock]] = [:]
    var tracks: [Track] = []

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Self.version]
        for value in [epoch, zero, Int64(bitPattern: position), leftOut] + counts.values {
            bytes.append(integer: value)
        }
        gaps.encode(into: &bytes)
        let clocks = clocks.sorted { $0.key.rawValue < $1.key.rawValue }
            .flatMap { participant, known in known.map { (participant, $0) } }
        bytes.append(uint16: UInt16(clamping: clocks.count))
        for (participant, clock) in clocks.prefix(0xFFFF) {
            bytes.append(uint32: participant.rawValue)
            bytes.append(integer: clock.announced)
            bytes.append(integer: clock.offset)
            bytes.append(uint32: clock.generation)
        }
        bytes.append(UInt8(clamping: tracks.count))
        for track in tracks.prefix(0xFF) { track.encode(into: &bytes) }
        return bytes
    }

    /// - Returns: `nil` when the bytes are not a state of this version.
    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes.span)
        guard reader.uint8() == Self.version, let epoch = reader.integer(), let zero = reader.integer(),
            let position = reader.uint64(), let leftOut = reader.integer(),
            let counts = RecordingCounts(reading: &reader), let gaps = GapLog(reading: &reader),
            let clockCount = reader.uint16()
        else { return nil }
        (self.epoch, self.zero, self.position, self.counts, self.gaps) = (epoch, zero, position, counts, gaps)
        self.leftOut = leftOut
        for _ in 0..<clockCount {
            guard let participant = reader.uint32(), let announced = reader.integer(), let offset = reader.integer(),
                let generation = reader.uint32()
            else { return nil }
            let clock = RecordedRoom.SourceClock(announced: announced, offset: offset, generation: generation)
            clocks[ParticipantNumber(rawValue: participant), default: []].append(clock)
        }
        guard let trackCount = reader.uint8() else { return nil }
        for _ in 0..<trackCount {
            guard let track = Track(reading: &reader) else { return nil }
            tracks.append(track)
        }
    }

    /// The timeline's tracks as the header of the file says them.
    /// - Returns: `nil` when the two do not match.
    func timelineTracks(of movie: Movie) -> [TimelineTrack]? {
        guard tracks.map(\.id) == movie.tracks.map(\.id), tracks.map(\.id) == Array(1...UInt32(max(1, tracks.count)))
        else { return nil }
        return zip(tracks, movie.tracks).enumerated().map { index, pair in
            TimelineTrack(
                index: index, info: pair.0.info, identity: pair.0.identity, name: pair.1.name,
                timescale: pair.1.timescale,
                origin: pair.1.origin, entries: pair.1.entries)
        }
    }

    init(epoch: Int64, zero: Int64, position: UInt64) {
        (self.epoch, self.zero, self.position) = (epoch, zero, position)
    }
}

extension ResumeState.Track {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(uint32: id)
        bytes.append(uint32: info.number.rawValue)
        bytes.append(uint32: info.participant.rawValue)
        bytes += [info.kind.rawValue, info.source.rawValue, UInt8(clamping: info.id.utf8.count)]
        bytes.append(contentsOf: info.id.utf8.prefix(0xFF))
        bytes.append(uint64: resumesAt)
        bytes.append(integer: state.lastDuration)
        bytes.append(uint16: UInt16(clamping: identity.utf8.count))
        bytes.append(contentsOf: identity.utf8.prefix(0xFFFF))
        bytes.append(uint32: state.description)
        bytes.append(uint32: state.configuration)
        bytes.append(uint32: state.publication)
        let clock = state.clock
        bytes.append(state.gap?.rawValue ?? 0)
        let flags: [Bool] = [
            state.needsKey, state.isGapStated, clock.anchor != nil, clock.lastTime != nil, state.lastShown != nil,
        ]
        bytes.append(flags.enumerated().reduce(0) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
        bytes.append(integer: state.lastShown ?? 0)
        for value in [
            clock.timescale, clock.frame.length, clock.frame.rate, clock.lastStamp, clock.lastTime ?? 0, clock.carry,
        ] {
            bytes.append(integer: value)
        }
        guard let anchor = clock.anchor else { return }
        bytes.append(uint32: anchor.generation)
        for value in [anchor.sourceScale, anchor.stamp, anchor.time, anchor.drift] { bytes.append(integer: value) }
    }

    fileprivate init?(reading reader: inout ByteReader) {
        guard let id = reader.uint32(), let number = reader.uint32(), let participant = reader.uint32(),
            let kind = reader.uint8().flatMap(TrackInfo.Kind.init), let source = reader.uint8(),
            let nameLength = reader.uint8(), let name = reader.array(Int(nameLength)),
            let resumesAt = reader.uint64(), let lastDuration = reader.integer(),
            let identity = reader.uint16().flatMap({ reader.array(Int($0)) }),
            let description = reader.uint32(), let configuration = reader.uint32(), let publication = reader.uint32(),
            let gap = reader.uint8(), let flags = reader.uint8(), let lastShown = reader.integer(),
            let clock = SampleClock(reading: &reader, flags: flags)
        else { return nil }
        self.id = id
        info = TrackInfo(
            number: TrackNumber(rawValue: number), id: String(decoding: name, as: UTF8.self),
            participant: ParticipantNumber(rawValue: participant), kind: kind,
            source: TrackInfo.Source(rawValue: source) ?? .unknown, form: .units)
        self.identity = String(decoding: identity, as: UTF8.self)
        self.resumesAt = resumesAt
        state = TrackTimeline.State(
            clock: clock, description: description, configuration: configuration, publication: publication,
            needsKey: flags & 1 != 0, gap: MediaGap.Cause(rawValue: gap), isGapStated: flags & 2 != 0,
            lastShown: flags & 16 != 0 ? lastShown : nil, lastDuration: lastDuration)
    }
}

extension SampleClock {
    fileprivate init?(reading reader: inout ByteReader, flags: UInt8) {
        guard let timescale = reader.integer(), let length = reader.integer(), let rate = reader.integer(),
            let lastStamp = reader.integer(),
            let lastTime = reader.integer(), let carry = reader.integer()
        else { return nil }
        self.init(timescale: timescale, frame: Frame(length: length, rate: rate))
        self.lastStamp = lastStamp
        self.carry = carry
        self.lastTime = flags & 8 != 0 ? lastTime : nil
        guard flags & 4 != 0 else { return }
        guard let generation = reader.uint32(), let scale = reader.integer(), let stamp = reader.integer(),
            let time = reader.integer(), let drift = reader.integer()
        else { return nil }
        anchor = Anchor(generation: generation, sourceScale: scale, stamp: stamp, time: time, drift: drift)
    }
}

/// Counts of one file; see ``RecorderStatistics``.
struct RecordingCounts: Equatable, Sendable {
    var unitsIn: Int64 = 0
    var unitsLost: Int64 = 0
    var unitsSkipped: Int64 = 0
    var timesRepaired: Int64 = 0

    var values: [Int64] { [unitsIn, unitsLost, unitsSkipped, timesRepaired] }

    init() {}

    fileprivate init?(reading reader: inout ByteReader) {
        guard let unitsIn = reader.integer(), let unitsLost = reader.integer(), let unitsSkipped = reader.integer(),
            let timesRepaired = reader.integer()
        else { return nil }
        (self.unitsIn, self.unitsLost) = (unitsIn, unitsLost)
        (self.unitsSkipped, self.timesRepaired) = (unitsSkipped, timesRepaired)
    }
}

extension ByteReader {
    fileprivate mutating func integer() -> Int64? { uint64().map(Int64.init(bitPattern:)) }
}

extension [UInt8] {
    fileprivate mutating func append(integer value: Int64) { append(uint64: UInt64(bitPattern: value)) }
}
