import FFmpeg
import Feed
import ISOBMFF
import Assignments
import Testing
import Work

@Suite("A worker that records", .timeLimit(.minutes(1)))
struct RecordingTests {
    @Test("writes every frame of a room, tells what is safe, and seals the file at a stop")
    func record() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.recording(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .complete)
        #expect(output.location == gateway.folder + "/demo/film.mp4")
        #expect(output.startedAt == SimulatedRoom.epoch + gateway.room.firstPicture)
        #expect(output.unitsLost == 0)
        let frames = try Frames(of: gateway.folder + "/demo/film.mp4")
        #expect(frames == Frames(gateway.room.frames))
        #expect(abs(output.durationSeconds - 3) < 0.1)
        #expect(gateway.acknowledged.values.max() == UInt64(gateway.room.records.count))
    }

    @Test("is active only when another reader finds the first frame in the file")
    func firstFrame() throws {
        let gateway = try FakeGateway(SimulatedRoom(), published: 20)
        try gateway.assign(.recording(in: gateway.folder))
        let report = try gateway.report { $0.outputs.first?.state == .active }
        let location = try #require(report.outputs.first?.location)
        #expect(try Frames(of: location).video >= 1)
        let states = gateway.reports.compactMap { $0.outputs.first?.state }
        #expect(states.first == .pending && !states.dropLast().contains(.active))
    }

    @Test("goes on in the file of a dead one: one file, nothing lost, nothing twice", arguments: [30, 100, 150, 180])
    func takeOver(killedAfter count: Int) throws {
        let room = try SimulatedRoom()
        let first = try FakeGateway(room, published: count)
        try first.assign(.recording(in: first.folder))
        let location = try first.report { $0.outputs.first?.state == .active }.outputs.first?.location
        first.killWorker()
        #expect(location == first.folder + "/demo/film.mp4")

        let second = try FakeGateway(room, folder: first.folder)
        try second.assign(.recording(in: first.folder, attempt: 2))
        _ = try second.report { $0.outputs.first?.state == .active }
        try second.command(.stop)
        let output = try #require(try second.finalReport().outputs.first)
        #expect(output.state == .complete)
        #expect(output.location == location && output.parts == [])
        #expect(try Frames(of: first.folder + "/demo/film.mp4") == Frames(room.frames))
    }

    @Test(
        "after a restart of the gateway, goes on in its file behind a gap, or ends at its limit; after too long a time, in a next part",
        arguments: [(Int64(60), nil), (60, 2.0), (3600, nil)])
    func restart(away: Int64, durationSeconds: Double?) throws {
        let first = try FakeGateway(SimulatedRoom(), published: 100)
        try first.assign(.recording(in: first.folder))
        let location = try first.report { $0.outputs.first?.state == .active }.outputs.first?.location
        first.killWorker()

        let second = try FakeGateway(
            SimulatedRoom(epoch: SimulatedRoom.epoch + away * 1_000_000_000), folder: first.folder)
        var assignment = EgressAssignment.recording(in: first.folder, attempt: 2)
        assignment.durationSeconds = durationSeconds
        try second.assign(assignment)
        let request = try second.await { if case .subscribe(let request) = $0 { request } else { nil } }
        #expect(request.epoch == SimulatedRoom.epoch)
        let isPart = away > 600
        if durationSeconds == nil {
            _ = try second.report { $0.outputs.first.map { $0.unitsIn > 200 } ?? false }
            try second.command(.stop)
        }
        let report = try second.finalReport()
        let output = try #require(report.outputs.first)
        #expect(output.state == .complete)
        #expect(report.limitReached == (durationSeconds == nil ? nil : "duration"))
        #expect(output.parts == (isPart ? [location] : []))
        let frames = try Frames(of: first.folder + "/demo/film.mp4")
        let once = second.room.frames.video
        #expect(durationSeconds != nil || isPart ? frames.video < once : frames.video > once)
        #expect(output.location == first.folder + (isPart ? "/demo/film-2.mp4" : "/demo/film.mp4"))
        if durationSeconds == nil, !isPart { #expect(output.durationSeconds > Double(away)) }
    }

    @Test("begins anew in a file that holds nothing yet, from where it was to begin")
    func takeOverOfNothing() throws {
        let room = try SimulatedRoom()
        let first = try FakeGateway(room, published: 3)
        try first.assign(.recording(in: first.folder))
        _ = try first.report()
        first.killWorker()
        let second = try FakeGateway(room, folder: first.folder)
        var assignment = EgressAssignment.recording(in: first.folder, attempt: 2)
        assignment.outputs[0].resumeFrom = 2
        try second.assign(assignment)
        let request = try second.await { if case .subscribe(let request) = $0 { request } else { nil } }
        #expect(request.start == .position(2))
        try second.command(.stop)
        let output = try #require(try second.finalReport().outputs.first)
        #expect(output.location == first.folder + "/demo/film.mp4")
        #expect(try Frames(of: first.folder + "/demo/film.mp4") == Frames(room.frames))
    }

    @Test("seals what it has when the gateway dies, and wants to end")
    func gatewayGone() async throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.recording(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        gateway.hangUp()
        for await _ in gateway.ended {}
        #expect(try Frames(of: gateway.folder + "/demo/film.mp4") == Frames(gateway.room.frames))
    }

    @Test("seals, reports and wants to end when it is told to shut down", arguments: [true, false])
    func shutDown(byLink: Bool) async throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.recording(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        if byLink { gateway.send(.shutdown) } else { gateway.shutDownWorker() }
        #expect(try gateway.finalReport().outputs.first?.state == .complete)
        for await _ in gateway.ended {}
    }

    @Test("leaves no file when there was nothing to record")
    func nothing() throws {
        let gateway = try FakeGateway(SimulatedRoom(), published: 3)
        try gateway.assign(.recording(in: gateway.folder))
        let first = try gateway.report()
        #expect(first.outputs.first?.state == .pending)
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .complete && output.startedAt == 0 && output.location == nil && output.sizeBytes == 0)
        #expect(throws: AVError.self) { try Frames(of: gateway.folder + "/demo/film.mp4") }
    }

    @Test("ends by itself at a limit of length")
    func duration() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        var assignment = EgressAssignment.recording(in: gateway.folder)
        assignment.durationSeconds = 1.5
        try gateway.assign(assignment)
        let report = try gateway.finalReport()
        #expect(report.limitReached == "duration")
        let output = try #require(report.outputs.first)
        #expect(output.state == .complete && abs(output.durationSeconds - 1.5) < 0.05)
        #expect(try Frames(of: gateway.folder + "/demo/film.mp4").video == 45)
    }

    @Test(
        "ends within a frame of its limit, wherever that lies among B-frames; sound too",
        arguments: [1.0, 1.1, 1.26, 1.34, 1.5, 2.02])
    func limitAmongBFrames(seconds: Double) throws {
        let gateway = try FakeGateway(SimulatedRoom(playing: "bframes-25.flv"))
        var assignment = EgressAssignment.recording(in: gateway.folder)
        assignment.durationSeconds = seconds
        try gateway.assign(assignment)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .complete && (0...0.04).contains(output.durationSeconds - seconds))
        let ends = try Frames.ends(of: gateway.folder + "/demo/film.mp4")
        #expect(ends.video <= seconds + 0.04 && ends.video > seconds - 0.16, "pictures end at \(ends.video)")
        #expect((0...0.022).contains(ends.audio - seconds), "sound ends at \(ends.audio)")
    }

    @Test("ends by itself at a limit of size")
    func size() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        var assignment = EgressAssignment.recording(in: gateway.folder)
        assignment.bytes = 10_000
        try gateway.assign(assignment)
        let report = try gateway.finalReport()
        #expect(report.limitReached == "bytes")
        #expect(report.outputs.first?.state == .complete)
    }

    @Test("takes further outputs and gives up others while it runs")
    func outputs() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.recording(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        try gateway.command(.addOutput(.mp4("other", in: gateway.folder)))
        _ = try gateway.report { $0.outputs.count == 2 && $0.outputs[1].state == .active }
        try gateway.command(.removeOutput(id: "film"))
        let report = try gateway.report { $0.outputs.first?.state == .removed }
        #expect(report.outputs[1].state == .active && !report.isFinal)
        try gateway.command(.stop, fence: 7)  // an older or newer fence than the job's: not for this worker
        try gateway.command(.stop)
        #expect(try gateway.finalReport().outputs.map(\.state) == [.removed, .complete])
        for path in ["/demo/film.mp4", "/demo/film-2.mp4"] {
            #expect(try Frames(of: gateway.folder + path) == Frames(gateway.room.frames))
        }
    }
}

extension EgressAssignment {
    /// Records all of the simulated room to `demo/film.mp4` in `folder`.
    static func recording(_ egress: String = "EG_test", in folder: String, attempt: Int = 1) -> EgressAssignment {
        EgressAssignment(
            egress: egress, roomID: SimulatedRoom.id, room: "demo", attempt: attempt,
            outputs: [.mp4("film", in: folder, adopts: attempt > 1)], preroll: .gop)
    }
}

extension OutputAssignment {
    static func mp4(_ id: String, in folder: String, adopts: Bool = false) -> OutputAssignment {
        OutputAssignment(
            id: id, target: .mp4(root: folder, path: "demo/film.mp4"), selection: .all,
            adopts: adopts)
    }
}

/// The pictures and pieces of sound in a file, as libavformat reads it.
struct Frames: Equatable {
    var video = 0
    var audio = 0

    init(_ frames: (video: Int, audio: Int)) { (video, audio) = frames }

    init(of path: String) throws {
        var reader = try MediaReader(path: path)
        let streams = reader.streams
        while let packet = try reader.next() {
            if streams[packet.stream].kind == .video { video += 1 } else { audio += 1 }
        }
    }

    /// Seconds at which the pictures and the sound of a file end.
    static func ends(of path: String) throws -> (video: Double, audio: Double) {
        var reader = try MediaReader(path: path)
        let streams = reader.streams
        var ends = (video: 0.0, audio: 0.0)
        while let packet = try reader.next() {
            guard let pts = packet.pts else { continue }
            let end = Double(pts + packet.duration) / Double(streams[packet.stream].timescale)
            if streams[packet.stream].kind == .video {
                ends.video = max(ends.video, end)
            } else {
                ends.audio = max(ends.audio, end)
            }
        }
        return ends
    }
}
