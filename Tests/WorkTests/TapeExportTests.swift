import Assignments
import FFmpeg
import Foundation
import Testing

@testable import Work

@Suite("An export of a tape", .timeLimit(.minutes(1)))
struct TapeExportTests {
    static let tape: String = {
        let folder = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(folder)/fixtures/tapes/bframes-25.tape"
    }()

    @Test("has every unit once, in MP4 and in Matroska the same, at the same times")
    func formats() throws {
        let (mp4, mp4Lines) = try export(.mp4)
        let (mkv, mkvLines) = try export(.mkv)
        #expect(mp4.count == 1 && mkv.count == 1)
        let (film, other) = (try Units(of: mp4[0]), try Units(of: mkv[0]))
        #expect(film.bytes.map(\.count) == [100, film.bytes[1].count] && film.bytes[1].count > 180)
        #expect(film.bytes == other.bytes)
        let moved = zip(film.times[0], other.times[0]).map { $1 - $0 }
        #expect(moved.allSatisfy { abs($0 - moved[0]) <= 0.0015 })
        for lines in [mp4Lines, mkvLines] {
            guard case .file(_, let tracks, _, let duration, let size)? = lines.last else {
                Issue.record("\(lines)")
                continue
            }
            #expect(tracks == 2 && abs(duration - 4) < 0.1 && size > 25_000)
        }
    }

    @Test("puts each track into a file of its own", arguments: [ExportRequest.Format.mp4, .mkv])
    func perTrack(format: ExportRequest.Format) throws {
        let (paths, _) = try export(format, perTrack: true)
        let counts = try paths.map { try Units(of: $0).bytes.map(\.count) }
        #expect(counts == [[100], [189]])
    }

    @Test("gives what is readable of a damaged tape, and names the rest")
    func damaged() throws {
        var bytes = try Data(contentsOf: URL(filePath: Self.tape))
        bytes[30_000] ^= 1
        bytes = bytes.dropLast(9000)
        let path = NSTemporaryDirectory() + "/\(UUID().uuidString).tape"
        try bytes.write(to: URL(filePath: path))
        let (paths, lines) = try export(.mp4, tape: path)
        let named = lines.filter { if case .damage = $0 { true } else { false } }
        #expect(named.count >= 2)
        let units = try Units(of: paths[0])
        #expect(units.bytes[0].count > 50 && units.bytes[0].count < 100)
    }

    @Test("refuses a file that is there, a track that is not, and what is no tape")
    func refusals() throws {
        let folder = NSTemporaryDirectory() + "/\(UUID().uuidString)"
        _ = try export(.mp4, folder: folder)
        #expect(throws: ExportError.self) { try export(.mp4, folder: folder) }
        #expect(throws: ExportError.self) { try export(.mp4, tracks: ["TR_none"]) }
        #expect(throws: ExportError.self) { try export(.mp4, tape: "\(#filePath)") }
        #expect(throws: ExportError.self) { try export(.mp4, tape: "/nowhere.tape") }
    }

    private func export(
        _ format: ExportRequest.Format, tape: String = tape, folder: String? = nil, perTrack: Bool = false,
        tracks: [String] = []
    ) throws -> (paths: [String], lines: [ExportLine]) {
        let request = ExportRequest(
            tape: tape, folder: folder ?? NSTemporaryDirectory() + "/\(UUID().uuidString)", name: "film",
            format: format,
            perTrack: perTrack, tracks: tracks)
        var lines: [ExportLine] = []
        try TapeExport(request: request) { lines.append($0) }.run()
        let paths = lines.compactMap { if case .file(let path, _, _, _, _) = $0 { path } else { nil } }
        return (paths, lines)
    }
}

/// The units of each stream of a file, and when they are shown, in seconds.
private struct Units {
    var bytes: [[[UInt8]]]
    var times: [[Double]]

    init(of path: String) throws {
        var reader = try MediaReader(path: path)
        let streams = reader.streams
        bytes = streams.map { _ in [] }
        times = streams.map { _ in [] }
        while let packet = try reader.next() {
            bytes[packet.stream].append(packet.bytes)
            times[packet.stream].append(Double(packet.pts ?? 0) / Double(streams[packet.stream].timescale))
        }
    }
}
