import Feed
import Timing

/// What a recorder knows of the room: who publishes what, how it decodes, and whose clock runs how.
struct RecordedRoom: Sendable {
    /// One participant's source clock: room time = source time + offset, in nanoseconds.
    struct SourceClock: Equatable, Sendable {
        /// As the feed said it; the same again changes nothing.
        var announced: Int64
        /// As it is used: moved when the announced one would lay new media over old.
        var offset: Int64
        /// Rises with each new anchor, so that a track sees that it must place itself anew.
        var generation: UInt32
    }

    struct Track: Sendable {
        var info: TrackInfo
        var configurations: [UInt32: Configuration] = [:]
        var isPublished = true
        /// The feed has not told of it yet: it stood in the file that is gone on in.
        var isAdopted = false
        /// Rises with each publication.
        var publication: UInt32 = 1
    }

    /// How often a track may decode differently. Each change costs a segment, and each new entry a place in every header
    /// and every state that is written from there on.
    struct ChangeBudget: Sendable {
        private var changes = TokenBucket(burst: 30, interval: .seconds(1))
        private var entries = TokenBucket(burst: 64, interval: .seconds(60))
        /// It was said that there were too many.
        var isSpent = false

        mutating func takes(isNew: Bool, at roomTime: Int64) -> Bool {
            changes.take(at: roomTime) && (!isNew || entries.take(at: roomTime))
        }
    }

    /// Configurations of one track that are remembered: units name the present one, or in a takeover one shortly before.
    private static let configurationLimit = 64
    /// Clocks of one participant that are remembered beside the present one.
    private static let clockLimit = 4

    let selection: Subscribe.Selection
    private(set) var epoch: Int64?
    private(set) var participants: [ParticipantNumber: ParticipantInfo] = [:]
    private(set) var tracks: [TrackNumber: Track] = [:]
    var clocks: [ParticipantNumber: SourceClock] = [:]
    var budgets: [TrackNumber: ChangeBudget] = [:]
    /// What they were before, latest last: a feed that is read again says them again.
    private var earlierClocks: [ParticipantNumber: [SourceClock]] = [:]

    init(selection: Subscribe.Selection) { self.selection = selection }

    /// The selected tracks that are published now, in the order of their numbers.
    var published: [Track] {
        tracks.values.filter(\.isPublished).sorted { $0.info.number < $1.info.number }
    }

    mutating func apply(_ event: RoomEvent) {
        switch event {
        case .clock(let epoch): self.epoch = epoch
        case .joined(let participant): participants[participant.number] = participant
        case .left(let participant):
            for (number, track) in tracks where track.info.participant == participant {
                tracks[number]?.isPublished = false
            }
        case .published(let info): publish(info)
        case .unpublished(let number): tracks[number]?.isPublished = false
        case .configuration(let number, let rendition, let configuration):
            guard rendition == 0, tracks[number] != nil else { return }
            if tracks[number]?.configurations.count ?? 0 >= Self.configurationLimit {
                tracks[number]?.configurations.removeAll()
            }
            tracks[number]?.configurations[configuration.id] = configuration
        case .anchored(let participant, let offset): anchor(participant, offset: offset)
        case .muted, .speaking, .layout, .missed: break
        }
    }

    private mutating func publish(_ info: TrackInfo) {
        guard selects(info) else { return }
        guard var known = tracks[info.number] else {
            tracks[info.number] = Track(info: info)
            return
        }
        if !known.isPublished { known.publication &+= 1 }
        known.info = info
        known.isPublished = true
        known.isAdopted = false
        tracks[info.number] = known
    }

    private mutating func anchor(_ participant: ParticipantNumber, offset: Int64) {
        guard let known = clocks[participant] else {
            clocks[participant] = SourceClock(announced: offset, offset: offset, generation: 1)
            return
        }
        guard known.announced != offset else { return }
        var earlier = earlierClocks[participant] ?? []
        let again = earlier.firstIndex { $0.announced == offset }.map { earlier.remove(at: $0) }
        let latest = earlier.reduce(known.generation) { max($0, $1.generation) }
        earlierClocks[participant] = (earlier + [known]).suffix(Self.clockLimit)
        clocks[participant] = again ?? SourceClock(announced: offset, offset: offset, generation: latest &+ 1)
    }

    /// The clocks of each participant, the present one last.
    var allClocks: [ParticipantNumber: [SourceClock]] {
        clocks.reduce(into: [:]) { $0[$1.key] = (earlierClocks[$1.key] ?? []) + [$1.value] }
    }

    private func selects(_ info: TrackInfo) -> Bool {
        switch selection {
        case .all: return true
        case .tracks(let ids): return ids.contains(info.id)
        case .participant(let identity, let screenShare):
            guard participants[info.participant]?.identity == identity else { return false }
            return screenShare == (info.source == .screenShare || info.source == .screenShareAudio)
        }
    }

    /// Takes up the clocks as an earlier attempt had them.
    mutating func adopt(_ clocks: [ParticipantNumber: [SourceClock]]) {
        self.clocks = clocks.compactMapValues(\.last)
        earlierClocks = clocks.mapValues { Array($0.dropLast()) }
    }

    /// Takes up a track as an earlier attempt knew it; the feed's snapshot tells the rest.
    mutating func adopt(_ track: ResumeState.Track) {
        var known = Track(info: track.info)
        known.publication = track.state.publication
        known.isAdopted = true
        tracks[track.info.number] = known
    }

    /// Whether the feed says that the track is published now.
    func isLive(_ number: TrackNumber) -> Bool {
        guard let track = tracks[number] else { return false }
        return track.isPublished && !track.isAdopted
    }

    /// The clock of a participant; one whose anchor never came is anchored where this record stands.
    mutating func clock(of participant: ParticipantNumber, stamp: Int64, at time: Int64) -> SourceClock {
        if let known = clocks[participant] { return known }
        let made = SourceClock(announced: .min, offset: time &- stamp, generation: 1)
        clocks[participant] = made
        return made
    }

    /// A name for people: who, and what of theirs.
    func name(of info: TrackInfo) -> String {
        let participant = participants[info.participant]
        let name = participant.map { $0.name.isEmpty ? $0.identity : $0.name } ?? ""
        let what =
            switch info.source {
            case .unknown: info.kind == .video ? "video" : "audio"
            case .camera: "camera"
            case .microphone: "microphone"
            case .screenShare: "screen"
            case .screenShareAudio: "screen audio"
            }
        let whole = info.name.isEmpty ? (name.isEmpty ? what : "\(name) (\(what))") : "\(name): \(info.name)"
        return String(decoding: whole.utf8.prefix(64), as: UTF8.self)
    }
}
