import Config
import FoundationEssentials
import Log
import MediaLoop
import Storage
import Store
import Timing

extension Service {
    /// Deletes what is older than `retention` says at `now`: files of egress that ended, then records without files, then
    /// jobs and events; and answers kept for idempotency keys after their day.
    ///
    /// What runs is never touched, nor a file that no record names. A record stays for as long as a file of it is there: it
    /// is what serves and deletes the file.
    func sweep(at now: WallTime) async {
        do {
            try await sweepFiles(at: now)
            try await sweepTapes(at: now)
            try await sweepRecords(at: now)
        } catch let error as StoreError {
            Logger("retention").warning("old records were not removed", ["error": error.message])
        } catch {
            Logger("retention").warning("old records were not removed", ["error": "\(error)"])
        }
    }

    private func sweepFiles(at now: WallTime) async throws {
        guard let age = configuration.retention.recordings else { return }
        try await eachEnded(.egress, before: now - age) { document in
            guard let record = storedRecord(document), record.deletedAt == nil else { return }
            let (removed, left) = try await removeFiles(of: record)
            if !left.isEmpty {
                Logger("retention").warning(
                    "files of an old egress could not be deleted", ["egress": record.id, "files": left.count])
            }
            guard !removed.isEmpty else { return }
            if !hasFiles(record) { try await markDeleted(document, at: now) }
            Logger("retention").info(
                "files of an old egress were deleted", ["egress": record.id, "files": removed.count])
        }
    }

    private func sweepRecords(at now: WallTime) async throws {
        var retention = Retention()
        retention.answersBefore = now - IdempotentAnswer.lifetime
        if let age = configuration.retention.records {
            let limit = now - age
            try await eachEnded(.egress, before: limit) { document in
                guard let record = storedRecord(document) else { return }
                guard record.deletedAt != nil || !hasFiles(record) else { return }
                try await store.commit(
                    Change(documents: [.delete(.egress, id: document.id, expected: document.version)]))
            }
            retention.jobsEndedBefore = limit
            retention.eventsBefore = limit
        }
        while try await store.prune(retention) > 0 {}
    }

    private func storedRecord(_ document: Document) -> EgressRecord? {
        try? JSONDecoder().decode(EgressRun.self, from: Data(document.body)).record
    }

    /// Calls `body` for each document that has ended and was last changed before `limit`.
    private func eachEnded(
        _ kind: DocumentKind, before limit: WallTime, _ body: (Document) async throws -> Void
    ) async throws {
        var query = DocumentQuery(kind)
        query.isActive = false
        query.updatedBefore = limit
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items where !Task.isCancelled { try await body(document) }
            query.after = page.next
        } while query.after != nil && !Task.isCancelled
    }

    func hasFiles(_ record: EgressRecord) -> Bool { record.filePaths.contains { FileFacts(path: $0) != nil } }

    /// Removes the files of an egress that has ended, as far as they are still its own.
    /// - Returns: the paths of those that went, and of those that would not go.
    func removeFiles(of record: EgressRecord) async throws -> (removed: [String], left: [String]) {
        var (removed, left): ([String], [String]) = ([], [])
        for output in record.outputs {
            for path in output.filePaths where try await isOwn(path, of: record) {
                if (try? remove(path, of: output)) != nil { removed.append(path) } else { left.append(path) }
            }
        }
        return (removed, left)
    }

    private func remove(_ path: String, of output: OutputRecord) throws(StorageError) {
        if let folder = output.folderPath, path.hasPrefix(folder + "/") {
            try storage.removeFolder(relative(folder))
        } else {
            try storage.remove(relative(path))
        }
    }

    /// False when a later egress made a new file of the same name, after somebody moved the old one away.
    private func isOwn(_ path: String, of record: EgressRecord) async throws -> Bool {
        guard let facts = FileFacts(path: path) else { return false }
        let ended = (record.endedAt ?? record.updatedAt).wallTime
        guard facts.modifiedAt > ended + .seconds(5) else { return true }
        var query = DocumentQuery(.egress)
        query.createdAfter = record.createdAt.wallTime
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items where document.id != record.id {
                guard let other = storedRecord(document), other.deletedAt == nil else { continue }
                if other.filePaths.contains(path) { return false }
            }
            query.after = page.next
        } while query.after != nil
        return true
    }

    /// The record of an egress whose files are gone says so, and is kept for `retention.records` from then.
    func markDeleted(_ document: Document, at now: WallTime) async throws {
        var document = document
        var run = try JSONDecoder().decode(EgressRun.self, from: Data(document.body))
        run.record.deletedAt = Timestamp(now)
        document.body = Array(try JSONEncoder().encode(run))
        document.updatedAt = now
        let event = EventRow(
            "egress_deleted", subject: run.record.id, room: run.record.room, roomID: run.record.roomId, run.record)
        try await store.commit(Change(documents: [.put(document, expected: document.version)], events: [event]))
    }
}
