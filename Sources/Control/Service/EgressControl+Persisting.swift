import Log
import Store

extension EgressControl {
    /// Writes what has changed, batch after batch, for as long as the gateway runs. One writer, so versions never race.
    func persist() async {
        for await _ in dirty {
            while await persistBatch() {}
        }
    }

    /// - Returns: false when nothing is left to write.
    func persistBatch() async -> Bool {
        let batch = entries.filter { $0.value.pending.isDirty }
        guard !batch.isEmpty else { return false }
        for id in batch.keys { entries[id]?.pending = PendingWrite() }
        do {
            try await write(Array(batch))
        } catch {
            log.error("a batch of egress changes was refused", ["error": "\(error)"])
            for item in batch { await writeAlone(item.key, item.value) }
        }
        return true
    }

    private func writeAlone(_ id: String, _ entry: Entry) async {
        do {
            try await write([(id, entry)])
        } catch {
            log.error("an egress change was not stored", ["egress": id, "error": "\(error)"])
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
        let committed = try await store.commit(change)
        for (index, item) in batch.enumerated() {
            written(item.key, item.value, version: committed.documents[index].version)
        }
    }

    /// The change is durable: a lease may be told to its worker now, and an ended egress be forgotten.
    private func written(_ id: String, _ entry: Entry, version: Int64) {
        entries[id]?.version = version
        if entry.pending.assignsAfter, let worker = entries[id]?.worker { tell(id, to: worker) }
        if entry.pending.hasEnded {
            egressByJob[entry.run.job] = nil
            entries[id] = nil
        }
    }
}
