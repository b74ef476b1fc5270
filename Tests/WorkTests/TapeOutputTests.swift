import Assignments
import Feed
import Foundation
import Testing
import Work

@Suite("A worker that writes a tape", .timeLimit(.minutes(1)))
struct TapeOutputTests {
    @Test("stores every record as it came, tells what is safe, and ends it with an index")
    func record() throws {
        let gateway = try FakeGateway(SimulatedRoom())
        try gateway.assign(.taping(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.state == .active }
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        let tape = try Tape(at: gateway.folder + "/TP_test.tape")
        #expect(output.state == .complete && output.location == gateway.folder + "/TP_test.tape")
        #expect(tape.media == gateway.room.media && tape.damage.isEmpty && tape.isFinished)
        #expect(output.unitsIn == Int64(gateway.room.media.count) && output.unitsLost == 0)
        #expect(output.sizeBytes == Int64(tape.byteCount) && abs(output.durationSeconds - 3) < 0.1)
        #expect(output.tape?.tracks.map(\.codec) == ["avc1", "mp4a"])
        #expect(output.tape?.participants.map(\.identity) == ["obs"])
        #expect(gateway.acknowledged.values.max() == UInt64(gateway.room.records.count))
    }

    @Test("goes on in the tape of a dead worker: nothing lost, nothing twice", arguments: [30, 100, 180])
    func takeOver(killedAfter count: Int) throws {
        let room = try SimulatedRoom()
        let first = try FakeGateway(room, published: count)
        try first.assign(.taping(in: first.folder))
        _ = try first.report { $0.outputs.first?.state == .active }
        first.killWorker()
        let torn = first.folder + "/TP_test.tape"
        let left = try Data(contentsOf: URL(filePath: torn))
        try left.dropLast(count % 7 + 1).write(to: URL(filePath: torn))

        let second = try FakeGateway(room, folder: first.folder)
        try second.assign(.taping(in: first.folder, attempt: 2))
        let request = try second.await { if case .subscribe(let request) = $0 { request } else { nil } }
        #expect(request.epoch == SimulatedRoom.epoch)
        _ = try second.report { $0.outputs.first?.state == .active }
        try second.command(.stop)
        #expect(try second.finalReport().outputs.first?.state == .complete)
        let tape = try Tape(at: torn)
        #expect(tape.media == room.media && tape.damage.isEmpty && tape.isFinished)
        #expect(tape.identities.map(\.attempt) == [1, 2])
    }

    @Test("after a restart of the gateway, goes on with a run of its own")
    func restart() throws {
        let first = try FakeGateway(SimulatedRoom(), published: 100)
        try first.assign(.taping(in: first.folder))
        _ = try first.report { $0.outputs.first?.state == .active }
        first.killWorker()
        let epoch = SimulatedRoom.epoch + 60_000_000_000
        let second = try FakeGateway(SimulatedRoom(epoch: epoch), folder: first.folder)
        try second.assign(.taping(in: first.folder, attempt: 2))
        _ = try second.report { $0.outputs.first.map { $0.unitsIn > 200 } ?? false }
        try second.command(.stop)
        let output = try #require(try second.finalReport().outputs.first)
        let tape = try Tape(at: first.folder + "/TP_test.tape")
        #expect(tape.damage.isEmpty && tape.identities.map(\.run) == [1, 1, 2])
        #expect(tape.media.suffix(second.room.media.count) == second.room.media[...])
        #expect(output.durationSeconds > 60)
    }

    @Test("tells the time in which media was missing once, however many tracks missed it")
    func gaps() throws {
        let gateway = try FakeGateway(SimulatedRoom(rounds: 2, stall: 5_000_000_000))
        try gateway.assign(.taping(in: gateway.folder))
        _ = try gateway.report { $0.outputs.first?.unitsIn == Int64(gateway.room.media.count) }
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.gapCount == 2 && abs(output.gapSeconds - 5) < 0.2, "\(output.gapCount): \(output.gapSeconds)")
    }

    @Test("leaves no file when there was nothing to record")
    func nothing() throws {
        let gateway = try FakeGateway(SimulatedRoom(), published: 3)
        try gateway.assign(.taping(in: gateway.folder))
        _ = try gateway.report()
        try gateway.command(.stop)
        let output = try #require(try gateway.finalReport().outputs.first)
        #expect(output.state == .complete && output.startedAt == 0 && output.location == nil)
        #expect(!FileManager.default.fileExists(atPath: gateway.folder + "/TP_test.tape"))
    }
}

/// A tape, read back.
private struct Tape {
    var identities: [TapeIdentity] = []
    var media: [Record] = []
    var damage: [TapeDamage] = []
    var isFinished = false
    var byteCount: Int

    init(at path: String) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        byteCount = bytes.count
        var reader = TapeReader()
        reader.append(bytes.span)
        reader.finish()
        while let item = try reader.next() {
            switch item {
            case .identity(let identity): identities.append(identity)
            case .record(let record): if case .event = record.body {} else { media.append(record) }
            case .damage(let found): damage.append(found)
            case .index: isFinished = true
            case .snapshot, .note, .unknown: break
            }
        }
    }
}

extension SimulatedRoom {
    fileprivate var media: [Record] { records.filter { if case .event = $0.body { false } else { true } } }
}

extension EgressAssignment {
    fileprivate static func taping(in folder: String, attempt: Int = 1) -> EgressAssignment {
        EgressAssignment(
            egress: "EG_test", roomID: SimulatedRoom.id, room: "demo", attempt: attempt,
            outputs: [
                OutputAssignment(
                    id: "raw", target: .tape(root: folder, path: "TP_test.tape", id: "TP_test"), selection: .all,
                    adopts: attempt > 1)
            ], preroll: .gop)
    }
}
