import Bytes
import Feed
import Testing

@Suite("A link's frames")
struct LinkFrameTests {
    @Test("come back as the message", arguments: Samples.messages)
    func roundTrip(message: LinkMessage) throws {
        #expect(try read(message.frame) == [message])
    }

    @Test("come back from a stream cut into any pieces", arguments: [1, 2, 3, 7, 64, 4096])
    func pieces(size: Int) throws {
        var stream: [UInt8] = []
        for message in Samples.messages { message.encode(into: &stream) }
        var reader = LinkFrameReader()
        var messages: [LinkMessage] = []
        for start in stride(from: 0, to: stream.count, by: size) {
            append(Array(stream[start..<min(start + size, stream.count)]), to: &reader)
            while let message = try reader.next() { messages.append(message) }
        }
        #expect(messages == Samples.messages)
        #expect(reader.bufferedBytes == 0)
    }

    @Test("cut anywhere give nothing yet", arguments: Samples.messages)
    func truncation(message: LinkMessage) throws {
        let frame = message.frame
        for length in 0..<frame.count { #expect(try read(Array(frame[..<length])) == []) }
    }

    @Test("whose length was cut to fit are refused or shorter, never a trap", arguments: Samples.messages)
    func shortenedFrames(message: LinkMessage) {
        let frame = message.frame
        for length in 5..<max(frame.count, 5) {
            let shorter = [0, 0, UInt8(truncatingIfNeeded: (length - 4) >> 8), UInt8(truncatingIfNeeded: length - 4)]
            _ = try? read(shorter + frame[4..<length])
        }
    }

    @Test("of hostile lengths cost nothing")
    func hostileLengths() {
        let limit = LinkFrameReader.byteLimit
        #expect(throws: FeedError.tooLong(length: 0xFFFF_FFFF, limit: limit)) { try read([255, 255, 255, 255]) }
        #expect(throws: FeedError.tooLong(length: limit + 1, limit: limit)) { try read([1, 1, 0, 1]) }
        #expect(throws: FeedError.truncated) { try read([0, 0, 0, 0]) }
        var reader = LinkFrameReader()
        append([1, 1, 0, 0, 5], to: &reader)  // the longest frame there may be, announced
        #expect(reader.bufferedBytes == 5)
    }

    @Test("of a kind that is not known end the link")
    func unknownKind() {
        #expect(throws: FeedError.unknownKind(99)) { try read([0, 0, 0, 1, 99]) }
    }

    @Test("with a record that is not known are passed over")
    func unknownRecord() throws {
        let unknown: [UInt8] = [0, 0, 0, 23, 5, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 16) + [77, 1]
        #expect(try read(unknown + LinkMessage.ping(5).frame) == [.ping(5)])
    }

    @Test("keep their payloads when the reader reads on")
    func payloadsStay() throws {
        var reader = LinkFrameReader()
        let first = LinkMessage.record(subscription: 1, Samples.records[Samples.events.count])
        append(first.frame + [0, 0], to: &reader)
        let kept = try reader.next()
        append([0, 9, 7] + [UInt8](repeating: 0, count: 7), to: &reader)
        #expect(try reader.next() == nil)
        append([3], to: &reader)
        #expect(try reader.next() == .ping(3))
        #expect(kept == first)
    }

    @Test("name their version, and another is refused")
    func version() throws {
        try Hello(name: "gateway", processID: 1).checkVersion()
        #expect(throws: FeedError.unsupportedVersion(2)) {
            try Hello(version: 2, name: "gateway", processID: 1).checkVersion()
        }
    }
}

extension LinkMessage {
    fileprivate var frame: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }
}

private func append(_ bytes: [UInt8], to reader: inout LinkFrameReader) { reader.append(bytes.span) }

private func read(_ bytes: [UInt8]) throws(FeedError) -> [LinkMessage] {
    var reader = LinkFrameReader()
    var messages: [LinkMessage] = []
    append(bytes, to: &reader)
    while let message = try reader.next() { messages.append(message) }
    return messages
}
