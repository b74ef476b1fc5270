import Feed
import RTMP
import RTMPPush
import Testing

@testable import Work

@Suite("What a push carries of a room")
struct PushProgramTests {
    @Test("is one picture and one sound, with the source's own milliseconds")
    func clip() throws {
        let room = try SimulatedRoom(playing: "bframes-25.flv")
        var program = PushProgram()
        var frames: [PushFrame] = []
        var units: [Unit] = []
        for record in room.records {
            if case .event(let event) = record.body { _ = program.apply(event) }
            guard case .unit(let unit) = record.body else { continue }
            units.append(unit)
            frames.append(try #require(try program.frame(of: unit)))
        }
        #expect(frames.map(\.time) == units.map(\.dts))
        #expect(frames.map(\.isKey) == units.map { $0.isKey && $0.track == SimulatedRoom.video })
        #expect(program.hasVideo && program.leftOut.isEmpty && program.audioHeader != nil)
        #expect(program.metadata.audioSampleRate == 48000 && program.metadata.audioChannels == 2)
    }

    @Test("leaves out who comes later, and takes over when the first is gone")
    func choice() throws {
        var program = PushProgram()
        for number in [1, 2] as [UInt32] { publish(number, in: &program) }
        #expect(program.leftOut == ["TR_20", "TR_21"])
        #expect(try program.frame(of: unit(10)) != nil && program.frame(of: unit(20)) == nil)
        _ = program.apply(.left(ParticipantNumber(rawValue: 1)))
        #expect(try program.frame(of: unit(10)) == nil && program.frame(of: unit(20)) != nil)
        #expect(program.leftOut == [])
    }

    @Test("goes on over a republication, with a new header where the configuration changed")
    func republication() throws {
        var program = PushProgram()
        publish(1, in: &program)
        let first = try #require(try program.frame(of: unit(10)))
        _ = program.apply(.anchored(ParticipantNumber(rawValue: 1), offset: 60_000_000_000))
        publish(1, in: &program)
        let second = try #require(try program.frame(of: unit(10)))
        #expect(second.time == first.time + 60_000)
        #expect(second.headerNumber != first.headerNumber && second.header == first.header)
        var other = unit(10)
        other.configuration = 9
        #expect(try program.frame(of: other) == nil, "a unit of a configuration that nobody announced")
    }

    private func publish(_ number: UInt32, in program: inout PushProgram) {
        let participant = ParticipantNumber(rawValue: number)
        for (index, kind) in [TrackInfo.Kind.audio, .video].enumerated() {
            let track = TrackNumber(rawValue: number * 10 + UInt32(index))
            let info = TrackInfo(
                number: track, id: "TR_\(track.rawValue)", participant: participant, kind: kind, source: .unknown,
                form: .units)
            _ = program.apply(.published(info))
            guard kind == .audio else { continue }
            let configuration = Configuration(
                id: 1, codec: .aac, timescale: 1000, record: [0x11, 0x90], sampleRate: 48000, channels: 2)
            _ = program.apply(.configuration(track, rendition: 0, configuration))
        }
    }

    private func unit(_ track: UInt32) -> Unit {
        Unit(
            track: TrackNumber(rawValue: track), configuration: 1, pts: 21, dts: 21, isKey: true, bytes: [1, 2, 3])
    }
}
