import Forwarding
import FoundationEssentials
import Assignments
import Jobs
import LinkTransport
import MediaLoop
import RTMPServer
import Spec
import Store
import Testing
import Timing

@testable import Service

/// An ``EgressControl`` on a real store, with workers that are idle processes: the test says what they report.
final class EgressSite: Sendable {
    let folder: String
    /// Set when it made the folder.
    private let own: TemporaryFolder?
    let control: EgressControl
    let store: SQLiteStore

    init(worker: String = "#!/bin/sh\nexec cat <&3 >/dev/null\n", in folder: String? = nil) async throws {
        own = try folder == nil ? TemporaryFolder() : nil
        self.folder = folder ?? own?.path ?? ""
        let executable = self.folder + "/worker"
        try Data(worker.utf8).write(to: URL(filePath: executable))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: executable)
        store = try SQLiteStore(path: self.folder + "/store.db")
        let plane = await MediaPlane(replay: FeedRing.Limits(), rtmp: RTMPServer.Limits())
        control = EgressControl(
            store: store, plane: plane,
            limits: .init(
                capacity: Needs(milliCores: 1000, memoryBytes: 1 << 30), resumeWithin: .seconds(60), root: "/data",
                diskReserveBytes: 0),
            workers: WorkerTable(executable: executable, markFolder: self.folder))
    }

    /// An egress with one recording (and a push), taken by the worker whose id is given back too.
    func start(push: Bool = false) async throws -> (id: String, job: String, worker: String) {
        let run = EgressRunTests.run(file: true, push: push)
        let record = try await control.create(run, answer: nil)
        return (record.id, run.job, try #require(await control.entries[record.id]?.worker))
    }

    func report(_ state: OutputReport.State, _ change: (inout JobReport) -> Void = { _ in }, on id: String) async throws
    {
        guard let entry = await control.entries[id], let worker = entry.worker else { return }
        var report = JobReport(outputs: [EgressRunTests.report("film", state)], isFinal: false)
        change(&report)
        let body = Array(try JSONEncoder().encode(report))
        await control.handle(
            LinkEvent.report(worker: worker, job: entry.run.job, fence: UInt64(entry.fence), body: body))
    }

    func persist() async { while await control.persistBatch() {} }
}
