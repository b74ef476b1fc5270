/// What is on a tape, added up while it is written or read. Times are nanoseconds since 1970: room time on the epoch that the
/// room's `clock` event told, so that they go on over a restart of the gateway.
public struct TapeSummary: Equatable, Sendable {
    public struct Participant: Equatable, Sendable {
        public var info: ParticipantInfo
        public var joinedAt: Int64
        /// `nil` while it is there.
        public var leftAt: Int64?
    }

    public struct Track: Equatable, Sendable {
        public var info: TrackInfo
        /// The identity of its participant.
        public var identity: String
        /// Of the latest configuration; empty before the first.
        public var codec: String = ""
        public var width: UInt32 = 0
        public var height: UInt32 = 0
        public var sampleRate: UInt32 = 0
        public var channels: UInt32 = 0
        public var units: Int64 = 0
        public var packets: Int64 = 0
        public var keyFrames: Int64 = 0
        /// Bytes of media.
        public var bytes: Int64 = 0
        public var firstAt: Int64?
        public var lastAt: Int64?
    }

    /// A span without media of a track, or records that the tape never got.
    public struct Gap: Equatable, Sendable {
        public enum Cause: UInt8, Sendable {
            /// A track that was not muted sent nothing for over ``silence``, and then went on.
            case silence = 0
            /// The tape was slower than `limits.replay`, or could not be reached.
            case missed = 1
            /// It was paused.
            case pause = 2

            /// One word for it.
            public var name: String {
                switch self {
                case .silence: "silence"
                case .missed: "missed"
                case .pause: "pause"
                }
            }
        }

        public var cause: Cause
        /// `TR_…`; empty for the whole room.
        public var track: String
        public var from: Int64
        public var to: Int64
        /// Records that were lost.
        public var records: Int64 = 0
    }

    /// A place that was named while it was written.
    public struct Marker: Equatable, Sendable {
        public var name: String
        public var at: Int64
    }

    /// Nanoseconds without media that are a gap.
    public static let silence: Int64 = 2_000_000_000
    /// Entries of each list that are kept; more are counted in ``leftOut``.
    static let listLimit = 1024

    public internal(set) var participants: [Participant] = []
    public internal(set) var tracks: [Track] = []
    public internal(set) var gaps: [Gap] = []
    public internal(set) var markers: [Marker] = []
    public internal(set) var leftOut: Int64 = 0
    public internal(set) var units: Int64 = 0
    public internal(set) var packets: Int64 = 0
    public internal(set) var events: Int64 = 0
    /// Records that the feed no longer held for the tape.
    public internal(set) var missed: Int64 = 0
    /// The first and the last media.
    public internal(set) var firstAt: Int64?
    public internal(set) var lastAt: Int64?
    /// Runs that it goes over; see ``TapeIdentity/run``.
    public internal(set) var runs: UInt32 = 1
    var epoch: Int64 = 0
    /// Places in the lists by the numbers of the present run.
    var participantPlaces: [ParticipantNumber: Int] = [:]
    var trackPlaces: [TrackNumber: Int] = [:]
    /// When a track last sent media or was unmuted; one that is muted has none.
    var heardAt: [TrackNumber: Int64] = [:]
    var missedSince: (from: Int64, records: Int64)?

    public init() {}

    /// From the first to the last media, in nanoseconds.
    public var duration: Int64 {
        guard let firstAt, let lastAt else { return 0 }
        return max(0, lastAt &- firstAt)
    }

    /// Wall time of `roomTime` in the present run.
    public func wallTime(_ roomTime: Int64) -> Int64 { epoch &+ roomTime }

    /// The room's feed begins anew: numbers mean others.
    public mutating func beginRun(_ run: UInt32) {
        runs = run
        for place in participantPlaces.values where participants[place].leftAt == nil {
            participants[place].leftAt = lastAt ?? participants[place].joinedAt
        }
        participantPlaces = [:]
        trackPlaces = [:]
        heardAt = [:]
    }

    public mutating func add(_ note: TapeNote) {
        switch note.kind {
        case .pause:
            add(Gap(cause: .pause, track: "", from: lastAt ?? note.time, to: note.time))
            for track in heardAt.keys { heardAt[track] = max(heardAt[track] ?? note.time, note.time) }
        case .marker(let name):
            if markers.count < Self.listLimit {
                markers.append(Marker(name: name, at: note.time))
            } else {
                leftOut &+= 1
            }
        }
    }

    public mutating func add(_ record: Record) {
        let time = wallTime(record.time)
        switch record.body {
        case .event(let event):
            events &+= 1
            add(event, at: time)
        case .unit(let unit):
            units &+= 1
            addMedia(unit.track, bytes: unit.bytes.count, isKey: unit.isKey, at: time) { $0.units &+= 1 }
        case .packet(let packet):
            packets &+= 1
            addMedia(packet.track, bytes: packet.bytes.count, isKey: packet.isKey, at: time) { $0.packets &+= 1 }
        }
    }

    private mutating func add(_ event: RoomEvent, at time: Int64) {
        switch event {
        case .clock(let epoch): self.epoch = epoch
        case .joined(let info): join(info, at: time)
        case .left(let number):
            participantPlaces[number].map { participants[$0].leftAt = time }
        case .published(let info): publish(info)
        case .configuration(let number, _, let configuration):
            trackPlaces[number].map { tracks[$0].describe(configuration) }
        case .muted(let number, let isMuted): heardAt[number] = isMuted ? nil : time
        case .missed(let from, let to):
            let count = Int64(clamping: to &- min(from, to))
            missed = missed.addingClamping(count)
            missedSince = (missedSince?.from ?? lastAt ?? time, (missedSince?.records ?? 0).addingClamping(count))
        default: break
        }
    }

    private mutating func join(_ info: ParticipantInfo, at time: Int64) {
        if let place = participantPlaces[info.number] ?? participants.firstIndex(where: { $0.info.id == info.id }) {
            participantPlaces[info.number] = place
            participants[place].info = info
            participants[place].leftAt = nil
        } else if participants.count < Self.listLimit {
            participantPlaces[info.number] = participants.count
            participants.append(Participant(info: info, joinedAt: time))
        } else {
            leftOut &+= 1
        }
    }

    private mutating func publish(_ info: TrackInfo) {
        // In a further run a track that comes back has its id, and another number.
        if let place = trackPlaces[info.number] ?? tracks.firstIndex(where: { $0.info.id == info.id }) {
            tracks[place].info = info
            if trackPlaces.updateValue(place, forKey: info.number) == nil {
                heardAt[info.number] = tracks[place].lastAt
            }
        } else if tracks.count < Self.listLimit {
            trackPlaces[info.number] = tracks.count
            let identity = participantPlaces[info.participant].map { participants[$0].info.identity }
            tracks.append(Track(info: info, identity: identity ?? ""))
        } else {
            leftOut &+= 1
        }
    }

    private mutating func addMedia(
        _ number: TrackNumber, bytes: Int, isKey: Bool, at time: Int64, _ count: (inout Track) -> Void
    ) {
        firstAt = firstAt ?? time
        if let missedSince {
            add(Gap(cause: .missed, track: "", from: missedSince.from, to: time, records: missedSince.records))
            self.missedSince = nil
        }
        lastAt = max(lastAt ?? time, time)
        guard let place = trackPlaces[number] else { return }
        count(&tracks[place])
        if isKey { tracks[place].keyFrames &+= 1 }
        tracks[place].bytes = tracks[place].bytes.addingClamping(Int64(bytes))
        tracks[place].firstAt = tracks[place].firstAt ?? time
        let heard = tracks[place].lastAt.flatMap { last in heardAt[number].map { max($0, last) } }
        if let heard, time &- heard > Self.silence {
            add(Gap(cause: .silence, track: tracks[place].info.id, from: heard, to: time))
        }
        tracks[place].lastAt = max(tracks[place].lastAt ?? time, time)
        heardAt[number] = time
    }

    private mutating func add(_ gap: Gap) {
        if gaps.count < Self.listLimit { gaps.append(gap) } else { leftOut &+= 1 }
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.participants == right.participants && left.tracks == right.tracks && left.gaps == right.gaps
            && left.units == right.units && left.packets == right.packets && left.events == right.events
            && left.missed == right.missed && left.firstAt == right.firstAt && left.lastAt == right.lastAt
            && left.runs == right.runs && left.markers == right.markers && left.leftOut == right.leftOut
    }
}

extension TapeSummary.Track {
    fileprivate mutating func describe(_ configuration: Configuration) {
        codec = configuration.codec.rawValue
        (width, height) = (configuration.width, configuration.height)
        (sampleRate, channels) = (configuration.sampleRate, configuration.channels)
    }
}

extension Int64 {
    fileprivate func addingClamping(_ other: Int64) -> Int64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? (other < 0 ? .min : .max) : sum
    }
}
