import Bytes
import LoadGenerator
import MediaLoop
import RTMP
import Timing

/// How fast ``ChunkReader`` puts messages together, in this process on one core.
enum ChunkBench {
    /// What a socket gives in one read.
    private static let readSize = 64 << 10
    private static let floor = 1.0

    static func run(_ options: Options) -> Report {
        let rounds = options.rounds ?? (options.isSmoke ? 3 : 7)
        let size = options.isSmoke ? 8 << 20 : 64 << 20
        var report = Report(
            "Chunk parser: \(size >> 20) MiB of 2.5 Mbit/s video and AAC, in reads of 64 KiB, \(rounds) rounds",
            columns: ["chunk size", "parser GB/s", "plain copy GB/s", "parser / copy"])
        for chunkSize in [4096, 128] {
            let stream = stream(of: size, chunkSize: chunkSize)
            let messages = messages(in: stream)
            var speeds: [Double] = []
            var copies: [Double] = []
            for _ in 0..<rounds {
                speeds.append(speed(stream) { parse(stream, expecting: messages) })
                copies.append(speed(stream) { copy(stream, messages) })
            }
            let ratio = median(speeds) / median(copies)
            report.row(
                String(chunkSize), Report.text(median(speeds)), Report.text(median(copies)), Report.text(ratio))
            if chunkSize == 4096 { report.bar("chunks of 4096 bytes", median(speeds), atLeast: floor, unit: " GB/s") }
        }
        report.note("plain copy: the same bytes into one new array a message, nothing read.")
        return report
    }

    /// Bytes a nanosecond.
    private static func speed(_ stream: [UInt8], _ body: () -> Void) -> Double {
        let begin = Clocks.now()
        body()
        return Double(stream.count) / Double(max(1, (Clocks.now() - begin).nanoseconds))
    }

    /// A chunk stream as an encoder sends it: 30 frames a second in groups of 60, AAC between.
    private static func stream(of size: Int, chunkSize: Int) -> [UInt8] {
        var writer = ChunkWriter()
        var stream: [UInt8] = []
        let announcement: [UInt8] = [0, 0, UInt8(chunkSize >> 8), UInt8(chunkSize & 0xFF)]
        let control = RTMPMessage(
            chunkStreamID: 2, timestamp: 0, type: .setChunkSize, messageStreamID: 0, payload: announcement)
        writer.append(control, to: &stream)
        writer.chunkSize = chunkSize
        var schedule = MediaSchedule()
        while stream.count < size {
            let unit = schedule.next()
            let count = unit.isVideo ? MediaSchedule.videoBytes(frame: unit.index) : MediaSchedule.audioBytes
            let message = RTMPMessage(
                chunkStreamID: unit.isVideo ? 6 : 4, timestamp: unit.time.nanoseconds / 1_000_000,
                type: unit.isVideo ? .video : .audio, messageStreamID: 1,
                payload: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ unit.index) })
            writer.append(message, to: &stream)
        }
        return stream
    }

    /// The sizes of the messages in `stream`.
    private static func messages(in stream: [UInt8]) -> [Int] {
        var sizes: [Int] = []
        read(stream) { sizes.append($0.payload.count) }
        return sizes
    }

    private static func parse(_ stream: [UInt8], expecting messages: [Int]) {
        var count = 0
        var last: UInt8 = 0
        read(stream) {
            count += 1
            last ^= $0.payload.last ?? 0
        }
        precondition(count == messages.count, "the parser lost messages")
        keep(last)
    }

    private static func read(_ stream: [UInt8], _ body: (RTMPMessage) -> Void) {
        var reader = ChunkReader()
        var messages: [RTMPMessage] = []
        var begin = 0
        while begin < stream.count {
            let end = min(begin + readSize, stream.count)
            var piece = Array(copying: stream.span.extracting(begin..<end))
            var offset = 0
            do throws(ChunkError) {
                while offset < piece.count || reader.hasMore {
                    try reader.read(&piece, at: &offset, into: &messages)
                    for message in messages { body(message) }
                    messages.removeAll(keepingCapacity: true)
                }
            } catch {
                preconditionFailure("our own chunk stream cannot be read: \(error)")
            }
            begin = end
        }
    }

    private static func copy(_ stream: [UInt8], _ messages: [Int]) {
        var offset = 0
        var last: UInt8 = 0
        for size in messages {
            let end = min(offset + size, stream.count)
            let message = Array(copying: stream.span.extracting(offset..<end))
            last ^= message.last ?? 0
            offset = end
        }
        keep(last)
    }

    /// Keeps the optimiser from leaving out what made `value`.
    @inline(never) private static func keep(_ value: UInt8) {}
}
