import Config
import FoundationEssentials
import Storage
import Store
import Timing

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
            try await self.remove(record, document)
        }
    }

    /// Deletes the tapes that ended longer ago than `retention.tapes` says.
    func sweepTapes(at now: WallTime) async throws {
        guard let age = configuration.retention.tapes else { return }
        var query = DocumentQuery(.tape)
        query.isActive = false
        query.updatedBefore = now - age
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items {
                try await remove(try JSONDecoder().decode(TapeRecord.self, from: Data(document.body)), document)
            }
            query.after = page.next
        } while query.after != nil
    }

    private func remove(_ record: TapeRecord, _ document: Document) async throws {
        let event = EventRow("tape_deleted", subject: record.id, room: record.room, roomID: record.roomId, record)
        try await store.commit(
            Change(documents: [.delete(.tape, id: record.id, expected: document.version)], events: [event]))
        guard let location = record.location, location.hasPrefix(folder.tapes + "/") else { return }
        do throws(StorageError) {
            try StorageRoot(folder.tapes).remove(String(location.dropFirst(folder.tapes.count + 1)))
        } catch .notFound {
            return  // an operator was faster
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
