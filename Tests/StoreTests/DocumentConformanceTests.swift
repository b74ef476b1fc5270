import Store
import Testing
import Timing

@Suite("A store's documents")
struct DocumentConformanceTests {
    @Test("come back as they were put, with a version", arguments: StoreUnderTest.all)
    func roundTrip(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            var document = Document(
                kind: .ingress, id: "IN_1", createdAt: .at(1), room: "döm o", roomID: "RM_1", state: "inactive",
                isActive: true, labels: ["order": "4711", "a\"b": "ü\u{0}"], keyID: "key", uniqueKey: "digest",
                body: Array(#"{"name":"studio"}"#.utf8))
            let first = try await store.commit(Change(documents: [.put(document, expected: nil)])).documents
            #expect(first.map(\.version) == [1])
            #expect(try await store.document(.ingress, id: "IN_1") == first[0])
            #expect(try await store.document(.ingress, uniqueKey: "digest") == first[0])

            document.state = "publishing"
            document.room = nil
            document.labels = [:]
            document.updatedAt = .at(2)
            document.body = []
            let second = try await store.commit(Change(documents: [.put(document, expected: 1)])).documents
            #expect(second.map(\.version) == [2])
            #expect(try await store.document(.ingress, id: "IN_1") == second[0])
        }
    }

    @Test("are found under their kind only", arguments: StoreUnderTest.all)
    func kinds(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            try await store.commit(Change(documents: [.put(.egress("X", uniqueKey: "u"), expected: nil)]))
            #expect(try await store.document(.ingress, id: "X") == nil)
            #expect(try await store.document(.ingress, uniqueKey: "u") == nil)
            #expect(try await store.document(.egress, id: "Y") == nil)
            #expect(try await store.documents(DocumentQuery(.room)).items.isEmpty)
        }
    }

    @Test("are put, deleted and required by compare and set", arguments: StoreUnderTest.all)
    func compareAndSet(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let document = Document.egress("EG_1")
            try await store.commit(Change(documents: [.put(document, expected: nil)]))
            let rows: [(step: DocumentChange, expected: Int64?, found: Int64?)] = [
                (.put(document, expected: nil), nil, 1),
                (.put(document, expected: 2), 2, 1),
                (.put(.egress("EG_2"), expected: 1), 1, nil),
                (.delete(.egress, id: "EG_1", expected: 7), 7, 1),
                (.delete(.egress, id: "EG_2", expected: 1), 1, nil),
                (.require(.egress, id: "EG_1", version: nil), nil, 1),
                (.require(.egress, id: "EG_2", version: 1), 1, nil),
            ]
            for row in rows {
                let error = await #expect(throws: StoreError.self) {
                    try await store.commit(Change(documents: [row.step]))
                }
                guard case .conflict(_, _, row.expected, row.found) = error else {
                    Issue.record("\(row.step) threw \(String(describing: error))")
                    continue
                }
            }
            let required = DocumentChange.require(.egress, id: "EG_1", version: 1)
            try await store.commit(Change(documents: [required, .delete(.egress, id: "EG_1", expected: 1)]))
            #expect(try await store.document(.egress, id: "EG_1") == nil)
        }
    }

    @Test("do not share a unique key within a kind", arguments: StoreUnderTest.all)
    func uniqueKeys(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let first = Document.egress("EG_1", uniqueKey: "name")
            try await store.commit(Change(documents: [.put(first, expected: nil)]))
            await #expect(throws: StoreError.keyTaken(kind: .egress, id: "EG_2")) {
                try await store.commit(Change(documents: [.put(.egress("EG_2", uniqueKey: "name"), expected: nil)]))
            }
            let room = Document(
                kind: .room, id: "RM_1", createdAt: .at(0), state: "open", isActive: true, uniqueKey: "name", body: [])
            var closed = first
            closed.uniqueKey = nil
            try await store.commit(
                Change(documents: [
                    .put(room, expected: nil), .put(closed, expected: 1),
                    .put(.egress("EG_2", uniqueKey: "name"), expected: nil),
                ]))
            #expect(try await store.document(.egress, uniqueKey: "name")?.id == "EG_2")
            #expect(try await store.document(.room, uniqueKey: "name")?.id == "RM_1")
        }
    }

    static let filters: [(change: @Sendable (inout DocumentQuery) -> Void, ids: [String])] = [
        ({ _ in }, ["EG_5", "EG_4", "EG_3", "EG_2", "EG_1"]),
        ({ $0.room = "b" }, ["EG_4", "EG_2"]),
        ({ $0.roomID = "RM_a" }, ["EG_3", "EG_1"]),
        ({ $0.isActive = true }, ["EG_5", "EG_4", "EG_1"]),
        ({ $0.isActive = false }, ["EG_3", "EG_2"]),
        ({ $0.states = ["active", "failed"] }, ["EG_4", "EG_3", "EG_1"]),
        ({ $0.labels = ["x": "1"] }, ["EG_3", "EG_2", "EG_1"]),
        ({ $0.labels = ["x": "1", "y": "2"] }, ["EG_2"]),
        ({ $0.labels = ["x": "' OR 1=1 --"] }, []),
        ({ $0.createdAfter = .at(3) }, ["EG_5", "EG_4"]),
        (
            {
                $0.room = "a"
                $0.isActive = true
                $0.createdAfter = .at(0)
            }, ["EG_1"]
        ),
    ]

    @Test("are listed newest first, by every filter", arguments: StoreUnderTest.all, filters.indices)
    func filtering(of store: StoreUnderTest, row: Int) async throws {
        try await store.run { store async throws in
            let documents: [Document] = [
                .egress("EG_1", at: 1, room: "a", state: "active", labels: ["x": "1"]),
                .egress("EG_2", at: 2, room: "b", state: "complete", isActive: false, labels: ["x": "1", "y": "2"]),
                .egress("EG_3", at: 3, room: "a", state: "failed", isActive: false, labels: ["x": "1", "y": "3"]),
                .egress("EG_4", at: 4, room: "b", state: "active", labels: ["x": "2"]),
                .egress("EG_5", at: 5, room: nil),
            ]
            try await store.commit(Change(documents: documents.map { .put($0, expected: nil) }))
            var query = DocumentQuery(.egress)
            Self.filters[row].change(&query)
            #expect(try await store.documents(query).items.map(\.id) == Self.filters[row].ids)
        }
    }

    @Test("keep their pages while more are made and some go", arguments: StoreUnderTest.all)
    func cursor(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            // Pairs share an instant: the id decides.
            let old = (0..<25).map { Document.egress("EG_\(100 + $0)", at: Double($0 / 2)) }
            try await store.commit(Change(documents: old.map { .put($0, expected: nil) }))
            var query = DocumentQuery(.egress)
            query.limit = 4
            var seen: [String] = []
            for page in 0..<10 {
                let found = try await store.documents(query)
                seen += found.items.map(\.id)
                guard let next = found.next else { break }
                query.after = Cursor(text: next.text)
                #expect(query.after == next)
                let new = Document.egress("EG_\(200 + page)", at: 100 + Double(page))
                try await store.commit(
                    Change(documents: [
                        .put(new, expected: nil), .delete(.egress, id: found.items[0].id, expected: 1),
                    ]))
            }
            #expect(seen == old.reversed().map(\.id))
        }
    }

    @Test("come at most 200 at a time, and at least one", arguments: StoreUnderTest.all)
    func pageLimits(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let many = (0..<230).map { Document.egress("EG_\(1000 + $0)", at: Double($0)) }
            try await store.commit(Change(documents: many.map { .put($0, expected: nil) }))
            for (asked, given) in [(Int.min, 1), (0, 1), (50, 50), (200, 200), (Int.max, 200)] {
                var query = DocumentQuery(.egress)
                query.limit = asked
                #expect(try await store.documents(query).items.count == given)
            }
        }
    }

    @Test("take no cursor that no list gave out", arguments: ["", ".", "EG_1", "-.", "zz zz.x", "99999999999999.x"])
    func foreignCursor(text: String) {
        #expect(Cursor(text: text) == nil)
    }

    @Test("are pruned once they have ended", arguments: StoreUnderTest.all)
    func retention(of store: StoreUnderTest) async throws {
        try await store.run { store async throws in
            let documents: [Document] = [
                .egress("EG_1", at: 1), .egress("EG_2", at: 1, isActive: false, labels: ["a": "b"]),
                .egress("EG_3", at: 9, isActive: false),
            ]
            try await store.commit(Change(documents: documents.map { .put($0, expected: nil) }))
            var retention = Retention()
            #expect(try await store.prune(retention) == 0)
            retention.documents = [.egress: .at(5), .room: .at(100)]
            #expect(try await store.prune(retention) == 1)
            #expect(try await store.documents(DocumentQuery(.egress)).items.map(\.id) == ["EG_3", "EG_1"])
        }
    }
}
