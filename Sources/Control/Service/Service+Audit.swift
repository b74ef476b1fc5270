import FoundationEssentials
import Log
import Storage
import Store
import Synchronization
import Timing

extension Service {
    /// Holds the files against the records, once after the start, and says what does not fit: see `sluice store check`.
    func auditData(at now: WallTime) async {
        do {
            var named = NamedFiles()
            try await each(.egress) { body in
                if let run = try? JSONDecoder().decode(EgressRun.self, from: body) { named.add(run.record) }
            }
            try await each(.tape) { body in
                if let tape = try? JSONDecoder().decode(TapeRecord.self, from: body) { named.add(tape) }
            }
            let found = DataAudit(data: folder.path, named: named, at: now)
            audit.withLock { $0 = found }
            guard let summary = found.summary else { return }
            let first = found.orphans.first?.path ?? found.leftovers.first?.path ?? found.missing.first?.path ?? ""
            Logger("store").warning(
                "files and records differ; `sluice store check` lists them", ["found": summary, "first": first])
        } catch {
            Logger("store").warning("files could not be held against records", ["error": "\(error)"])
        }
    }

    private func each(_ kind: DocumentKind, _ take: (Data) -> Void) async throws {
        var query = DocumentQuery(kind)
        query.limit = PageLimit.range.upperBound
        repeat {
            let page = try await store.documents(query)
            for document in page.items { take(Data(document.body)) }
            query.after = page.next
        } while query.after != nil
    }

    /// For `/readyz`: never a reason not to be ready.
    func auditCheck() -> HealthCheck {
        let found = audit.withLock { $0 }
        return HealthCheck(
            name: "files", ok: true, detail: found.map { $0.summary ?? "as the records say" } ?? "not looked at yet",
            remedy: found?.summary == nil ? "" : "`sluice store check` lists them; nothing is deleted by itself.")
    }
}
