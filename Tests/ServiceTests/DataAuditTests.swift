import FoundationEssentials
import Spec
import Store
import Testing
import Timing

@testable import Service

@Suite("Files held against records")
struct DataAuditTests {
    static let now = WallTime(nanoseconds: 1_900_000_000_000_000_000)

    private let folder: TemporaryFolder
    private var data: String { folder.path }

    init() throws {
        folder = try TemporaryFolder()
        for name in ["recordings/a", "tapes", "tmp", "store"] {
            try FileManager.default.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
        }
    }

    private func lay(_ path: String) throws { try Data("1234".utf8).write(to: URL(filePath: data + "/" + path)) }

    private func record(_ id: String, at path: String, _ state: OutputState = .complete) -> EgressRecord {
        var record = EgressRunTests.run(file: true, push: true, id: id).record
        record.outputs[0].location = data + "/" + path
        record.outputs[0].state = state
        record.outputs[0].startedAt = Timestamp(Self.now)
        record.outputs[1].location = "rtmp://host/app/***"
        return record
    }

    @Test("finds what no record names, what is missing, and what was left; links are no files of ours")
    func audit() throws {
        for path in [
            "recordings/a/named.mp4", "recordings/a/orphan.mp4", "tapes/orphan.tape", "tmp/left", "tmp/WK_1.mark",
        ] {
            try lay(path)
        }
        try FileManager.default.createSymbolicLink(
            atPath: data + "/recordings/link.mp4", withDestinationPath: data + "/recordings/a/named.mp4")
        var named = NamedFiles()
        named.add(record("EG_1", at: "recordings/a/named.mp4"))
        named.add(record("EG_2", at: "recordings/gone.mp4"))
        named.add(record("EG_3", at: "recordings/not-yet.mp4", .active))
        var deleted = record("EG_4", at: "recordings/deleted.mp4")
        deleted.deletedAt = Timestamp(Self.now)
        named.add(deleted)
        let audit = DataAudit(data: data, named: named, at: Self.now)
        #expect(audit.orphans.map(\.path) == ["recordings/a/orphan.mp4", "tapes/orphan.tape"])
        #expect(audit.orphans.map(\.byteCount) == [4, 4])
        #expect(audit.leftovers.map(\.path) == ["tmp/left"])
        #expect(audit.missing == [.init(egress: "EG_2", output: "film", path: data + "/recordings/gone.mp4")])
        #expect(
            audit.summary
                == "2 files that no record names, 1 temporary files left, 1 files of recordings missing")
    }

    @Test("all files of an HLS output's folder are named; a draft in it was left")
    func folders() throws {
        try FileManager.default.createDirectory(
            atPath: data + "/recordings/live", withIntermediateDirectories: true)
        for name in ["index.m3u8", "0.m4s", ".1.m4s.part"] { try lay("recordings/live/" + name) }
        var live = record("EG_1", at: "recordings/live/index.m3u8")
        live.outputs[0].type = .hls
        var named = NamedFiles()
        named.add(live)
        let audit = DataAudit(data: data, named: named, at: Self.now)
        #expect(audit.orphans.isEmpty && audit.missing.isEmpty)
        #expect(audit.leftovers.map(\.path) == ["recordings/live/.1.m4s.part"])
    }

    @Test("a file that was just made is no orphan: its record may be on its way")
    func grace() throws {
        try lay("recordings/new.mp4")
        let made = WallTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
        #expect(DataAudit(data: data, named: NamedFiles(), at: made).summary == nil)
        #expect(DataAudit(data: data, named: NamedFiles(), at: made + .seconds(120)).orphans.count == 1)
    }

    @Test("jobs and records that contradict each other are named")
    func contradictions() async throws {
        #expect(throws: StoreError.self) { try StoreInspection(data: data, at: Self.now) }
        let store = try SQLiteStore(path: data + "/store/sluice.db")
        var run = EgressRunTests.run(file: true, push: false, id: "EG_active")
        run.record.state = .active
        var document = Document(
            kind: .egress, id: "EG_active", createdAt: Self.now, state: "active", isActive: true,
            body: Array(try JSONEncoder().encode(run)))
        let job = NewJob(
            id: "JB_1", kind: "egress", subject: "EG_active", pipeline: "p",
            needs: Needs(milliCores: 1, memoryBytes: 1), createdAt: Self.now)
        try await store.commit(Change(documents: [.put(document, expected: nil)], jobs: [.enqueue(job)]))
        #expect(try StoreInspection(data: data, at: Self.now).isSound)
        run.record.state = .complete
        document.body = Array(try JSONEncoder().encode(run))
        try await store.commit(Change(documents: [.put(document, expected: 1)]))
        let found = try StoreInspection(data: data, at: Self.now)
        #expect(!found.isSound && found.egressCount == 1 && found.unfinishedJobCount == 1)
        #expect(found.contradictions == ["job JB_1 has not ended, and EG_active is not there or has"])
        await store.close()
    }
}
