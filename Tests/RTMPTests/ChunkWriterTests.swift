import RTMP
import Spec
import Testing

@Suite("Chunk writer", .spec("RTMP 1.0", "5.3.1"))
struct ChunkWriterTests {
    @Test("what it writes reads back, at any chunk size", arguments: [1, 2, 127, 128, 129, 4096, 1 << 24])
    func roundTrip(chunkSize: Int) throws {
        var generator = SplitMix(state: UInt64(chunkSize))
        var messages: [RTMPMessage] = []
        var time: [UInt32: Int64] = [:]
        for _ in 0..<200 {
            let id = [2, 4, 63, 64, 319, 320, 65599][generator.next(7)]
            let step = [0, 20, 20, 0xFF_FFFE, 0xFF_FFFF, 0x100_0000, -5][generator.next(7)]
            time[UInt32(id), default: 0xFD00_0000] += Int64(step)
            messages.append(
                RTMPMessage(
                    chunkStreamID: UInt32(id), timestamp: time[UInt32(id)] ?? 0,
                    type: [.audio, .video, .data][generator.next(3)], messageStreamID: UInt32(generator.next(2)),
                    payload: (0..<[0, 1, 128, 129, 300][generator.next(5)]).map { _ in UInt8(generator.next(256)) }))
        }
        var writer = ChunkWriter()
        var bytes: [UInt8] = []
        var size = RTMPMessage(chunkStreamID: 2, timestamp: 0, type: .setChunkSize, messageStreamID: 0, payload: [])
        size.payload = [0, UInt8(chunkSize >> 16 & 0xFF), UInt8(chunkSize >> 8 & 0xFF), UInt8(chunkSize & 0xFF)]
        if chunkSize == 1 << 24 { size.payload = [1, 0, 0, 0] }
        writer.append(size, to: &bytes)
        writer.chunkSize = chunkSize
        for message in messages { writer.append(message, to: &bytes) }
        #expect(try read(bytes) == messages)
        #expect(try read(bytes, pieces: 17) == messages)
    }

    @Test("writes the shortest header that says it")
    func headers() {
        var writer = ChunkWriter()
        let sizes = [(0, 3), (20, 3), (40, 3), (60, 4), (50, 4)].map { time, count in
            var bytes: [UInt8] = []
            writer.append(
                RTMPMessage(
                    chunkStreamID: 4, timestamp: Int64(time), type: .audio, messageStreamID: 1,
                    payload: [UInt8](repeating: 0, count: count)), to: &bytes)
            return bytes.count - count
        }
        #expect(sizes == [12, 4, 1, 8, 12])
    }

    @Test("a chunk size out of range is brought into it")
    func chunkSize() {
        var writer = ChunkWriter()
        writer.chunkSize = 0
        #expect(writer.chunkSize == 1)
        writer.chunkSize = .max
        #expect(writer.chunkSize == 0xFF_FFFF)
    }
}

/// A generator whose numbers are the same in every run.
struct SplitMix {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
