import FoundationEssentials
import Storage
import Store

extension Service {
    public func tapes(_ query: ListQuery, caller: Caller) async throws(ServiceError) -> Page<TapeRecord> {
        let page = try await stored(.tape, query, caller: caller)
        var records: [TapeRecord] = []
        for document in page.items { records.append(try await tapeRecord(document)) }
        return Page(items: records, nextCursor: page.next)
    }

    public func tape(_ id: String, caller: Caller) async throws(ServiceError) -> TapeRecord {
        let found = try await translating { try await self.store.document(.tape, id: id) }
        guard let document = found, caller.maySee(room: document.room ?? "") else { throw .noTape(id) }
        return try await tapeRecord(document)
    }

    /// Removes the file and its record.
    /// - Throws: `still_running` while its egress goes on.
    public func deleteTape(_ id: String, caller: Caller) async throws(ServiceError) {
        _ = try await tape(id, caller: caller)
        try await translating {
            guard let document = try await self.store.document(.tape, id: id) else { return }
            let record = try JSONDecoder().decode(TapeRecord.self, from: Data(document.body))
            guard !document.isActive else {
                throw ServiceError(
                    .stillRunning, "The egress \(record.egress) has not ended.", remedy: "Stop it first.")
            }
            let event = EventRow(
                "tape_deleted", subject: id, room: record.room, roomID: record.roomId, record)
            try await self.store.commit(
                Change(documents: [.delete(.tape, id: id, expected: document.version)], events: [event]))
            if let location = record.location, location.hasPrefix(self.folder.tapes + "/") {
                do throws(StorageError) {
                    let name = String(location.dropFirst(self.folder.tapes.count + 1))
                    try StorageRoot(self.folder.tapes).remove(name)
                } catch .notFound {
                    return  // an operator was faster
                }
            }
        }
    }

    /// As its egress has it now, while that goes on.
    private func tapeRecord(_ document: Document) async throws(ServiceError) -> TapeRecord {
        let stored = try await translating {
            try JSONDecoder().decode(TapeRecord.self, from: Data(document.body))
        }
        guard document.isActive else { return stored }
        return await egressControl.tapes(of: stored.egress).first { $0.id == stored.id } ?? stored
    }
}

extension ServiceError {
    fileprivate static func noTape(_ id: String) -> ServiceError {
        ServiceError(.notFound, "There is no tape `\(id)`.")
    }
}
