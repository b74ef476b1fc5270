import ICE
import Spec
import Testing

@Suite("Frames over TCP", .rfc(4571, "2"))
struct FrameReaderTests {
    static let frames: [[UInt8]] = [[1], [2, 3], [UInt8](repeating: 4, count: 1500), [5]]

    private static func read(
        _ bytes: [UInt8], pieces: Int, limit: Int = 1500
    ) throws(FrameReader.Failure) -> [[UInt8]] {
        var reader = FrameReader(limit: limit)
        var frames: [[UInt8]] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            let piece = Array(bytes[start..<min(start + pieces, bytes.count)])
            try reader.receive(piece.span) { frame in frames.append(frame.indices.map { frame[$0] }) }
        }
        return frames
    }

    @Test("come out as they went in, however they are cut", arguments: [1, 2, 3, 5, 700, 5000])
    func pieces(size: Int) throws {
        var bytes: [UInt8] = []
        for frame in Self.frames {
            FrameReader.append(frame.span, to: &bytes)
            bytes += [0, 0]  // an empty frame is skipped
        }
        #expect(try Self.read(bytes, pieces: size) == Self.frames)
    }

    @Test("longer than the limit end the connection, at once", arguments: [1, 2, 100])
    func tooLong(size: Int) throws {
        #expect(throws: FrameReader.Failure.tooLong(bytes: 1501, limit: 1500)) {
            try Self.read([0, 1, 9, 0x05, 0xDD], pieces: size)
        }
        #expect(try Self.read([0x05, 0xDC], pieces: size).isEmpty)
        #expect(throws: FrameReader.Failure.tooLong(bytes: 65535, limit: 100)) {
            try Self.read([0xFF, 0xFF], pieces: size, limit: 100)
        }
    }

    @Test("of 65536 bytes do not exist")
    func unwritable() {
        var output: [UInt8] = []
        FrameReader.append([UInt8](repeating: 0, count: 65536).span, to: &output)
        #expect(output.isEmpty)
    }
}
