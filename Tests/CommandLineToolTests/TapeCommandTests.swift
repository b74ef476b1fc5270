import Feed
import Foundation
import JSON
import Testing

@testable import CommandLineTool

@Suite("sluice tape")
struct TapeCommandTests {
    /// A room of two: a picture and a sound for 20 s, with a hole of 4 s in the sound, and a place with a name.
    static func tape(damagedAt place: Int? = nil) throws -> String {
        let obs = ParticipantInfo(
            number: ParticipantNumber(rawValue: 1), id: "PA_a", identity: "obs", name: "Studio <1>")
        let video = TrackInfo(
            number: TrackNumber(rawValue: 1), id: "TR_v", participant: obs.number, kind: .video, source: .camera,
            form: .units)
        let audio = TrackInfo(
            number: TrackNumber(rawValue: 2), id: "TR_a", participant: obs.number, kind: .audio, source: .microphone,
            form: .units)
        var writer = TapeWriter(
            TapeIdentity(tape: "TP_x", roomID: "RM_x", room: "demo", egress: "EG_x", output: "raw"), mark: 9)
        var position: UInt64 = 0
        func append(_ time: Int64, _ body: Record.Body) {
            writer.append(Record(position: position, time: time * 1_000_000, body: body))
            position += 1
        }
        append(0, .event(.clock(epoch: 1_790_000_000_000_000_000)))
        append(0, .event(.joined(obs)))
        append(0, .event(.published(video)))
        append(
            0,
            .event(
                .configuration(
                    video.number, rendition: 0,
                    Configuration(id: 1, codec: .h264, timescale: 1000, record: [1], width: 640, height: 360))))
        append(0, .event(.published(audio)))
        for frame in 0..<500 {
            let time = 1000 + Int64(frame) * 40
            let bytes = [UInt8](repeating: UInt8(frame % 251), count: frame % 50 == 0 ? 900 : 100)
            append(
                time,
                .unit(
                    Unit(
                        track: video.number, configuration: 1, pts: time, dts: time, isKey: frame % 50 == 0,
                        bytes: bytes[...])))
            if !(200..<300).contains(frame) {
                append(
                    time,
                    .unit(
                        Unit(
                            track: audio.number, configuration: 1, pts: time, dts: time, isKey: true,
                            bytes: bytes[...60])))
            }
            if frame == 250 { writer.mark("Halbzeit & Pause") }
        }
        append(21_000, .event(.left(obs.number)))
        writer.finish()
        var bytes = writer.takeBytes()
        if let place { bytes[place] ^= 0x10 }
        let path = NSTemporaryDirectory() + "/\(UUID().uuidString).tape"
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    @Test("info tells who and what is on it, and its gaps")
    func info() throws {
        let info = try TapeInfo(path: Self.tape())
        for words in [
            "TP_x", "demo", "obs", "Studio <1>", "H.264 640x360", "900 units", "silence", "Halbzeit", "4.0 s",
        ] {
            #expect(info.text.contains(words), "\(words)")
        }
        #expect(info.json["gaps"]?.array?.count == 1)
        #expect(info.json["durationSeconds"] == .number(19.96))
    }

    @Test("verify finds a good tape good, and names one wrong byte by its place")
    func verify() throws {
        let good = try TapeCheck(path: Self.tape())
        #expect(good.isGood && good.text.hasPrefix("good") && good.media == 900)
        let bad = try TapeCheck(path: Self.tape(damagedAt: 20_000))
        #expect(!bad.isGood && bad.text.contains("checksum") && bad.media == 899)
        let place = try #require(bad.damage.first { $0.bytes.contains(20_000) })
        #expect(bad.text.contains("\(place.bytes.lowerBound)"))
    }

    @Test("cut begins at the key frame before the asked time, and is a tape of its own")
    func cut() throws {
        let out = NSTemporaryDirectory() + "/\(UUID().uuidString).tape"
        let path = try Self.tape()
        try TapeCut(path: path, out: out, from: 5, to: 12).run()
        let cut = try TapeCheck(path: out)
        #expect(cut.isGood && cut.isFinished)
        let info = try TapeInfo(path: out)
        #expect(info.duration > 7.9 && info.duration < 8.1)  // from 4.0 s on
        #expect(info.summary.tracks.map(\.units) == [200, 100])
        #expect(throws: CommandError.self) { try TapeCut(path: path, out: out, from: 5, to: 12).run() }
        #expect(throws: CommandError.self) { try TapeCut(path: path, out: out + "2", from: 500, to: nil).run() }
    }

    @Test("plot draws everybody, and text of strangers stays text")
    func plot() throws {
        let line = try TapeTimeline(path: Self.tape())
        #expect(line.people.count == 1 && line.people[0].rows.count == 2)
        #expect(line.people[0].rows[1].gaps.count == 1 && line.markers.count == 1)
        let bytes = line.people[0].rows[0].bytes.reduce(0, +)
        #expect(bytes == 58_000)
        let svg = TapePlot(line).svg
        #expect(svg.contains("Studio &lt;1&gt;") && !svg.contains("<1>"))
        #expect(svg.contains("Halbzeit &amp; Pause"))
        #expect(XMLCheck.isWellFormed(svg))
    }

    static let times: [(text: String, seconds: Double?)] = [
        ("90", 90), ("12.5", 12.5), ("1m30s", 90), ("1:30", 90), ("0:01:30.5", 90.5), ("", nil), ("-1", nil),
        ("1:", nil),
        ("a", nil), ("1:2:3:4", nil), ("1e9", nil),
    ]

    @Test("places are read and written", arguments: times)
    func time(text: String, seconds: Double?) {
        #expect(TapeTime.seconds(parsing: text) == seconds)
        let texts = [90.46, 3723, -2].map { TapeTime.text($0) }
        #expect(texts == ["1:30.5", "1:02:03.0", "-0:02.0"])
    }
}

/// Tags that open are closed in their order.
private enum XMLCheck {
    static func isWellFormed(_ text: String) -> Bool {
        var open: [Substring] = []
        for tag in text.split(separator: "<").dropFirst() {
            guard let end = tag.firstIndex(of: ">") else { return false }
            let inside = tag[..<end]
            if inside.hasPrefix("/") {
                guard open.popLast() == inside.dropFirst() else { return false }
            } else if !inside.hasSuffix("/") {
                open.append(inside.prefix { $0 != " " })
            }
        }
        return open.isEmpty
    }
}
