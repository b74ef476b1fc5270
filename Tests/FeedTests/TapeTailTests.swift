import Bytes
import Testing

@testable import Feed

@Suite("The end of a tape")
struct TapeTailTests {
    @Test("is found without an index, as a reader of the whole finds it", arguments: [0, 1, 30, 700, 1300])
    func unfinished(count: Int) throws {
        let records = SampleTape.records(count)
        let tape = SampleTape.tape(records, isFinished: false)
        let tail = try #require(SampleTape.tail(tape))
        var summary = TapeSummary()
        for record in records { summary.add(record) }
        #expect(tail.summary == summary)
        #expect(tail.byteCount == UInt64(tape.count) && !tail.isFinished)
        #expect(tail.nextPosition == 10 + UInt64(count) && tail.identity == SampleTape.identity)
        #expect(tail.entries.count == SampleTape.read(tape).snapshots.count)
    }

    @Test("is found by the index, and in its stead when that is damaged")
    func finished() throws {
        let tape = SampleTape.tape(SampleTape.records(1200))
        let reading = SampleTape.read(tape)
        let tail = try #require(SampleTape.tail(tape))
        #expect(tail.isFinished && tail.entries == reading.index?.entries)
        #expect(tail.summary == reading.snapshots.last?.summary)
        for index in (tape.count - 138)..<tape.count {
            var broken = tape
            broken[index] ^= 0x40
            let again = try #require(SampleTape.tail(broken))
            #expect(again.summary == tail.summary && again.nextPosition == tail.nextPosition, "byte \(index)")
            #expect(again.entries == tail.entries)
        }
    }

    @Test("a writer goes on wherever the last one was cut off, with nothing lost and nothing twice")
    func adoption() throws {
        let records = SampleTape.records(90)
        let tape = SampleTape.tape(records)
        let more = SampleTape.media(40, from: 100)
        for length in stride(from: 200, through: tape.count, by: 61) {
            let left = Array(tape[..<length])
            let tail = try #require(SampleTape.tail(left), "\(length)")
            var identity = SampleTape.identity
            identity.attempt = 2
            var writer = TapeWriter(adopting: tail, identity)
            let next = writer.nextPosition ?? 10
            for record in SampleTape.beginning(at: next) { writer.append(record) }
            for record in (records + more) where !isEvent(record) { writer.append(record) }
            writer.finish()
            let whole = Array(left[..<Int(tail.byteCount)]) + writer.takeBytes()
            #expect(UInt64(whole.count) == writer.byteCount)
            let reading = SampleTape.read(whole)
            #expect(reading.damage.isEmpty && reading.error == nil, "\(length): \(reading.damage)")
            #expect(reading.records.filter { !isEvent($0) } == (records + more).filter { !isEvent($0) })
            #expect(reading.identities.map(\.attempt) == [1, 2])
            #expect(SampleTape.tail(whole)?.entries == reading.index?.entries)
        }
    }

    @Test("a feed that began anew has positions of its own")
    func newRun() throws {
        let tape = SampleTape.tape(SampleTape.records(90))
        let tail = try #require(SampleTape.tail(tape))
        var writer = TapeWriter(adopting: tail, SampleTape.identity)
        var second = SampleTape.beginning(at: 3) + SampleTape.media(20, from: 3)
        second[0].body = .event(.clock(epoch: 1_790_000_100_000_000_000))
        for record in second { writer.append(record) }
        #expect(writer.nextPosition == 23 && writer.epoch == 1_790_000_100_000_000_000)
        writer.finish()
        let reading = SampleTape.read(Array(tape[..<Int(tail.byteCount)]) + writer.takeBytes())
        #expect(reading.damage.isEmpty)
        #expect(reading.records == SampleTape.records(90) + second)
        let summary = try #require(reading.snapshots.last?.summary)
        #expect(summary.runs == 2 && summary.tracks.map(\.info.id) == ["TR_v", "TR_a"])
        #expect(summary.gaps.map(\.track) == ["TR_v", "TR_a"] && summary.participants[0].leftAt == nil)
    }

    @Test("is that of the tape whose frames stand first, whatever follows them", arguments: [0, 16, 300])
    func foreign(dropped: Int) throws {
        let tape = SampleTape.tape(SampleTape.records(700), isFinished: false)
        let forged = tape + SampleTape.tape(SampleTape.records(1300), mark: 7).dropFirst(dropped)
        let tail = try #require(SampleTape.tail(forged))
        #expect(tail == SampleTape.tail(tape))
        var writer = TapeWriter(adopting: tail, SampleTape.identity)
        let more = SampleTape.media(5, from: 710)
        for record in more { writer.append(record) }
        let reading = SampleTape.read(Array(forged[..<Int(tail.byteCount)]) + writer.takeBytes())
        #expect(reading.records.suffix(5) == more && reading.damage.isEmpty)
    }

    @Test("is found behind a beginning that is lost", arguments: [5, 16, 20])
    func headless(lost: Int) throws {
        let tape = SampleTape.tape(SampleTape.records(90))
        let broken = [UInt8](repeating: 0xF5, count: lost) + tape.dropFirst(lost)
        let tail = try #require(SampleTape.tail(broken))
        #expect(tail.nextPosition == 100 && tail.summary == SampleTape.tail(tape)?.summary)
    }

    @Test("of a later major version is none that a writer may go on behind")
    func newer() {
        var tape = SampleTape.tape(SampleTape.records(90))
        tape[9] = 2
        let sum = CRC32C.checksum(of: tape.span.extracting(0..<12))
        for index in 0..<4 { tape[12 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * index)) }
        #expect(SampleTape.tail(tape) == nil && SampleTape.read(tape).error == .newerVersion(major: 2))
    }

    @Test("any bytes have an end or none, and are looked at once", arguments: 0..<40)
    func hostile(seed: Int) {
        var tape = SampleTape.tape(SampleTape.records(60))
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        for _ in 0..<30 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            tape[Int(state >> 33) % tape.count] = UInt8(truncatingIfNeeded: state >> 20)
        }
        if seed % 2 == 0 { tape.removeFirst(300) }
        var scanner = TapeTailScanner(fileSize: UInt64(tape.count))
        var steps = 0
        while case .read(let offset, let count) = scanner.pollOutput(), steps < 1000 {
            scanner.receive(Array(tape.dropFirst(Int(clamping: offset)).prefix(count)))
            steps += 1
        }
        #expect(steps < 200)
        _ = SampleTape.read(tape)
    }

    @Test("heads without end, each with a long body to check, cost no more than some reads of the file")
    func manyHeads() {
        var tape: [UInt8] = []
        TapeFormat.appendPreamble(to: &tape)
        let identity = TapeIdentity(tape: "TP_1", roomID: "RM_1", room: "demo")
        TapeFormat.appendFrame(.identity, mark: 1, to: &tape) { identity.encode(into: &$0) }
        var frame: [UInt8] = []
        TapeFormat.appendFrame(.snapshot, mark: 1, to: &frame) { $0 += [UInt8](repeating: 0, count: 1 << 20) }
        for _ in 0..<2000 { tape += frame.prefix(TapeFormat.headBytes) }
        tape += [UInt8](repeating: 1, count: 2 << 20)
        var scanner = TapeTailScanner(fileSize: UInt64(tape.count))
        var read = 0
        while case .read(let offset, let count) = scanner.pollOutput(), read < 1 << 30 {
            let bytes = Array(tape[Int(offset)...].prefix(count))
            scanner.receive(bytes)
            read += bytes.count
        }
        #expect(scanner.pollOutput() == .finished(nil))
        #expect(read < 2 * tape.count + 70 << 20)
    }

    private func isEvent(_ record: Record) -> Bool { if case .event = record.body { true } else { false } }
}
