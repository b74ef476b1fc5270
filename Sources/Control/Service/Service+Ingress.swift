import Jobs
import Log
import MediaLoop
import Store

extension Service {
    public func createIngress(
        _ request: CreateIngress, caller: Caller, answer: Answer<IngressRecord>? = nil
    ) async throws(ServiceError) -> IngressRecord {
        try caller.requireSight(of: request.room)
        return try await translating {
            try await self.ingressControl.create(request, keyID: caller.keyID, answer: answer)
        }
    }

    /// Records with ``IngressRecord/masked`` keys.
    public func ingresses(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<IngressRecord> {
        let all = await ingressControl.all()
        let seen = all.filter { query.takes($0) && caller.maySee(room: $0.room) }
        return query.page(of: seen.map(\.masked)) { ($0.createdAt, $0.id) }
    }

    public func ingress(_ id: String, caller: Caller) async throws(ServiceError) -> IngressRecord {
        guard let record = await ingressControl.find(id), caller.maySee(room: record.room) else { throw .noIngress(id) }
        return record
    }

    public func updateIngress(_ id: String, _ patch: PatchIngress, caller: Caller) async throws(ServiceError)
        -> IngressRecord
    {
        _ = try await ingress(id, caller: caller)
        return try await translating {
            try await self.ingressControl.update(id) { record throws(ServiceError) in
                let changed = record.replacing(patch.applied(to: record.request))
                try caller.requireSight(of: changed.room)
                return changed
            }
        }
    }

    public func deleteIngress(_ id: String, caller: Caller) async throws(ServiceError) {
        _ = try await ingress(id, caller: caller)
        _ = try await translating { try await self.ingressControl.delete(id) }
    }

    /// The old key stops at once; who streams with it is cut off.
    public func rotateKey(ofIngress id: String, _ request: RotateKey, caller: Caller) async throws(ServiceError)
        -> IngressRecord
    {
        _ = try await ingress(id, caller: caller)
        return try await translating {
            try await self.ingressControl.update(id) { record throws(ServiceError) in
                var record = record
                record.streamKey = request.streamKey?.reveal() ?? IngressControl.newStreamKey()
                return record
            }
        }
    }
}

extension IngressRecord {
    /// The request that would make this record.
    fileprivate var request: CreateIngress {
        var request = CreateIngress(room: room, identity: identity, name: name)
        request.type = type
        request.participantName = participantName
        request.enabled = enabled
        request.pipeline = pipeline
        request.onConflict = onConflict
        request.onDisconnect = onDisconnect
        request.labels = labels
        return request
    }

    fileprivate func replacing(_ request: CreateIngress) -> IngressRecord {
        var record = IngressRecord(
            id: id, request: request, streamKey: streamKey, url: url, publish: publish, state: state,
            createdAt: createdAt, updatedAt: updatedAt, keyId: keyId)
        record.session = session
        record.error = error
        return record
    }
}

extension ListQuery {
    fileprivate func takes(_ ingress: IngressRecord) -> Bool {
        if let room, ingress.room != room { return false }
        if let createdAfter, ingress.createdAt <= createdAfter { return false }
        if let state, ingress.state.rawValue != state { return false }
        if let active, active != (ingress.session != nil) { return false }
        return labels.allSatisfy { ingress.labels[$0.key] == $0.value }
    }
}
