import Feed

/// A feed as a room would give it, written down before it is played.
struct FeedScript {
    static let epoch: Int64 = 1_700_000_000_000_000_000

    private(set) var records: [Record] = []
    /// Room time of the next event, in nanoseconds.
    var now: Int64 = 0

    init() { event(.clock(epoch: Self.epoch)) }

    init(_ records: [Record]) { self.records = records }

    mutating func event(_ event: RoomEvent) {
        records.append(Record(position: UInt64(records.count), time: now, body: .event(event)))
    }

    mutating func unit(_ unit: Unit, at time: Int64) {
        now = max(now, time)
        records.append(Record(position: UInt64(records.count), time: now, body: .unit(unit)))
    }

    /// Joins participant `number`, whose clock stands `offset` nanoseconds behind the room's.
    mutating func join(_ number: UInt32 = 1, offset: Int64 = 0) {
        let participant = ParticipantNumber(rawValue: number)
        event(.joined(ParticipantInfo(number: participant, id: "PA_\(number)", identity: "p\(number)", name: "")))
        event(.anchored(participant, offset: offset))
    }

    mutating func publish(_ kind: TrackInfo.Kind, by participant: UInt32 = 1) {
        let number = Self.track(kind, of: participant)
        event(
            .published(
                TrackInfo(
                    number: number, id: "TR_\(number.rawValue)", participant: ParticipantNumber(rawValue: participant),
                    kind: kind, source: kind == .video ? .camera : .microphone, form: .units)))
    }

    mutating func describe(_ kind: TrackInfo.Kind, of participant: UInt32 = 1, id: UInt32 = 1, _ clip: Clip) {
        let configuration =
            kind == .video
            ? Configuration(id: id, codec: .h264, timescale: 1000, record: clip.videoRecord)
            : Configuration(
                id: id, codec: .aac, timescale: 1000, record: clip.audioRecord, sampleRate: UInt32(clip.sampleRate),
                channels: UInt32(clip.channels))
        event(.configuration(Self.track(kind, of: participant), rendition: 0, configuration))
    }

    /// Joins, publishes and describes both tracks of `clip`.
    mutating func begin(_ clip: Clip, by participant: UInt32 = 1, offset: Int64 = 0) {
        join(participant, offset: offset)
        for kind in [TrackInfo.Kind.audio, .video] {
            publish(kind, by: participant)
            describe(kind, of: participant, clip)
        }
    }

    static func track(_ kind: TrackInfo.Kind, of participant: UInt32) -> TrackNumber {
        TrackNumber(rawValue: participant * 10 + UInt32(kind.rawValue))
    }

    /// The clip's frames in the order of their decoding times, arriving `offset` nanoseconds after their stamp; sound
    /// `soundLead` milliseconds earlier.
    mutating func play(
        _ clip: Clip, by participant: UInt32 = 1, configuration: UInt32 = 1, offset: Int64 = 0,
        kinds: [TrackInfo.Kind] = [.video, .audio], soundLead: Int64 = 0
    ) { play([(clip, participant, configuration, offset)], kinds: kinds, soundLead: soundLead) }

    /// Several participants at once.
    mutating func play(
        _ parts: [(clip: Clip, participant: UInt32, configuration: UInt32, offset: Int64)],
        kinds: [TrackInfo.Kind] = [.video, .audio], soundLead: Int64 = 0
    ) {
        var units: [(time: Int64, unit: Unit)] = []
        for part in parts {
            for kind in kinds {
                for frame in kind == .video ? part.clip.video : part.clip.audio {
                    let unit = Unit(
                        track: Self.track(kind, of: part.participant), configuration: part.configuration,
                        pts: frame.pts, dts: frame.dts, isKey: frame.isKey || kind == .audio, bytes: frame.bytes[...])
                    let lead = kind == .audio ? soundLead : 0
                    units.append(((frame.dts - lead) * 1_000_000 + part.offset, unit))
                }
            }
        }
        for entry in units.enumerated().sorted(by: { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }) {
            unit(entry.element.unit, at: entry.element.time)
        }
    }

    /// The feed from `position` on, with the state of the room before it first, as a gateway gives it.
    func from(_ position: UInt64) -> [Record] {
        var state = RoomState()
        let before = records.prefix(Int(position))
        for case .event(let event) in before.map(\.body) { state.apply(event) }
        let time = before.last?.time ?? 0
        let snapshot = state.snapshot.map { Record(position: position, time: time, body: .event($0)) }
        return snapshot + records.suffix(from: Int(position))
    }
}
