// modules: Bytes Timing Codecs RTMP
// covers: Sources/Protocols/RTMP/Chunks/*.swift
// max-length: 4096

@testable import RTMP

/// The first byte of an input is the size of the pieces that the rest is cut into.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())

    let whole = Reading(bytes, pieces: bytes.count)
    let pieces = Reading(bytes, pieces: Int(first))
    precondition(whole.messages == pieces.messages, "pieces give other messages")
    precondition(whole.error == pieces.error, "pieces give another end")

    var writer = ChunkWriter()
    var written: [UInt8] = []
    for message in whole.messages { writer.append(message, to: &written) }
    let again = Reading(written, pieces: written.count)
    precondition(again.error == nil && again.messages.count == whole.messages.count, "what was written does not read")
    for (one, other) in zip(whole.messages, again.messages) {
        let isSame =
            one.payload == other.payload && one.type == other.type && one.chunkStreamID == other.chunkStreamID
            && one.messageStreamID == other.messageStreamID
            && UInt32(truncatingIfNeeded: one.timestamp) == UInt32(truncatingIfNeeded: other.timestamp)
        precondition(isSame, "what was written reads otherwise")
    }

    #if FUZZ_CANARY
        // The planted bug: a step of times without regard to the wrap.
        for (one, next) in zip(whole.messages, whole.messages.dropFirst()) where one.type == next.type {
            _ = UInt32(truncatingIfNeeded: next.timestamp) - UInt32(truncatingIfNeeded: one.timestamp)
        }
    #endif
    return 0
}

private struct Reading {
    var messages: [RTMPMessage] = []
    var error: ChunkError?

    init(_ bytes: [UInt8], pieces size: Int) {
        var limits = ChunkLimits()
        limits.messageBytes = 100_000
        limits.unfinishedBytes = 200_000
        var reader = ChunkReader(limits: limits)
        var start = 0
        while start < bytes.count {
            var piece = Array(bytes[start..<min(start + max(size, 1), bytes.count)])
            start += piece.count
            var offset = 0
            do throws(ChunkError) {
                while offset < piece.count || reader.hasMore {
                    var batch: [RTMPMessage] = []
                    defer { messages += batch }
                    try reader.read(&piece, at: &offset, into: &batch)
                }
            } catch {
                self.error = error
                return
            }
            precondition(offset == piece.count, "input left unread")
            let bound = 2 * start + 4 * ChunkReader.firstReserve + 64 * 64
            precondition(reader.heldBytes <= bound, "more memory than was received")
        }
    }
}
