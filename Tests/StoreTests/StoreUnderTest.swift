import Store
import Spec
import Testing
import Timing

/// One implementation of ``Store``, and how to make an empty one. The conformance suites run on each in ``all``.
struct StoreUnderTest: CustomTestStringConvertible, Sendable {
    let name: String
    let make: @Sendable (TemporaryFolder) throws -> any Store

    var testDescription: String { name }

    static let all = [StoreUnderTest(name: "SQLite") { try SQLiteStore(path: $0.path("store.db")) }]

    /// Runs `body` on an empty store that is gone afterwards.
    func run(_ body: (any Store) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        try await body(make(folder))
    }
}

extension WallTime {
    /// Seconds since the tests' day began.
    static func at(_ seconds: Double) -> Self { Self(nanoseconds: 1_795_000_000_000_000_000 + Int64(seconds * 1e9)) }
}

extension Document {
    static func egress(
        _ id: String, at seconds: Double = 0, room: String? = "demo", state: String = "queued", isActive: Bool = true,
        labels: [String: String] = [:], uniqueKey: String? = nil
    ) -> Document {
        Document(
            kind: .egress, id: id, createdAt: .at(seconds), room: room, roomID: room.map { "RM_" + $0 }, state: state,
            isActive: isActive, labels: labels, keyID: "devkey", uniqueKey: uniqueKey, body: Array("{}".utf8))
    }
}

extension NewJob {
    static func test(_ id: String, subject: String = "EG_1", at seconds: Double = 0) -> NewJob {
        NewJob(
            id: id, kind: "egress", subject: subject, room: "demo", keyID: "devkey", pipeline: "record-mp4",
            needs: Needs(milliCores: 3, memoryBytes: 2_000_000), createdAt: .at(seconds))
    }
}

extension EventRow {
    static func test(_ id: String, subject: String = "EG_1", at seconds: Double = 0) -> EventRow {
        EventRow(
            id: id, at: .at(seconds), kind: "egress_started", subject: subject, room: "demo", roomID: "RM_demo",
            body: [0x7B, 0x7D])
    }
}
