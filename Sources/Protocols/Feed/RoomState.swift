/// What the events of a feed add up to: who is there, what they publish, how it decodes. A consumer that begins in
/// mid-feed is given it as ``snapshot``.
public struct RoomState: Equatable, Sendable {
    public struct Track: Equatable, Sendable {
        public var info: TrackInfo
        /// The latest configuration of each rendition.
        public var configurations: [UInt16: Configuration] = [:]
        public var isMuted = false
    }

    public private(set) var epoch: Int64?
    public private(set) var participants: [ParticipantNumber: ParticipantInfo] = [:]
    public private(set) var tracks: [TrackNumber: Track] = [:]
    private var offsets: [ParticipantNumber: Int64] = [:]

    public init() {}

    public mutating func apply(_ event: RoomEvent) {
        switch event {
        case .clock(let epoch): self.epoch = epoch
        case .joined(let participant): participants[participant.number] = participant
        case .left(let participant):
            participants[participant] = nil
            offsets[participant] = nil
            tracks = tracks.filter { $0.value.info.participant != participant }
        case .published(let info): tracks[info.number, default: Track(info: info)].info = info
        case .unpublished(let track): tracks[track] = nil
        case .configuration(let track, let rendition, let configuration):
            tracks[track]?.configurations[rendition] = configuration
        case .anchored(let participant, let offset): offsets[participant] = offset
        case .muted(let track, let isMuted): tracks[track]?.isMuted = isMuted
        case .speaking, .layout, .missed: break
        }
    }

    /// The events that make this state, in an order that a consumer can apply.
    public var snapshot: [RoomEvent] {
        var events: [RoomEvent] = []
        if let epoch { events.append(.clock(epoch: epoch)) }
        for participant in participants.values.sorted(by: { $0.number.rawValue < $1.number.rawValue }) {
            events.append(.joined(participant))
            if let offset = offsets[participant.number] { events.append(.anchored(participant.number, offset: offset)) }
        }
        for track in tracks.values.sorted(by: { $0.info.number < $1.info.number }) {
            events.append(.published(track.info))
            for (rendition, configuration) in track.configurations.sorted(by: { $0.key < $1.key }) {
                events.append(.configuration(track.info.number, rendition: rendition, configuration))
            }
            if track.isMuted { events.append(.muted(track.info.number, true)) }
        }
        return events
    }

    /// The tracks that `selection` names at this moment.
    public func tracks(in selection: Subscribe.Selection) -> [Track] {
        tracks.values.filter { selects($0.info, by: selection) }
    }

    /// Whether `selection` names the track `info`.
    public func selects(_ info: TrackInfo, by selection: Subscribe.Selection) -> Bool {
        switch selection {
        case .all: return true
        case .tracks(let ids): return ids.contains(info.id)
        case .participant(let identity, let screenShare):
            return participants[info.participant]?.identity == identity && info.isScreenShare == screenShare
        }
    }
}

extension TrackInfo {
    /// Whether it is a screen, or its sound.
    public var isScreenShare: Bool { source == .screenShare || source == .screenShareAudio }
}
