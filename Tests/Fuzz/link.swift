// modules: Bytes Timing Feed
// covers: Sources/Protocols/Feed/*+Coding.swift Sources/Protocols/Feed/Fields.swift Sources/Protocols/Feed/LinkFrameReader.swift
// max-length: 4096

import Bytes
import Feed

/// The first byte of an input says in what pieces the rest arrives.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let stream = Array(input.dropFirst())
    let whole = read(stream, pieces: stream.count)
    let inPieces = read(stream, pieces: Int(first) + 1)
    precondition(whole == inPieces, "pieces give other messages than the whole")
    for message in whole.messages {
        let written = write(message)
        let again = read(written, pieces: written.count).messages
        precondition(again == [message], "a message reads not as it was written")
        if case .record(_, let record) = message { check(record) }
    }
    return 0
}

private struct Outcome: Equatable {
    var messages: [LinkMessage] = []
    var error: FeedError?
}

private func read(_ stream: [UInt8], pieces: Int) -> Outcome {
    var outcome = Outcome()
    var reader = LinkFrameReader()
    do throws(FeedError) {
        for start in stride(from: 0, to: stream.count, by: max(1, pieces)) {
            reader.append(stream.span.extracting(start..<min(start + max(1, pieces), stream.count)))
            precondition(reader.bufferedBytes <= stream.count, "more is held than has come")
            while let message = try reader.next() { outcome.messages.append(message) }
        }
    } catch {
        outcome.error = error
    }
    return outcome
}

private func write(_ message: LinkMessage) -> [UInt8] {
    var bytes: [UInt8] = []
    message.encode(into: &bytes)
    return bytes
}

/// As on a tape: without the link's envelope.
private func check(_ record: Record) {
    var bytes: [UInt8] = []
    record.encode(into: &bytes)
    precondition((try? Record.decode(bytes[...])) == record, "a record reads not as it was written")
    #if FUZZ_CANARY
        // The planted bug: a difference of two numbers that a peer sent.
        if case .event(.missed(let from, let to)) = record.body { precondition(to - from < .max) }
    #endif
}
