import FoundationEssentials
import Jobs
import Log
import MediaLoop
import Store
import Timing

/// The rooms of this gateway and who is in them: the control plane's picture of what lives on the loop.
actor RoomDirectory {
    struct Room: Sendable {
        var record: RoomRecord
        var version: Int64
        var participants: [String: ParticipantRecord] = [:]
    }

    private let store: any Store
    private let plane: MediaPlane
    private let log = Logger("rooms")
    private var rooms: [String: Room] = [:]
    private var idByName: [String: String] = [:]
    /// Names that are being created, so that two requests at once make one room.
    private var inCreation: [String: Task<Outcome<RoomRecord>, any Error>] = [:]

    init(store: any Store, plane: MediaPlane) {
        self.store = store
        self.plane = plane
    }

    /// Reads the rooms of the last run and opens their feeds. Nobody is in them yet.
    func load() async throws {
        var query = DocumentQuery(.room)
        query.isActive = true
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items {
                var record = try JSONDecoder().decode(RoomRecord.self, from: Data(document.body))
                record.emptySince = Timestamp(Clocks.wall())
                remember(record, version: document.version)
            }
            query.after = page.next
        } while query.after != nil
    }

    /// The room of exactly this name: another spelling of the same characters (as `é` of two scalars) names none.
    func room(named name: String) -> RoomRecord? {
        idByName[name].flatMap { record($0) }.flatMap { $0.name.utf8.elementsEqual(name.utf8) ? $0 : nil }
    }

    /// By name or by `RM_…` id.
    func find(_ nameOrID: String) -> RoomRecord? { room(named: nameOrID) ?? record(nameOrID) }

    func all() -> [RoomRecord] {
        rooms.keys.compactMap { record($0) }.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
    }

    func participants(of id: String) -> [ParticipantRecord] {
        rooms[id]?.participants.values.sorted { $0.joinedAt < $1.joinedAt } ?? []
    }

    /// The room of this name, made now if there is none.
    func open(_ request: CreateRoom, keyID: String?, answer: Answer<RoomRecord>? = nil) async throws
        -> Outcome<RoomRecord>
    {
        if let known = room(named: request.name) { return Outcome(known, didChange: false) }
        guard idByName[request.name] == nil else {
            throw ServiceError(.conflict, "A room of the same name in another spelling exists.")
        }
        if let running = inCreation[request.name] {
            let made = try await running.value
            return Outcome(made.record, didChange: false)
        }
        let task = Task { try await self.create(request, keyID: keyID, answer: answer) }
        inCreation[request.name] = task
        defer { inCreation[request.name] = nil }
        return try await task.value
    }

    private func create(_ request: CreateRoom, keyID: String?, answer: Answer<RoomRecord>?) async throws
        -> Outcome<RoomRecord>
    {
        let now = Timestamp(Clocks.wall())
        let record = RoomRecord(
            id: Identifier.room.make(), name: request.name, createdAt: now, emptySince: now,
            emptyTimeoutSeconds: request.emptyTimeoutSeconds, maxParticipants: request.maxParticipants,
            metadata: request.metadata, labels: request.labels, keyId: keyID)
        var change = Change(
            documents: [.put(try document(record), expected: nil)],
            events: [EventRow("room_created", subject: record.id, room: record.name, roomID: record.id, record)])
        change.answer = answer?(record)
        let committed = try await store.commit(change)
        remember(record, version: committed.documents.first?.version ?? 1)
        log.info("room created", ["room": record.name, "id": record.id])
        return Outcome(self.record(record.id) ?? record, didChange: true)
    }

    /// Deletes the room: its feed ends, and with it what takes from it.
    func delete(_ id: String) async throws {
        guard let room = rooms[id] else { return }
        let event = EventRow("room_deleted", subject: id, room: room.record.name, roomID: id, room.record)
        try await store.commit(
            Change(documents: [.delete(.room, id: id, expected: room.version)], events: [event]))
        rooms[id] = nil
        idByName[room.record.name] = nil
        plane.closeRoom(id)
        log.info("room deleted", ["room": room.record.name, "id": id])
    }

    // MARK: Who is in a room

    /// - Returns: false when the room holds as many as it may, and the participant is not among them.
    func join(_ participant: ParticipantRecord, room id: String) -> Bool {
        guard let room = rooms[id] else { return true }  // deleted since: the media plane refuses whoever comes into it
        let isIn = room.participants[participant.id] != nil
        guard isIn || room.participants.count < room.record.maxParticipants ?? .max else { return false }
        rooms[id]?.participants[participant.id] = participant
        rooms[id]?.record.emptySince = nil
        return true
    }

    /// Rooms that have been empty for as long as they may be.
    func outlived(at now: WallTime) -> [RoomRecord] {
        rooms.values.map(\.record).filter { record in
            guard let since = record.emptySince, let limit = record.emptyTimeoutSeconds else { return false }
            return now - since.wallTime >= .seconds(limit)
        }
    }

    func update(_ participant: ParticipantRecord, room id: String) {
        guard rooms[id]?.participants[participant.id] != nil else { return }
        rooms[id]?.participants[participant.id] = participant
    }

    func leave(_ participant: String, room id: String) {
        guard rooms[id]?.participants.removeValue(forKey: participant) != nil else { return }
        plane.leave(participant: participant, room: id)
        if rooms[id]?.participants.isEmpty == true { rooms[id]?.record.emptySince = Timestamp(Clocks.wall()) }
    }

    private func record(_ id: String) -> RoomRecord? {
        guard let room = rooms[id] else { return nil }
        var record = room.record
        record.participantCount = room.participants.count
        record.trackCount = room.participants.values.reduce(0) { $0 + $1.tracks.count }
        return record
    }

    private func remember(_ record: RoomRecord, version: Int64) {
        rooms[record.id] = Room(record: record, version: version)
        idByName[record.name] = record.id
        plane.openRoom(record.id)
    }

    private func document(_ record: RoomRecord) throws -> Document {
        Document(
            kind: .room, id: record.id, createdAt: record.createdAt.wallTime, room: record.name, roomID: record.id,
            state: "open", isActive: true, labels: record.labels, keyID: record.keyId, uniqueKey: record.name,
            body: Array(try JSONEncoder().encode(record)))
    }
}
