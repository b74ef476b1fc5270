import Store
import Timing

extension Service {
    /// One page of documents that `query` asks for and `caller` may see.
    func stored(
        _ kind: DocumentKind, _ query: ListQuery, caller: Caller
    ) async throws(ServiceError) -> (items: [Document], next: String?) {
        var wanted = DocumentQuery(kind)
        wanted.room = query.room
        wanted.states = query.state.map { [$0] } ?? []
        wanted.isActive = query.active
        wanted.labels = query.labels
        wanted.createdAfter = query.createdAfter?.wallTime
        wanted.limit = PageLimit.range.upperBound
        if let cursor = query.cursor {
            guard let place = Cursor(text: cursor.id) else {
                throw ServiceError(.invalidRequest, "`cursor` is no cursor of this list.")
            }
            wanted.after = place
        }
        var items: [Document] = []
        repeat {
            let asked = wanted
            let page = try await translating { try await self.store.documents(asked) }
            for document in page.items where caller.maySee(room: document.room ?? "") {
                guard items.count < query.limit else { return (items, items.last.map { ListCursor(after: $0).text }) }
                items.append(document)
            }
            wanted.after = page.next
        } while wanted.after != nil
        return (items, nil)
    }
}

extension ListCursor {
    /// The place after a stored document: the store's own cursor, in the text that lists give out.
    init(after document: Document) {
        self.init(createdAt: document.createdAt.nanoseconds, id: Cursor(after: document).text)
    }
}
