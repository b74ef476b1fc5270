import Log
import Store
import Timing

extension Service {
    /// A room of that name that exists already is given as it is, unchanged.
    public func createRoom(
        _ request: CreateRoom, caller: Caller, answer: Answer<RoomRecord>? = nil
    ) async throws(ServiceError) -> Outcome<RoomRecord> {
        try caller.requireSight(of: request.name)
        return try await translating {
            try await self.roomDirectory.open(request, keyID: caller.keyID, answer: answer)
        }
    }

    public func rooms(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<RoomRecord> {
        let all = await roomDirectory.all()
        return query.page(of: all.filter { query.takes($0) && caller.maySee(room: $0.name) }) { ($0.createdAt, $0.id) }
    }

    public func room(_ name: String, caller: Caller) async throws(ServiceError) -> RoomRecord {
        guard var record = await roomDirectory.find(name), caller.maySee(room: record.name) else { throw .noRoom(name) }
        record.activeEgressCount = await egressControl.activeCount(room: record.id)
        return record
    }

    /// Everybody leaves; running egress of the room ends.
    public func deleteRoom(_ name: String, caller: Caller) async throws(ServiceError) {
        let record = try await room(name, caller: caller)
        try await translating { try await self.close(record) }
    }

    private func close(_ record: RoomRecord) async throws {
        await egressControl.roomClosed(record.id)
        try await roomDirectory.delete(record.id)
        // Last: an encoder that lost its session comes back at once, and is then to open the room anew.
        await ingressControl.roomClosed(record.id)
    }

    /// Deletes rooms that have been empty for their `emptyTimeoutSeconds`. One that an egress waits in stays.
    func closeOutlivedRooms(at now: WallTime) async {
        for record in await roomDirectory.outlived(at: now)
        where await egressControl.activeCount(room: record.id) == 0 {
            do {
                try await close(record)
            } catch {
                Logger("rooms").warning("an empty room was not deleted", ["room": record.name, "error": "\(error)"])
            }
        }
    }

    public func participants(of room: String, _ query: ListQuery, caller: Caller) async throws(ServiceError)
        -> Page<ParticipantRecord>
    {
        let record = try await self.room(room, caller: caller)
        let all = await roomDirectory.participants(of: record.id).reversed()
        return query.page(of: Array(all)) { ($0.joinedAt, $0.id) }
    }

    /// Ends the connection; an encoder may come back with its key.
    public func removeParticipant(_ identity: String, from room: String, caller: Caller) async throws(ServiceError) {
        let record = try await self.room(room, caller: caller)
        guard
            let participant = await roomDirectory.participants(of: record.id).first(where: { $0.identity == identity })
        else { throw ServiceError(.notFound, "There is no participant `\(identity)` in `\(room)`.") }
        if let ingress = participant.ingressId { await ingressControl.disconnect(ingress) }
    }
}

extension ListQuery {
    fileprivate func takes(_ room: RoomRecord) -> Bool {
        if let name = self.room, room.name != name { return false }
        if let createdAfter, room.createdAt <= createdAfter { return false }
        if active == false || (state != nil && state != "open") { return false }
        return labels.allSatisfy { room.labels[$0.key] == $0.value }
    }

    /// The page that this query asks for, of items that are sorted from new to old.
    func page<Item>(of items: [Item], by place: (Item) -> (Timestamp, String)) -> Page<Item> {
        var rest = items[...]
        if let cursor {
            rest = rest.drop { item in
                let (time, id) = place(item)
                return (time.wallTime.nanoseconds, id) >= (cursor.createdAt, cursor.id)
            }
        }
        let shown = Array(rest.prefix(limit))
        guard rest.count > shown.count, let last = shown.last else { return Page(items: shown) }
        let (time, id) = place(last)
        return Page(items: shown, nextCursor: ListCursor(createdAt: time.wallTime.nanoseconds, id: id).text)
    }
}

extension Service {
    /// Runs an operation of the control plane and puts its failure into the words of the API.
    func translating<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws(ServiceError) -> Value {
        do {
            return try await body()
        } catch let error as ServiceError {
            throw error
        } catch let error as StoreError {
            throw ServiceError(error)
        } catch {
            throw ServiceError(.internalError, "\(error)")
        }
    }
}

extension ServiceError {
    init(_ error: StoreError) {
        switch error {
        case .conflict, .keyTaken, .exists, .fenced, .jobState, .alreadyAnswered:
            self.init(.conflict, "\(error.message).", remedy: error.remedy)
        case .full: self.init(.unavailable, "\(error.message).", remedy: error.remedy, retryAfterSeconds: 30)
        case .closed: self.init(.draining, "\(error.message).", remedy: error.remedy, retryAfterSeconds: 5)
        case .unknownJob: self.init(.notFound, "\(error.message).", remedy: error.remedy)
        case .locked, .corrupt, .readOnly, .foreign, .newerSchema, .unavailable:
            self.init(.unavailable, "\(error.message).", remedy: error.remedy, retryAfterSeconds: 30)
        }
    }
}
