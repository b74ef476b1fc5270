import SQLite
import Timing

extension Engine {
    /// - Returns: the document as it now stands, if it was put.
    func apply(_ step: DocumentChange) throws(StoreError) -> Document? {
        switch step {
        case .put(let document, let expected):
            return try put(document, expected: expected)
        case .delete(let kind, let id, let expected):
            try require(kind, id, version: expected)
            try database.modify("DELETE FROM documents WHERE kind = ?1 AND id = ?2", [.text(kind.rawValue), .text(id)])
            return nil
        case .require(let kind, let id, let version):
            try require(kind, id, version: version)
            return nil
        }
    }

    private func require(_ kind: DocumentKind, _ id: String, version expected: Int64?) throws(StoreError) {
        let found = try database.query(
            "SELECT version FROM documents WHERE kind = ?1 AND id = ?2", [.text(kind.rawValue), .text(id)]
        ) { $0.int64(0) }.first
        guard found == expected else { throw .conflict(kind: kind, id: id, expected: expected, found: found) }
    }

    private func put(_ new: Document, expected: Int64?) throws(StoreError) -> Document {
        try require(new.kind, new.id, version: expected)
        try requireFreeKey(of: new)
        var document = new
        document.version = (expected ?? 0) + 1
        let values: [SQLValue] = [
            .text(document.kind.rawValue), .text(document.id), .integer(document.version),
            .integer(document.createdAt.nanoseconds), .integer(document.updatedAt.nanoseconds),
            .optional(document.room), .optional(document.roomID), .text(document.state),
            .integer(document.isActive ? 1 : 0), .text(StringMap.encode(document.labels)), .optional(document.keyID),
            .optional(document.uniqueKey), .blob(document.body),
        ]
        try database.modify(expected == nil ? Self.insertDocument : Self.updateDocument, values)
        try putLabels(of: document, isNew: expected == nil)
        return document
    }

    private static let insertDocument = """
        INSERT INTO documents (\(documentColumns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
        """

    private static let updateDocument = """
        UPDATE documents SET version = ?3, created_at = ?4, updated_at = ?5, room = ?6, room_id = ?7, state = ?8,
            is_active = ?9, labels = ?10, key_id = ?11, unique_key = ?12, body = ?13
        WHERE kind = ?1 AND id = ?2
        """

    private func requireFreeKey(of document: Document) throws(StoreError) {
        guard let key = document.uniqueKey else { return }
        let holders = try database.number(
            "SELECT count(*) FROM documents WHERE kind = ?1 AND unique_key = ?2 AND id <> ?3",
            [.text(document.kind.rawValue), .text(key), .text(document.id)])
        guard holders == 0 else { throw .keyTaken(kind: document.kind, id: document.id) }
    }

    private func putLabels(of document: Document, isNew: Bool) throws(StoreError) {
        let key: [SQLValue] = [.text(document.kind.rawValue), .text(document.id)]
        if !isNew { try database.modify("DELETE FROM labels WHERE kind = ?1 AND id = ?2", key) }
        for (name, value) in document.labels {
            try database.modify(
                "INSERT INTO labels (kind, id, name, value) VALUES (?1, ?2, ?3, ?4)", key + [.text(name), .text(value)])
        }
    }

    func document(_ kind: DocumentKind, id: String) throws(StoreError) -> Document? {
        try database.query(
            "SELECT \(Self.documentColumns) FROM documents WHERE kind = ?1 AND id = ?2",
            [.text(kind.rawValue), .text(id)], Self.document
        ).first
    }

    func document(_ kind: DocumentKind, uniqueKey: String) throws(StoreError) -> Document? {
        try database.query(
            "SELECT \(Self.documentColumns) FROM documents WHERE kind = ?1 AND unique_key = ?2",
            [.text(kind.rawValue), .text(uniqueKey)], Self.document
        ).first
    }

    func documents(_ query: DocumentQuery) throws(StoreError) -> Page<Document> {
        let limit = PageLimit.clamped(query.limit)
        let filter = Self.filter(query)
        let found = try database.query(
            """
            SELECT \(Self.documentColumns) FROM documents AS d \(filter.clause)
            ORDER BY created_at DESC, id DESC LIMIT \(limit + 1)
            """, filter.values, Self.document)
        let items = Array(found.prefix(limit))
        return Page(items: items, next: found.count > limit ? items.last.map(Cursor.init(after:)) : nil)
    }

    private static func filter(_ query: DocumentQuery) -> Filter {
        var filter = Filter()
        filter.add("kind = ?", .text(query.kind.rawValue))
        if let room = query.room { filter.add("room = ?", .text(room)) }
        if let roomID = query.roomID { filter.add("room_id = ?", .text(roomID)) }
        filter.add("state", among: query.states.sorted())
        if let isActive = query.isActive { filter.add("is_active = ?", .integer(isActive ? 1 : 0)) }
        for (name, value) in query.labels.sorted(by: { $0.key < $1.key }) {
            filter.add(
                """
                EXISTS (SELECT 1 FROM labels AS l WHERE l.kind = d.kind AND l.name = ? AND l.value = ? AND l.id = d.id)
                """, .text(name), .text(value))
        }
        if let time = query.createdAfter { filter.add("created_at > ?", .integer(time.nanoseconds)) }
        if let time = query.updatedBefore { filter.add("updated_at < ?", .integer(time.nanoseconds)) }
        if let cursor = query.after {
            filter.add("(created_at, id) < (?, ?)", .integer(cursor.position), .text(cursor.id))
        }
        return filter
    }

    private static let documentColumns = """
        kind, id, version, created_at, updated_at, room, room_id, state, is_active, labels, key_id, unique_key, body
        """

    private static func document(_ row: Statement) -> Document {
        var document = Document(
            kind: DocumentKind(rawValue: row.text(0)), id: row.text(1), createdAt: WallTime(nanoseconds: row.int64(3)),
            room: row.optionalText(5), roomID: row.optionalText(6), state: row.text(7), isActive: row.int64(8) != 0,
            labels: StringMap.decode(row.text(9)), keyID: row.optionalText(10), uniqueKey: row.optionalText(11),
            body: row.bytes(12))
        document.version = row.int64(2)
        document.updatedAt = WallTime(nanoseconds: row.int64(4))
        return document
    }
}
