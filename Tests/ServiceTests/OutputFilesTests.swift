import Assignments
import Testing

@testable import Service

@Suite("What a manifest says of tracks and of the clock")
struct OutputFilesTests {
    private func form(_ atSeconds: Double, width: Int = 640) -> ReportedTrack.Form {
        ReportedTrack.Form(
            atSeconds: atSeconds, codec: "avc1.64001f", width: width, height: 360, channels: 0, sampleRate: 0)
    }

    private func track(_ frames: Int64, _ forms: [ReportedTrack.Form]) -> ReportedTrack {
        ReportedTrack(id: "TR_1", identity: "obs", kind: "video", frames: frames, forms: forms)
    }

    private func clock(_ milliseconds: Int64, stamp: Double = 5) -> ReportedClock {
        ReportedClock(zeroAt: milliseconds * 1_000_000, sources: [.init(identity: "obs", stampSeconds: stamp)])
    }

    @Test("an attempt that goes on in a file tells how it goes on, and each form stands once")
    func forms() {
        var files = OutputFiles()
        files.note([track(120, [form(0), form(4, width: 320)])])
        files.note([track(60, [form(2)])])
        #expect(files.tracks == [track(60, [form(0)])])
        files.note([track(130, [form(2), form(4, width: 320)])])
        #expect(files.tracks == [track(130, [form(0), form(4, width: 320)])])
        files.note([])
        #expect(files.tracks?.count == 1)
    }

    @Test("a clock is told again when it stands otherwise: where the pause was, or where it was seen")
    func clocks() {
        var files = OutputFiles()
        files.note(clock(1000), at: 0.5)
        files.note(clock(1010, stamp: 5.01), at: 1)
        #expect(files.clocks?.map(\.atSeconds) == [0])
        files.pauses = [LeftOutTime(atSeconds: 3, seconds: 2)]
        files.note(clock(3000, stamp: 7), at: 3.5)
        files.note(clock(3000, stamp: 7), at: 4)
        files.note(clock(3000, stamp: 60), at: 10)
        #expect(files.clocks?.map(\.atSeconds) == [0, 3, 10])
        for index in 0..<200 { files.note(clock(Int64(index) * 1000), at: Double(20 + index)) }
        #expect(files.clocks?.count == 100)
    }
}
