public import Feed
public import Forwarding
public import Timing

/// The rooms that live on one loop, each with its feed. Lives on the loop's thread.
public final class RoomHost {
    private var rooms: [String: Room] = [:]
    private var limits: FeedRing.Limits

    public init(limits: FeedRing.Limits) { self.limits = limits }

    /// The limits of all rooms from here on.
    public func use(_ limits: FeedRing.Limits) {
        self.limits = limits
        for room in rooms.values { room.ring.limits = limits }
    }

    /// The room `id` (`RM_…`), made now if it is new. `wall` ties room time to UTC.
    public func open(_ id: String, at now: Instant, wall: WallTime) -> Room {
        if let room = rooms[id] { return room }
        let room = Room(id: id, epoch: now, wall: wall, limits: limits)
        rooms[id] = room
        return room
    }

    public func room(_ id: String) -> Room? { rooms[id] }

    /// Ends the room's feed: its consumers are told that nothing more comes.
    public func close(_ id: String) { rooms.removeValue(forKey: id)?.isClosed = true }

    /// Lets go of what was held for workers that died, once nobody has taken their jobs over in time.
    public func releaseOrphans(at now: Instant) { for room in rooms.values { room.releaseOrphans(at: now) } }

    /// Bytes of media held by all rooms: the gateway's stated bound is rooms × `limits.bytes`.
    public var heldBytes: Int { rooms.values.reduce(0) { $0 + $1.ring.byteCount } }

    public var all: some Collection<Room> { rooms.values }
}

/// One room on its loop: the feed, and the numbers of who is in it.
public final class Room {
    public let id: String
    public var ring: FeedRing
    public fileprivate(set) var isClosed = false
    private let epoch: Instant
    private var participants: [String: ParticipantNumber] = [:]
    private var tracks: [String: TrackNumber] = [:]
    private var lastNumber: UInt32 = 0
    /// Durable consumers whose worker died, and how long the feed is held for those who take over.
    private var orphans: [(consumer: Int, until: Instant)] = []

    fileprivate init(id: String, epoch: Instant, wall: WallTime, limits: FeedRing.Limits) {
        self.id = id
        self.epoch = epoch
        ring = FeedRing(limits: limits)
        ring.append(.event(.clock(epoch: wall.nanoseconds)), time: 0)
    }

    /// Nanoseconds on the room's clock.
    public func time(at now: Instant) -> Int64 { now.nanoseconds &- epoch.nanoseconds }

    public func append(_ event: RoomEvent, at now: Instant) {
        ring.append(.event(event), time: time(at: now))
    }

    /// Lets the participant `id` (`PA_…`) in, or finds it.
    public func join(id: String, identity: String, name: String, at now: Instant) -> ParticipantNumber {
        if let number = participants[id] { return number }
        let number = ParticipantNumber(rawValue: takeNumber())
        participants[id] = number
        append(.joined(ParticipantInfo(number: number, id: id, identity: identity, name: name)), at: now)
        return number
    }

    /// Publishes the track `id` (`TR_…`); again with the same number when its publisher came back.
    public func publish(
        id: String, of participant: ParticipantNumber, kind: TrackInfo.Kind, source: TrackInfo.Source, at now: Instant
    ) -> TrackNumber {
        let number = tracks[id] ?? TrackNumber(rawValue: takeNumber())
        tracks[id] = number
        let info = TrackInfo(
            number: number, id: id, participant: participant, kind: kind, source: source, form: .units)
        append(.published(info), at: now)
        return number
    }

    /// How long the feed is held for a job whose worker died: its successor subscribes well within this.
    private static let orphanTime = Duration.seconds(15)

    /// A durable consumer's worker is gone: what it has not acknowledged is kept for the worker that takes over.
    public func orphan(_ cursor: FeedCursor, at now: Instant) {
        guard let consumer = cursor.retention else { return }
        orphans.append((consumer, now + Self.orphanTime))
    }

    fileprivate func releaseOrphans(at now: Instant) {
        for orphan in orphans where orphan.until <= now { ring.release(orphan.consumer) }
        orphans.removeAll { $0.until <= now }
    }

    /// The id of the last configuration of the track `id` (`TR_…`); 0 if it never had one.
    public func lastConfiguration(of id: String) -> UInt32 {
        guard let number = tracks[id], let track = ring.state.tracks[number] else { return 0 }
        return track.configurations[0]?.id ?? 0
    }

    /// The participant and its tracks are gone for good.
    public func leave(id: String, at now: Instant) {
        guard let number = participants.removeValue(forKey: id) else { return }
        for track in ring.state.tracks.values where track.info.participant == number {
            tracks[track.info.id] = nil
            append(.unpublished(track.info.number), at: now)
        }
        append(.left(number), at: now)
    }

    private func takeNumber() -> UInt32 {
        lastNumber += 1
        return lastNumber
    }
}
