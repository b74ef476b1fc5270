// modules: Bytes Timing Feed
// covers: Sources/Protocols/Feed/Tape/*.swift Sources/Protocols/Feed/RoomState.swift Sources/Base/Bytes/CRC32C.swift
// max-length: 8192

import Bytes
import Feed

/// The first byte of an input says in what pieces the rest, a tape, is read, and its highest bit whether its checksums are made
/// right first: so that what is behind them is reached.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    var tape = Array(input.dropFirst())
    if first & 0x80 != 0 { mend(&tape) }
    let whole = read(tape, pieces: max(1, tape.count))
    let inPieces = read(tape, pieces: Int(first & 0x7F) * 8 + 1)
    precondition(whole == inPieces, "pieces give another tape than the whole")
    check(whole, length: UInt64(tape.count))
    if let tail = tail(of: tape) { goOn(behind: tail, tape) }
    rewrite(whole)
    return 0
}

private struct Outcome: Equatable {
    var items: [TapeReader.Item] = []
    var error: TapeError?

    var records: [Record] { items.compactMap { if case .record(let record) = $0 { record } else { nil } } }
}

private func read(_ tape: [UInt8], pieces: Int) -> Outcome {
    var outcome = Outcome()
    var reader = TapeReader()
    do throws(TapeError) {
        for start in stride(from: 0, to: tape.count, by: pieces) {
            reader.append(tape.span.extracting(start..<min(start + pieces, tape.count)))
            precondition(reader.bufferedBytes <= tape.count, "more is held than has come")
            while let item = try reader.next() { outcome.items.append(item) }
        }
        reader.finish()
        while let item = try reader.next() { outcome.items.append(item) }
        precondition(reader.offset == UInt64(tape.count), "bytes are neither read nor named")
    } catch {
        outcome.error = error
    }
    return outcome
}

/// Damage lies in the file, in its order; records of a run rise.
private func check(_ outcome: Outcome, length: UInt64) {
    var last: UInt64 = 0
    for item in outcome.items {
        guard case .damage(let damage) = item else { continue }
        precondition(!damage.cause.description.isEmpty)
        precondition(damage.bytes.lowerBound >= last && damage.bytes.upperBound <= length, "damage out of order")
        last = damage.bytes.lowerBound
    }
    #if FUZZ_CANARY
        // The planted bug: a table that is as long as most rooms are, indexed with a number of the file's.
        let table = [Int](repeating: 0, count: 1000)
        for case .unit(let unit) in outcome.records.map(\.body) { precondition(table[Int(unit.track.rawValue)] == 0) }
    #endif
}

private func tail(of tape: [UInt8]) -> TapeTail? {
    var scanner = TapeTailScanner(fileSize: UInt64(tape.count))
    for _ in 0...(tape.count + 8) {
        switch scanner.pollOutput() {
        case .finished(let tail): return tail
        case .read(let offset, let count):
            precondition(offset <= UInt64(tape.count) && count <= 1 << 25, "a read out of bounds")
            scanner.receive(Array(tape.dropFirst(Int(offset)).prefix(count)))
        }
    }
    preconditionFailure("the end of a tape is looked for without end")
}

/// What a writer adds behind a tape reads as it was written.
private func goOn(behind tail: TapeTail, _ tape: [UInt8]) {
    precondition(tail.byteCount <= UInt64(tape.count), "a tape longer than its file")
    var writer = TapeWriter(adopting: tail, tail.identity)
    writer.append(Record(position: 5, time: 9, body: .event(.clock(epoch: 7))))
    writer.finish()
    let added = writer.takeBytes()
    let again = read(Array(tape.prefix(Int(tail.byteCount))) + added, pieces: 1 << 16)
    guard again.error == nil, writer.identity.run > tail.identity.run else { return }
    precondition(again.records.last?.position == 5, "what was added is not read")
}

/// Records that were read, written again and read again, are the same.
private func rewrite(_ outcome: Outcome) {
    guard outcome.error == nil, !outcome.records.isEmpty else { return }
    var identity = TapeIdentity(tape: "TP_a", roomID: "RM_a", room: "a")
    identity.isWholeRoom = false
    var writer = TapeWriter(identity, mark: 1)
    var kept: [Record] = []
    for record in outcome.records {
        if let next = writer.nextPosition, record.position < next { continue }
        kept.append(record)
        writer.append(record)
    }
    writer.finish()
    let again = read(writer.takeBytes(), pieces: 4096)
    precondition(again.records == kept && again.error == nil, "a tape reads not as it was written")
    precondition(!again.items.contains { if case .damage = $0 { true } else { false } }, "a new tape is damaged")
}

/// Makes right the checksums of what looks like a preamble and frames.
private func mend(_ tape: inout [UInt8]) {
    if tape.count >= 16 { put(CRC32C.checksum(of: Array(tape[..<12]).span), in: &tape, at: 12) }
    var offset = 16
    while offset + 22 <= tape.count {
        guard Array(tape[offset..<offset + 4]) == [0xF5, 0x53, 0x4C, 0x54] else {
            offset += 1
            continue
        }
        let length = Int(tape.span.uint32(at: offset + 10))
        let body = offset + 22
        if length <= tape.count - body {
            put(CRC32C.checksum(of: Array(tape[body..<body + length]).span), in: &tape, at: offset + 14)
        }
        put(CRC32C.checksum(of: Array(tape[offset..<offset + 18]).span), in: &tape, at: offset + 18)
        offset = length <= tape.count - body ? body + length : body
    }
}

private func put(_ value: UInt32, in tape: inout [UInt8], at offset: Int) {
    for index in 0..<4 { tape[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)) }
}
