import Config
import FoundationEssentials
import JWT
import Jobs
import Log
import Spec
import Store
import Testing
import Timing

@testable import Service

@Suite("Retention", .timeLimit(.minutes(1)))
struct RetentionTests {
    static let day = Duration.seconds(86_400)
    /// When the recordings of these tests ended.
    static let end = WallTime(nanoseconds: 1_800_000_000_000_000_000)

    @Test("deletes files of what ended, by age, and keeps the record; nothing else goes")
    func files() async throws {
        try await Site.with {
            $0.retention.recordings = Self.day * 7
        } body: { site in
            let old = try await site.ended("EG_old", files: ["a/old.mp4", "old-2.mp4"], at: Self.end)
            let young = try await site.ended("EG_young", files: ["young.mp4"], at: Self.end + Self.day * 2)
            let running = try await site.ended("EG_running", files: ["running.mp4"], at: Self.end, isActive: true)
            try site.lay("nobodys.mp4")
            await site.service.sweep(at: Self.end + Self.day * 7)
            #expect(site.present == ["a/old.mp4", "nobodys.mp4", "old-2.mp4", "running.mp4", "young.mp4"])
            await site.service.sweep(at: Self.end + Self.day * 7 + .seconds(1))
            #expect(site.present == ["nobodys.mp4", "running.mp4", "young.mp4"])
            #expect(try await site.record(old)?.deletedAt == Timestamp(Self.end + Self.day * 7 + .seconds(1)))
            #expect(try await site.record(young)?.deletedAt == nil)
            #expect(try await site.record(running)?.deletedAt == nil)
        }
    }

    @Test("forgets a record after its time, but not while a file of it is there")
    func records() async throws {
        try await Site.with { _ in
        } body: { site in
            let bare = try await site.ended("EG_bare", files: [], at: Self.end)
            let kept = try await site.ended("EG_kept", files: ["kept.mp4"], at: Self.end)
            let gone = try await site.ended("EG_gone", files: ["gone.mp4"], at: Self.end)
            try FileManager.default.removeItem(atPath: site.recordings + "/gone.mp4")
            await site.service.sweep(at: Self.end + Self.day * 30)
            #expect(try await site.record(bare) != nil)
            await site.service.sweep(at: Self.end + Self.day * 31)
            #expect(try await site.record(bare) == nil)
            #expect(try await site.record(gone) == nil)
            #expect(try await site.record(kept) != nil)
            #expect(site.present == ["kept.mp4"])
        }
    }

    @Test("a file that cannot be removed is not called deleted")
    func stubborn() async throws {
        try await Site.with { _ in
        } body: { site in
            let id = try await site.ended("EG_1", files: ["real/film.mp4"], at: Self.end)
            try FileManager.default.moveItem(atPath: site.recordings + "/real", toPath: site.recordings + "/other")
            try FileManager.default.createSymbolicLink(
                atPath: site.recordings + "/real", withDestinationPath: site.recordings + "/other")
            let caller = Caller(keyID: "", grants: VideoGrants())
            let error = await #expect(throws: ServiceError.self) {
                try await site.service.deleteEgress(id, caller: caller)
            }
            #expect(error?.code == .unavailable)
            #expect(try await site.record(id)?.deletedAt == nil)
            #expect(FileManager.default.fileExists(atPath: site.recordings + "/other/film.mp4"))
        }
    }

    @Test("a record whose files were deleted is kept for its time from then")
    func deleted() async throws {
        try await Site.with {
            $0.retention.recordings = Self.day
        } body: { site in
            let id = try await site.ended("EG_1", files: ["a.mp4"], at: Self.end)
            await site.service.sweep(at: Self.end + Self.day * 20)
            #expect(site.present.isEmpty)
            await site.service.sweep(at: Self.end + Self.day * 49)
            #expect(try await site.record(id)?.deletedAt != nil)
            await site.service.sweep(at: Self.end + Self.day * 51)
            #expect(try await site.record(id) == nil)
        }
    }

    @Test("a tape goes with its record, by an age of its own")
    func tapes() async throws {
        try await Site.with {
            $0.retention.tapes = Self.day
        } body: { site in
            let path = site.recordings + "/../tapes/TP_1.tape"
            try Data("tape".utf8).write(to: URL(filePath: path))
            try await site.tape("TP_1", at: Self.end)
            await site.service.sweep(at: Self.end + Self.day)
            #expect(FileManager.default.fileExists(atPath: path))
            await site.service.sweep(at: Self.end + Self.day + .seconds(1))
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try await site.service.store.document(.tape, id: "TP_1") == nil)
        }
    }

    @Test("a later egress's file of the same name is not an old one's")
    func sameName() async throws {
        try await Site.with {
            $0.retention.recordings = Self.day
        } body: { site in
            let old = try await site.ended("EG_1", files: ["a.mp4"], at: Self.end)
            _ = try await site.ended("EG_2", files: ["a.mp4"], at: Self.end + Self.day * 5, isActive: true)
            await site.service.sweep(at: Self.end + Self.day * 5)
            #expect(site.present == ["a.mp4"])
            let caller = Caller(keyID: "key", grants: .init())
            try await site.service.deleteEgress(old, caller: caller)
            #expect(site.present == ["a.mp4"])
            #expect(try await site.record(old)?.deletedAt != nil)
        }
    }
}

/// A service with recordings that lie in its folder since a known time.
private struct Site: Sendable {
    let service: Service
    let recordings: String

    static func with(
        _ change: (inout Config.Configuration) -> Void, body: @Sendable (Site) async throws -> Void
    ) async throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        var configuration = Config.Configuration()
        configuration.data = folder
        configuration.rtmp.host = "127.0.0.1"
        configuration.rtmp.port = 0
        configuration.shutdown.wait = .zero
        configuration.keys = [APIKey(id: "key", secret: Secret("an-api-secret-of-32-bytes-or-more"))]
        change(&configuration)
        let service = try await Service(configuration, worker: folder + "/no-worker")
        try await body(Site(service: service, recordings: folder + "/recordings"))
        await service.drain { true }
    }

    func lay(_ path: String, at time: WallTime = RetentionTests.end) throws {
        let full = recordings + "/" + path
        let folder = full[..<(full.lastIndex(of: "/") ?? full.endIndex)]
        try FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
        try Data("film".utf8).write(to: URL(filePath: full))
        let date = Date(timeIntervalSince1970: Double(time.nanoseconds) / 1e9)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: full)
    }

    /// Stores the record of a recording that ended then, and lays its files.
    func ended(_ id: String, files: [String], at time: WallTime, isActive: Bool = false) async throws -> String {
        var run = EgressRunTests.run(file: true, push: true, id: id)
        run.record.state = isActive ? .active : .complete
        run.record.createdAt = Timestamp(time - .seconds(60))
        run.record.updatedAt = Timestamp(time)
        run.record.endedAt = isActive ? nil : Timestamp(time)
        run.record.outputs[0].location = files.last.map { recordings + "/" + $0 }
        if files.count > 1 {
            run.record.outputs[0].parts = files.enumerated().map {
                PartRecord(
                    number: $0 + 1, location: recordings + "/" + $1, href: "", durationSeconds: 1, sizeBytes: 4)
            }
        }
        for file in files { try lay(file, at: time) }
        try await service.store.commit(
            Change(documents: [.put(try await service.egressControl.document(run), expected: nil)]))
        return id
    }

    /// Stores the record of a tape that ended then.
    func tape(_ id: String, at time: WallTime) async throws {
        let tape = TapeRecord(
            id: id, egress: "EG_1", output: "raw", roomId: "RM_1", room: "demo", state: .complete,
            createdAt: Timestamp(time - .seconds(60)), startedAt: .init(wrappedValue: Timestamp(time)),
            endedAt: .init(wrappedValue: Timestamp(time)), durationSeconds: 1, sizeBytes: 4,
            location: .init(wrappedValue: recordings.dropLast("recordings".count) + "tapes/\(id).tape"),
            participants: [], tracks: [],
            gaps: [], leftOutCount: 0, error: .init(), labels: [:], keyId: .init())
        try await service.store.commit(Change(documents: [.put(try tape.document(), expected: nil)]))
    }

    func record(_ id: String) async throws -> EgressRecord? {
        try await service.store.document(.egress, id: id).map {
            try JSONDecoder().decode(EgressRun.self, from: Data($0.body)).record
        }
    }

    /// The files beneath the folder of recordings.
    var present: [String] {
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: recordings)) ?? []
        return all.filter { $0.hasSuffix(".mp4") }.sorted()
    }
}
