import Spec
import Testing

@testable import RTMP

@Suite("Chunk reader", .spec("RTMP 1.0", "5.3"))
struct ChunkReaderTests {
    /// A header of type 0 on chunk stream 4, message stream 1.
    private static func full(_ time: String, _ length: String, type: String = "09") -> [UInt8] {
        hex("04" + time + length + type + "01000000")
    }

    static let rows: [(what: String, bytes: [UInt8], messages: [RTMPMessage])] = [
        ("type 0", full("000064", "000003") + [1, 2, 3], [message(100, [1, 2, 3])]),
        ("a basic header of 2 bytes", hex("0008 000001 000001 09 01000000 07"), [message(1, [7], on: 72)]),
        ("a basic header of 3 bytes", hex("01ffff 000001 000001 09 01000000 07"), [message(1, [7], on: 65599)]),
        (
            "types 1, 2 and 3 refer to what was before",
            full("000064", "000001") + [1] + hex("44 00000a 000002 08 0102") + hex("84 000014 0304") + hex("c4 0506"),
            [
                message(100, [1]), message(110, [1, 2], .audio), message(130, [3, 4], .audio),
                message(150, [5, 6], .audio),
            ]
        ),
        (
            "type 3 after type 0 takes its time for the step", full("000064", "000001") + [1] + hex("c4 02"),
            [message(100, [1]), message(200, [2])]
        ),
        (
            "a message in chunks of 128, another between them",
            full("000000", "000082") + ones(128) + hex("05 000001 000001 08 01000000 09 c4 0101"),
            [message(1, [9], .audio, on: 5), message(0, ones(130))]
        ),
        ("a message of no bytes", full("000000", "000000") + hex("c4"), [message(0, []), message(0, [])]),
        (
            "set chunk size", control("01", "00000100") + full("000000", "000082") + ones(130), [message(0, ones(130))]
        ),
        (
            "a chunk size no message can have", control("01", "7fffffff") + full("000000", "000082") + ones(130),
            [message(0, ones(130))]
        ),
        (
            "abort drops what has begun",
            full("000000", "000082") + ones(128) + control("02", "00000004") + hex("c4") + ones(128) + hex("c4 0202"),
            [message(0, ones(128) + [2, 2])]
        ),
        ("abort of nothing", control("02", "00000009") + full("000001", "000001") + [1], [message(1, [1])]),
        (
            "an extended timestamp, repeated by type 3",
            full("ffffff", "000081") + hex("01000000") + ones(128) + hex("c4 01000000 05"),
            [message(0x100_0000, ones(128) + [5])]
        ),
        (
            "an extended timestamp that type 3 leaves out",
            full("ffffff", "000083") + hex("01000000") + ones(128) + hex("c4 010005"),
            [message(0x100_0000, ones(128) + [1, 0, 5])]
        ),
        (
            "left out, where the payload looks like its beginning, and then by the next chunk too",
            full("ffffff", "000101") + hex("01000000") + ones(128) + hex("c4 0100") + ones(126) + hex("c4 01"),
            [message(0x100_0000, ones(128) + [1, 0] + ones(126) + [1])]
        ),
        (
            "an extended step",
            full("000001", "000001") + [1] + hex("84 ffffff 01000000 02") + hex("c4 01000000 03"),
            [message(1, [1]), message(0x100_0001, [2]), message(0x200_0001, [3])]
        ),
        ("a chunk stream that begins with type 1", hex("44 00000a 000001 09 07"), [message(10, [7], stream: 0)]),
        (
            "an aggregate",
            hex("04 000064 00001d 16 01000000") + hex("08 000002 00000a 00 000000 0102 0000000d")
                + hex("09 000001 00001e 00 000000 03"),
            [message(100, [1, 2], .audio), message(120, [3])]
        ),
        (
            "an aggregate with an abort and an aggregate in it, which are passed over",
            hex("04 000064 00002e 16 01000000") + hex("02 000004 00000a 00 000000 00000004 0000000f")
                + hex("16 000000 00000a 00 000000 0000000b") + hex("09 000001 00001e 00 000000 03"),
            [message(120, [3])]
        ),
    ]

    @Test("puts messages together", arguments: rows)
    func messages(what: String, bytes: [UInt8], messages: [RTMPMessage]) throws {
        #expect(try read(bytes) == messages)
    }

    @Test("puts them together the same from any pieces", arguments: rows)
    func pieces(what: String, bytes: [UInt8], messages: [RTMPMessage]) throws {
        for size in 1..<min(bytes.count, 24) { #expect(try read(bytes, pieces: size) == messages) }
        for cut in 0..<bytes.count {
            var reader = ChunkReader()
            #expect(try feed(&reader, Array(bytes[..<cut])) + feed(&reader, Array(bytes[cut...])) == messages)
        }
    }

    static let refused: [(bytes: [UInt8], error: ChunkError)] = [
        (control("01", "00000000"), .invalidChunkSize(0)),
        (control("01", "80000001"), .invalidChunkSize(0x8000_0001)),
        (hex("02 000000 000003 01 00000000 000000"), .invalidControlMessage(.setChunkSize)),
        (hex("02 000000 000000 02 00000000"), .invalidControlMessage(.abort)),
        (hex("c4"), .missingHeader(chunkStreamID: 4)),
        (hex("84 000000"), .missingHeader(chunkStreamID: 4)),
        (full("000000", "000082") + ones(128) + full("000000", "000001"), .interruptedMessage(chunkStreamID: 4)),
        (full("000000", "ffffff"), .messageTooLong(0xFF_FFFF)),
        (hex("04 000000 000004 16 01000000 08000002"), .invalidAggregate),
        (hex("04 000000 00000c 16 01000000 08 000002 00000a 00 000000 01"), .invalidAggregate),
    ]

    @Test("ends where the framing is lost", arguments: refused)
    func refuses(bytes: [UInt8], error: ChunkError) {
        #expect(throws: error) { try read(bytes) }
    }

    // Fault class 1.
    @Test("holds no more than the limits say, whatever is announced")
    func memory() {
        var reader = ChunkReader()
        var thrown: ChunkError?
        for id in 0..<2000 {
            let low = String(format(id & 0xFF))
            let header = hex("01" + low + String(format(id >> 8)) + "000000 7fffff 09 01000000") + ones(128)
            do throws(ChunkError) { _ = try feed(&reader, header) } catch { thrown = error; break }
        }
        #expect(thrown == .tooManyChunkStreams(65))
        #expect(reader.heldBytes <= ChunkReader.reservedMessages * ChunkReader.firstReserve + 64 * 256)
    }

    @Test("bounds the sum of what is unfinished")
    func unfinished() throws {
        var limits = ChunkLimits()
        limits.unfinishedBytes = 1000
        var reader = ChunkReader(limits: limits)
        for id in 4..<11 { _ = try feed(&reader, [UInt8(id)] + hex("000000 001000 09 01000000") + ones(128)) }
        #expect(throws: ChunkError.tooManyUnfinishedBytes(1024)) {
            try feed(&reader, [20] + hex("000000 001000 09 01000000"))
        }
    }

    @Test("gives back the memory of what was finished or aborted")
    func released() throws {
        var limits = ChunkLimits()
        limits.unfinishedBytes = 300
        var reader = ChunkReader(limits: limits)
        for _ in 0..<10 {
            _ = try feed(&reader, Self.full("000000", "000082") + ones(128))
            _ = try feed(&reader, control("02", "00000004"))
            _ = try feed(&reader, Self.full("000000", "000082") + ones(128) + hex("c4 0101"))
        }
        #expect(reader.heldBytes <= 64)
    }

    // One begins in the shared memory where the other ends.
    @Test("media that comes together shares memory, unless it is turned off or interleaved", arguments: [true, false])
    func sharedMemory(isOn: Bool) throws {
        let together = Self.full("000000", "000003") + [1, 2, 3] + Self.full("000000", "000002", type: "08") + [4, 5]
        var reader = ChunkReader()
        reader.sharesMemory = isOn
        let messages = try feed(&reader, together)
        #expect(messages.map { Array($0.payload) } == [[1, 2, 3], [4, 5]])
        #expect((messages[1].payload.startIndex == messages[0].payload.endIndex) == isOn)
        let interleaved = Self.full("000000", "000082") + ones(128) + hex("05 000001 000001 08 01000000 09 c4 0101")
        #expect(try feed(&reader, interleaved).map(\.payload.startIndex) == [0, 0])
        #expect(reader.heldBytes <= 64)
    }

    @Test("media is put together in the memory in which it came, chunk behind chunk")
    func inPlace() throws {
        let payloads = [300, 5, 128, 1000].map { size in (0..<size).map { UInt8(truncatingIfNeeded: $0) } }
        var writer = ChunkWriter()
        var bytes: [UInt8] = []
        for (index, payload) in payloads.enumerated() {
            writer.append(message(Int64(index), payload, index == 1 ? .audio : .video), to: &bytes)
        }
        var reader = ChunkReader()
        let messages = try feed(&reader, bytes)
        #expect(messages.map { Array($0.payload) } == payloads)
        #expect(messages[0].payload.startIndex == 12)
        for (one, next) in zip(messages, messages.dropFirst()) {
            #expect(one.payload.endIndex < next.payload.startIndex)  // the next one's header stands between
        }
        #expect(reader.heldBytes == 0)
    }

    // Else a unit of a few bytes that is kept would hold the memory of a whole read.
    @Test("little media among much else does not share the memory of all of it")
    func sharedMemoryIsUsed() throws {
        var reader = ChunkReader()
        var bytes = Self.full("000000", "000003", type: "08") + [1, 2, 3]
        for _ in 0..<400 { bytes += hex("05 000000 000080 63 01000000") + ones(128) }
        var offset = 0
        var messages: [RTMPMessage] = []
        try reader.read(&bytes, at: &offset, into: &messages)
        #expect(Array(messages[0].payload) == [1, 2, 3])
        #expect(messages[0].payload.capacity < 1000)
        #expect(reader.heldBytes < 1000)
    }

    @Test("an aggregate of many parts comes out in batches")
    func batches() throws {
        let part = hex("08 000000 000000 00 000000 0000000b")
        let parts = [[UInt8]](repeating: part, count: 5000).flatMap { $0 }
        var size = ChunkWriter()
        size.chunkSize = 1 << 20
        var bytes = control("01", "00100000")
        size.append(message(0, parts, .aggregate), to: &bytes)
        var reader = ChunkReader()
        var (offset, count) = (0, 0)
        while offset < bytes.count || reader.hasMore {
            var batch: [RTMPMessage] = []
            try reader.read(&bytes, at: &offset, into: &batch)
            #expect(batch.count <= ChunkReader.batchLimit)
            count += batch.count
        }
        #expect(count == 5000)
    }

    @Test("a message that is announced longer than the input never takes memory for it", arguments: 1...70)
    func announcedMemory(streams: Int) throws {
        var reader = ChunkReader()
        // Each says that it ends within the input, and is then left for the next.
        var bytes: [UInt8] = []
        for index in 0..<min(streams, 60) { bytes += [UInt8(index + 3)] + hex("000000 00ff00 09 01000000") + ones(128) }
        bytes += [UInt8](repeating: 0xC3, count: 70_000)
        _ = try? feed(&reader, bytes)
        #expect(reader.heldBytes <= ChunkReader.reservedMessages * ChunkReader.firstReserve + 2 * bytes.count)
    }

    @Test("the time goes on over the wrap of 32 bits, in steps and in full headers")
    func wrap() throws {
        let steps = hex("04 ffffff 000001 09 01000000 fffffff0 01") + hex("84 00001e 02") + hex("c4 03")
        #expect(try read(steps).map(\.timestamp) == [0xFFFF_FFF0, 0x1_0000_000E, 0x1_0000_002C])
        let absolute = hex("04 ffffff 000001 09 01000000 fffffff0 01") + Self.full("00000e", "000001") + [2]
        #expect(try read(absolute).map(\.timestamp) == [0xFFFF_FFF0, 0x1_0000_000E])
    }

    @Test(
        "a time that goes back, by any amount, does not trap", arguments: [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
    func backwards(time: UInt32) throws {
        var writer = ChunkWriter()
        var bytes: [UInt8] = []
        for timestamp in [Int64(time), 5, Int64(time), 0] {
            writer.append(message(timestamp, [1]), to: &bytes)
        }
        let times = try read(bytes).map { UInt32(truncatingIfNeeded: $0.timestamp) }
        #expect(times == [time, 5, time, 0])
    }
}

private func format(_ byte: Int) -> String {
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
}

private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

private func control(_ type: String, _ value: String) -> [UInt8] { hex("02 000000 000004" + type + "00000000" + value) }

private func message(
    _ timestamp: Int64, _ payload: [UInt8], _ type: MessageType = .video, on chunkStreamID: UInt32 = 4,
    stream: UInt32 = 1
) -> RTMPMessage {
    RTMPMessage(
        chunkStreamID: chunkStreamID, timestamp: timestamp, type: type, messageStreamID: stream, payload: payload)
}

func feed(_ reader: inout ChunkReader, _ bytes: [UInt8]) throws(ChunkError) -> [RTMPMessage] {
    var bytes = bytes
    var messages: [RTMPMessage] = []
    var offset = 0
    while offset < bytes.count || reader.hasMore {
        var batch: [RTMPMessage] = []
        try reader.read(&bytes, at: &offset, into: &batch)
        messages += batch
    }
    return messages
}

func read(_ bytes: [UInt8], pieces size: Int = .max) throws(ChunkError) -> [RTMPMessage] {
    var reader = ChunkReader()
    var messages: [RTMPMessage] = []
    var offset = 0
    while offset < bytes.count {
        let end = size < bytes.count - offset ? offset + size : bytes.count
        messages += try feed(&reader, Array(bytes[offset..<end]))
        offset = end
    }
    return messages
}
