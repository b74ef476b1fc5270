import Log
import Store

extension EgressControl {
    /// Writes what has changed, batch after batch, for as long as the gateway runs. One writer, so versions never race.
    func persist() async {
        for await _ in dirty {
            while await persistBatch() {}
            guard mustRetry else { continue }
            mustRetry = false
            try? await Task.sleep(for: .seconds(1))
            markDirty.yield()
        }
    }

    /// - Returns: false when nothing is left to write, when nothing can be written now, and while another batch is.
    func persistBatch() async -> Bool {
        let batch = entries.filter { $0.value.pending.isDirty }
        guard !isWriting, !batch.isEmpty else { return false }
        isWriting = true
        defer { isWriting = false }
        for id in batch.keys { entries[id]?.pending = PendingWrite() }
        do {
            try await write(Array(batch))
        } catch let error as StoreError where error.isOfTheStore {
            log.error("egress changes wait for the store", ["error": error.message, "remedy": error.remedy])
            for (id, entry) in batch { putBack(entry.pending, to: id) }
            mustRetry = true
            return false
        } catch {
            log.error("a batch of egress changes was refused", ["error": "\(error)"])
            for item in batch { await writeAlone(item.key, item.value) }
        }
        return true
    }

    private func putBack(_ earlier: PendingWrite, to id: String) {
        guard let later = entries[id]?.pending else { return }
        var both = earlier
        both.jobs += later.jobs
        both.events += later.events
        both.assignsAfter = earlier.assignsAfter || later.assignsAfter
        both.hasEnded = earlier.hasEnded || later.hasEnded
        entries[id]?.pending = both
    }

    private func writeAlone(_ id: String, _ entry: Entry) async {
        do {
            try await write([(id, entry)])
        } catch {
            log.error(
                "an egress change was not stored", ["job": entry.run.job, "egress": id, "error": "\(error)"])
            written(id, entry, version: entry.version)
        }
    }

    private func write(_ batch: [(key: String, value: Entry)]) async throws {
        var change = Change()
        for (_, entry) in batch {
            change.documents.append(.put(try document(entry.run), expected: entry.version))
            change.jobs += entry.pending.jobs
            change.events += entry.pending.events
        }
        for (_, entry) in batch where entry.pending.hasEnded {
            change.documents += try entry.run.tapeRecords.map { try $0.ending() }
        }
        let committed = try await store.commit(change)
        for (index, item) in batch.enumerated() {
            written(item.key, item.value, version: committed.documents[index].version)
        }
    }

    /// The change is durable: a lease may be told to its worker now, and an ended egress be forgotten.
    private func written(_ id: String, _ entry: Entry, version: Int64) {
        entries[id]?.version = version
        // One that was leased again meanwhile is told when that is durable.
        if entry.pending.assignsAfter, let now = entries[id], now.fence == entry.fence, let worker = now.worker {
            tell(id, to: worker)
        }
        if entry.pending.hasEnded {
            egressByJob[entry.run.job] = nil
            entries[id] = nil
        }
    }
}

extension StoreError {
    /// Nothing was changed, and the same may succeed later: the trouble is the store's, not the change's.
    fileprivate var isOfTheStore: Bool {
        switch self {
        case .full, .locked, .corrupt, .readOnly, .foreign, .newerSchema, .unavailable, .closed: true
        case .conflict, .keyTaken, .exists, .unknownJob, .fenced, .jobState, .alreadyAnswered: false
        }
    }
}
