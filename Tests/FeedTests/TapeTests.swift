import Bytes
import Feed
import Spec
import Testing

@Suite("Tape")
struct TapeTests {
    @Test("gives back every record, in one piece and in any pieces", arguments: [1, 7, 100, 4096, .max])
    func roundTrip(pieces: Int) {
        let records = SampleTape.records(1200)
        let reading = SampleTape.read(SampleTape.tape(records), pieces: pieces)
        #expect(reading.records == records)
        #expect(reading.identities == [SampleTape.identity])
        #expect(reading.damage.isEmpty && reading.error == nil && reading.unknown == 0)
        #expect(reading.snapshots.count == 4)  // before the first media, after 10 and 20 s, at the end
        #expect(reading.index?.entries.map(\.position) == reading.snapshots.map(\.position))
        #expect(pieces == .max || reading.mostHeld < pieces + 4096)
    }

    @Test("holds every kind of record that a feed has")
    func everyRecord() {
        let records = Samples.records.filter { $0.position != .max }.sorted { $0.position < $1.position }
        var identity = SampleTape.identity
        identity.isWholeRoom = false
        let reading = SampleTape.read(SampleTape.tape(records, isFinished: false, identity))
        #expect(reading.records == records)
        #expect(reading.damage.isEmpty)
    }

    @Test("a tape that ends anywhere is read up to there, and what is cut is named")
    func truncation() {
        let records = SampleTape.records(40)
        let tape = SampleTape.tape(records)
        for length in 0..<tape.count {
            let reading = SampleTape.read(Array(tape[..<length]))
            #expect(records.starts(with: reading.records))
            let damaged = reading.damage.map(\.bytes.count).reduce(0, +)
            #expect(reading.damage.isEmpty || reading.damage.last?.bytes.upperBound == UInt64(length))
            #expect(damaged < 4096 && (reading.error == nil) == (length >= 16))
        }
    }

    @Test("one wrong bit anywhere is named, and costs one frame")
    func bitFlips() {
        let records = SampleTape.records(24)
        let tape = SampleTape.tape(records)
        for index in tape.indices {
            var broken = tape
            broken[index] ^= 1 << UInt8(index % 8)
            let reading = SampleTape.read(broken)
            #expect(reading.error == nil && !reading.damage.isEmpty, "byte \(index)")
            #expect(reading.records.count >= records.count - 1, "byte \(index)")
            let names = reading.damage.contains { $0.bytes.contains(UInt64(index)) }
            #expect(names, "byte \(index): \(reading.damage)")
        }
    }

    @Test("records that stand in another order, twice or not at all are named")
    func order() throws {
        let records = SampleTape.records(40)
        var swapped = records
        swapped.swapAt(20, 21)
        let first = records[20].position
        let reading = read(swapped)
        #expect(
            reading.damage.map(\.cause) == [.missing(from: first, to: first + 1), .misplaced(position: first)])
        #expect(reading.records.map(\.position) == records.map(\.position).filter { $0 != first })

        var doubled = records
        doubled.insert(records[25], at: 26)
        #expect(read(doubled).damage.map(\.cause) == [.misplaced(position: records[25].position)])
        #expect(read(doubled).records == records)

        var cut = records
        cut.removeSubrange(15..<18)
        #expect(read(cut).damage.map(\.cause) == [.missing(from: records[15].position, to: records[18].position)])
    }

    @Test("what the feed no longer held is no damage")
    func missed() {
        var records = SampleTape.records(20)
        let missed = Record(position: 50, time: 2_000_000_000, body: .event(.missed(from: 30, to: 50)))
        records += SampleTape.beginning(at: 50) + [missed] + SampleTape.media(10, from: 50)
        let reading = SampleTape.read(SampleTape.tape(records))
        #expect(reading.damage.isEmpty)
        #expect(reading.snapshots.last?.summary.missed == 20)
        #expect(reading.snapshots.last?.summary.gaps.map(\.cause) == [.missed])
    }

    @Test("what a pause left out is no damage, and places keep their names")
    func notes() {
        var writer = TapeWriter(SampleTape.identity, mark: 1)
        for record in SampleTape.records(20) { writer.append(record) }
        writer.mark("Überraschung")
        writer.leaveOut(to: 500, time: 12_000_000_000)
        for record in SampleTape.media(10, from: 500) { writer.append(record) }
        writer.finish()
        let reading = SampleTape.read(writer.takeBytes())
        #expect(reading.damage.isEmpty && reading.notes.count == 2)
        #expect(reading.notes.last?.kind == .pause(from: 30, to: 500))
        #expect(reading.snapshots.last?.summary == writer.summary)
        #expect(writer.summary.markers.map(\.name) == ["Überraschung"])
        #expect(writer.summary.gaps.map(\.cause) == [.pause])
    }

    @Test("a reader begins at any snapshot")
    func snapshots() {
        let records = SampleTape.records(1200)
        let reading = SampleTape.read(SampleTape.tape(records))
        for snapshot in reading.snapshots {
            let before = records.filter { $0.position < snapshot.position || snapshot.position == 10 && isEvent($0) }
            var state = RoomState()
            for case .event(let event) in before.map(\.body) { state.apply(event) }
            #expect(snapshot.state == state)
            #expect(snapshot.summary.units + snapshot.summary.packets == Int64(before.count { !isEvent($0) }))
        }
    }

    @Test("a later minor version's frames, events and fields are skipped and counted")
    func laterMinor() {
        let records = SampleTape.records(10)
        var tape = SampleTape.tape(records, isFinished: false)
        tape += frame(kind: 99, body: [1, 2, 3])
        tape += frame(kind: 2, body: [UInt8](repeating: 0, count: 16) + [77, 1, 2])
        tape[11] = 9  // minor
        tape.replaceSubrange(12..<16, with: bytes(CRC32C.checksum(of: Array(tape[..<12]).span)))
        let reading = SampleTape.read(tape)
        #expect(reading.records == records && reading.damage.isEmpty && reading.unknown == 2)
    }

    @Test("a later major version is refused")
    func laterMajor() {
        var tape = SampleTape.tape(SampleTape.records(10))
        tape[9] = 2
        tape.replaceSubrange(12..<16, with: bytes(CRC32C.checksum(of: Array(tape[..<12]).span)))
        #expect(SampleTape.read(tape).error == .newerVersion(major: 2))
        #expect(SampleTape.read([]).error == .notATape)
        #expect(SampleTape.read([UInt8](repeating: 0x47, count: 5000)).error == .notATape)
    }

    @Test("frames inside of media and frames of other tapes are not taken for its own")
    func foreignFrames() {
        let other = SampleTape.tape(SampleTape.records(3), isFinished: false)
        var records = SampleTape.records(10)
        let last = records.count - 1
        guard case .packet(var packet) = records[last].body else { return }
        var writer = TapeWriter(SampleTape.identity, mark: 7)
        packet.bytes = other[16...]
        records[last].body = .packet(packet)
        for record in records { writer.append(record) }
        var tape = writer.takeBytes()
        #expect(SampleTape.read(tape).records == records)
        tape[tape.count - other.count - 10] ^= 1  // the head of what holds them
        let reading = SampleTape.read(tape)
        #expect(reading.records == Array(records.dropLast()))
        #expect(reading.damage.count == 1)
    }

    @Test("a hostile length holds no memory beyond what came, and costs no more than the file's length")
    func hostileLengths() {
        var tape = SampleTape.tape(SampleTape.records(4), isFinished: false)
        let good = SampleTape.read(tape).records.count
        for _ in 0..<2000 { tape += head(kind: 2, length: 1 << 24) }
        let reading = SampleTape.read(tape, pieces: 1000)
        #expect(reading.records.count == good)
        #expect(reading.damage.map(\.cause) == [.cutOff])
        #expect(reading.mostHeld <= tape.count)
    }

    private func read(_ records: [Record]) -> SampleTape.Reading {
        // Each in a frame of its own making: the writer itself leaves out what stands on the tape already.
        var tape = SampleTape.tape([], isFinished: false)
        for record in records {
            var body: [UInt8] = []
            record.encode(into: &body)
            tape += frame(kind: 2, body: body)
        }
        return SampleTape.read(tape)
    }

    private func head(kind: UInt8, length: UInt32, sum: UInt32 = 0) -> [UInt8] {
        var head: [UInt8] = [0xF5, 0x53, 0x4C, 0x54]
        head.append(uint32: 0xA1B2_C3D4)
        head += [kind, 0]
        head.append(uint32: length)
        head.append(uint32: sum)
        head.append(uint32: CRC32C.checksum(of: head.span))
        return head
    }

    private func frame(kind: UInt8, body: [UInt8]) -> [UInt8] {
        head(kind: kind, length: UInt32(body.count), sum: CRC32C.checksum(of: body.span)) + body
    }

    private func bytes(_ value: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uint32: value)
        return bytes
    }

    private func isEvent(_ record: Record) -> Bool { if case .event = record.body { true } else { false } }
}
