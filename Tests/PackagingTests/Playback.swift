import FFmpeg
import Foundation

/// What libavformat reads from a file.
struct Playback {
    var streams: [MediaStream] = []
    var packets: [[MediaPacket]] = []
    var duration: Int64?

    /// Writes `file` to a folder for temporary files, reads it back, and removes it.
    init(_ file: [UInt8]) throws {
        AVLog.silence()
        let url = try Self.store(file)
        defer { try? FileManager.default.removeItem(at: url) }
        var reader = try MediaReader(path: url.path)
        streams = reader.streams
        packets = streams.map { _ in [] }
        duration = reader.duration
        while let packet = try reader.next() { packets[packet.stream].append(packet) }
    }

    /// Pictures that come out of a decoder.
    static func decodedPictures(of file: [UInt8]) throws -> Int { try decodedFrames(of: .video, in: file) }

    /// Frames of the first stream of `kind` that come out of a decoder.
    static func decodedFrames(of kind: MediaStream.Kind, in file: [UInt8]) throws -> Int {
        AVLog.silence()
        let url = try store(file)
        defer { try? FileManager.default.removeItem(at: url) }
        var reader = try MediaReader(path: url.path)
        guard let stream = reader.streams.firstIndex(where: { $0.kind == kind }) else { return 0 }
        return try reader.decodeRest(of: stream)
    }

    private static func store(_ file: [UInt8]) throws -> URL {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).mp4")
        try Data(file).write(to: url)
        return url
    }

    subscript(kind: MediaStream.Kind, _ number: Int = 0) -> [MediaPacket] {
        let indices = streams.indices.filter { streams[$0].kind == kind }
        return indices.indices.contains(number) ? packets[indices[number]] : []
    }
}
