import Feed
import FoundationEssentials
import Glibc
import Assignments
import LinkTransport
import Spec
import Testing
import Work

@Suite("A worker in trouble", .timeLimit(.minutes(1)))
struct TroubleTests {
    @Test("refuses to record on a disk that is at its reserve")
    func reserve() throws {
        let gateway = try FakeGateway(SimulatedRoom(), diskReserve: .max)
        try gateway.assign(.recording(in: gateway.folder))
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .failed && output.errorCode == "disk_full")
        #expect(output.errorMessage?.contains("no space left") == true)
        #expect(!FileManager.default.fileExists(atPath: gateway.folder + "/demo/film.mp4"))
    }

    @Test("that fills the disk with one job goes on with the others")
    func full() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        var full = EgressAssignment.recording("EG_full", in: "/dev", attempt: 2)  // a later attempt opens what is there
        full.outputs[0].target = .mp4(root: "/dev", path: "full")
        try gateway.assign(.recording(in: gateway.folder))
        try gateway.assign(full)
        let failed = try #require(try gateway.finalReport().outputs.first)
        #expect(failed.state == .failed && failed.errorCode == "disk_full")
        try gateway.command(.stop)
        #expect(try gateway.finalReport().outputs.first?.state == .complete)
        #expect(try Frames(of: gateway.folder + "/demo/film.mp4") == Frames(gateway.room.frames))
    }

    static let badPaths = ["../film.mp4", "/etc/film.mp4", "a//b", "", "a\0b", String(repeating: "n", count: 300)]

    @Test("does not write outside of its root", arguments: badPaths)
    func badPath(path: String) throws {
        let gateway = try FakeGateway(SimulatedRoom())
        var assignment = EgressAssignment.recording(in: gateway.folder)
        assignment.outputs[0].target = .mp4(root: gateway.folder, path: path)
        try gateway.assign(assignment)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .failed && output.errorCode == "storage_failed")
    }

    @Test("lets a file alone that is not the job's")
    func foreignFile() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try FileManager.default.createDirectory(
            atPath: gateway.folder + "/demo", withIntermediateDirectories: true)
        let path = gateway.folder + "/demo/film.mp4"
        #expect(FileManager.default.createFile(atPath: path, contents: Data("not a film".utf8)))
        try gateway.assign(.recording(in: gateway.folder, attempt: 2))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.location == gateway.folder + "/demo/film-2.mp4")
        #expect(FileManager.default.contents(atPath: path) == Data("not a film".utf8))
    }

    @Test("waits for who still writes into its folder", arguments: [true, false])
    func busyFolder(isStopped: Bool) throws {
        let gateway = try FakeGateway(SimulatedRoom())
        let path = gateway.folder + "/demo/live"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let other = unsafe open(path, O_RDONLY)
        #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
        var assignment = EgressAssignment.recording(in: gateway.folder, attempt: 2)
        assignment.outputs[0].target = .hls(
            root: gateway.folder, path: "demo/live", HLSPlan(segmentSeconds: 1, windowSegments: nil))
        try gateway.assign(assignment)
        #expect(try gateway.report().outputs.first?.state == .pending)
        #expect(gateway.subscriptions.isEmpty)
        if isStopped { try gateway.command(.stop) }
        close(other)
        if !isStopped {
            _ = try gateway.report { $0.outputs.first?.state == .active }
            #expect(gateway.subscriptions.count == 1)
            try gateway.command(.stop)
        }
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .complete && output.location == path + "/index.m3u8")
        #expect(!FileManager.default.fileExists(atPath: path + "-2"))
        let after = unsafe open(path, O_RDONLY)
        #expect(flock(after, LOCK_EX | LOCK_NB) == 0, "who is done lets go")
        close(after)
    }

    @Test("says that there is no such room")
    func noRoom() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        var assignment = EgressAssignment.recording(in: gateway.folder)
        assignment.roomID = "RM_other"
        try gateway.assign(assignment)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .failed && output.errorCode == "not_found")
    }

    @Test("ends a job that it does not understand, and goes on")
    func malformed() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        gateway.send(.assign(job: "EG_bad", fence: 1, body: Array("{".utf8)))
        #expect(try gateway.finalReport() == JobReport(outputs: [], isFinal: true))
        try gateway.assign(.recording(in: gateway.folder))
        try gateway.command(.stop, job: "EG_other")
        try gateway.command(.stop)
        #expect(try gateway.finalReport().outputs.first?.state == .complete)
    }

    @Test("answers pings while it works")
    func ping() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.recording(in: gateway.folder))
        gateway.send(.ping(77))
        #expect(try gateway.await { if case .pong(let number) = $0 { number } else { nil } } == 77)
    }

    @Test("leaves a file alone whose job is another worker's by now")
    func fenced() throws {
        let gateway = try FakeGateway(SimulatedRoom(), published: 100)
        try gateway.assign(.recording(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        let subscription = try #require(gateway.subscriptions.keys.first)
        let before = FileManager.default.contents(atPath: gateway.folder + "/demo/film.mp4")
        gateway.send(.ended(subscription: subscription, .fenced))
        _ = try gateway.finalReport()
        #expect(FileManager.default.contents(atPath: gateway.folder + "/demo/film.mp4") == before)
    }

    @Test("that traps on a poisoned job leaves that job's name behind")
    func poison() async throws {
        let temporary = try TemporaryFolder()
        await #expect(processExitsWith: .failure) { [folder = temporary.path as String] in
            let gateway = try FakeGateway(SimulatedRoom(), folder: folder, flightMark: folder + "/mark")
            try gateway.assign(.recording("EG_good", in: gateway.folder))
            _ = try gateway.report { $0.outputs.first?.state == .active }
            var poisoned = EgressAssignment.recording("EG_poisoned", in: gateway.folder)
            poisoned.poison = true
            try gateway.assign(poisoned)
            _ = try gateway.await { _ in nil as Bool? }
        }
        #expect(FlightMark.read(path: temporary.path("mark")) == "EG_poisoned")
    }
}
