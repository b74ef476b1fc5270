import RTP
import Spec
import Testing
import Timing

@Suite("Transport-wide feedback", .spec("draft-holmer-rmcat-transport-wide-cc-extensions-01", "3.1"))
struct TransportFeedbackTests {
    static func feedback(_ count: UInt16, _ arrivals: [(UInt16, Int16)]) -> TransportFeedback {
        TransportFeedback(
            sender: 1, media: 2, baseSequenceNumber: 0xFFFE, packetStatusCount: count, referenceTime: -3,
            feedbackPacketCount: 9, arrivals: arrivals.map { .init(offset: $0.0, delta: $0.1) })
    }

    static let head = "00000001 00000002 FFFE"
    static let rows: [(name: String, bytes: String, feedback: TransportFeedback)] = [
        (
            "a run of small deltas", "8FCD0005" + head + "0002 FFFFFD09 2002 0104",
            feedback(2, [(0, 1), (1, 4)])
        ),
        ("a run that says nothing came", "8FCD0005" + head + "1FFF FFFFFD09 1FFF 0000", feedback(0x1FFF, [])),
    ]

    @Test("is read as its standard says", arguments: rows)
    func reading(name: String, bytes: String, feedback: TransportFeedback) throws {
        #expect(try read(hex(bytes)) == feedback, "\(name)")
    }

    @Test("reads vectors of one bit and of two")
    func vectors() throws {
        let oneBit = hex("8FCD0006" + Self.head + "0004 FFFFFD09 B400 0005 07 000000")
        #expect(try read(oneBit) == Self.feedback(4, [(0, 0), (1, 5), (3, 7)]))
        let twoBits = hex("8FCD0006" + Self.head + "0004 FFFFFD09 D880 01 8000 7FFF 00")
        #expect(try read(twoBits) == Self.feedback(4, [(0, 1), (1, .min), (3, .max)]))
    }

    @Test("reads as it was written, whatever came", arguments: 0..<40)
    func roundTrip(seed: Int) throws {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let count = 1 + random(seed % 2 == 0 ? 60 : 20_000)
        let density = 1 + random(100)
        var arrivals: [(UInt16, Int16)] = []
        for offset in 0..<count where random(100) < density && random(40) != 0 {
            arrivals.append((UInt16(offset), random(10) == 0 ? Int16(random(65_536) - 32_768) : Int16(random(256))))
        }
        let feedback = Self.feedback(UInt16(count), arrivals)
        var bytes: [UInt8] = []
        RTCPPacket.transportFeedback(feedback).write(into: &bytes)
        #expect(try read(bytes) == feedback)
    }

    static let hostile: [(name: String, bytes: String)] = [
        ("no packets", "8FCD0004" + head + "0000 FFFFFD09"),
        (
            "65535 packets that came, and no delta",
            "8FCD0009" + head + "FFFF FFFFFD09" + String(repeating: "3FFF", count: 10)
        ),
        ("65535 packets, and no chunk", "8FCD0004" + head + "FFFF FFFFFD09"),
        ("a run of none", "8FCD0005" + head + "0002 FFFFFD09 2000 2000"),
        ("the symbol that is reserved, in a run", "8FCD0005" + head + "0002 FFFFFD09 6002 0000"),
        ("the symbol that is reserved, in a vector", "8FCD0005" + head + "0002 FFFFFD09 F000 0000"),
        ("a large delta that is cut", "8FCD0005" + head + "0002 FFFFFD09 4002 0000"),
    ]

    @Test("refuses what cannot be", arguments: hostile)
    func lies(name: String, bytes: String) {
        #expect(throws: RTPError.malformed(packetType: 205), "\(name)") { try read(hex(bytes)) }
    }

    private func read(_ datagram: [UInt8]) throws -> TransportFeedback? {
        var reader = RTCPReader(datagram.span)
        guard case .transportFeedback(let feedback) = try reader.next() else { return nil }
        return feedback
    }
}

@Suite("Arrivals on a transport", .spec("draft-holmer-rmcat-transport-wide-cc-extensions-01", "3"))
struct TransportArrivalsTests {
    @Test("are told of after 50 ms, losses among them, across the wrap of the numbers")
    func feedback() {
        var arrivals = TransportArrivals(sender: 1)
        #expect(arrivals.pollOutput() == .wait(deadline: nil))
        for (number, milliseconds) in [(65_534, 6400), (65_535, 6401), (1, 6405)] {
            arrivals.receive(UInt16(number), media: 2, at: at(milliseconds))
        }
        #expect(arrivals.pollOutput() == .wait(deadline: at(6450)))
        arrivals.advance(to: at(6449))
        #expect(arrivals.pollOutput() == .wait(deadline: at(6450)))
        arrivals.advance(to: at(6450))
        let expected = TransportFeedback(
            sender: 1, media: 2, baseSequenceNumber: 65_534, packetStatusCount: 4, referenceTime: 100,
            feedbackPacketCount: 0,
            arrivals: [.init(offset: 0, delta: 0), .init(offset: 1, delta: 4), .init(offset: 3, delta: 16)])
        #expect(arrivals.pollOutput() == .feedback(expected))
        #expect(arrivals.pollOutput() == .wait(deadline: nil))
    }

    @Test("a loss at the end is told of with the packets behind it")
    func lossBetween() {
        var arrivals = TransportArrivals(sender: 1)
        arrivals.receive(10, media: 2, at: at(0))
        arrivals.advance(to: at(50))
        arrivals.receive(12, media: 2, at: at(60))
        arrivals.advance(to: at(110))
        let told = feedbacks(&arrivals)
        #expect(told.map(\.baseSequenceNumber) == [10, 11])
        #expect(told.map(\.packetStatusCount) == [1, 2])
        #expect(told.map(\.feedbackPacketCount) == [0, 1])
        #expect(told.last?.arrivals.map(\.offset) == [1])
    }

    @Test("a time that no delta can say begins another feedback; a duplicate counts once")
    func splits() {
        var arrivals = TransportArrivals(sender: 1)
        arrivals.receive(1, media: 2, at: at(0))
        arrivals.receive(1, media: 2, at: at(1))
        arrivals.receive(2, media: 2, at: at(9000))
        arrivals.advance(to: at(9000))
        let told = feedbacks(&arrivals)
        #expect(told.map(\.arrivals.count) == [1, 1])
        #expect(told.map(\.referenceTime) == [0, 140])
    }

    @Test("holds a bounded number, however far the numbers leap")
    func bounded() {
        var arrivals = TransportArrivals(sender: 1)
        for step in 0..<5000 { arrivals.receive(UInt16(truncatingIfNeeded: step * 1000), media: 2, at: at(1)) }
        let told = feedbacks(&arrivals)
        #expect(told.reduce(0) { $0 + $1.arrivals.count } >= 5000 - TransportArrivals.capacity)
        #expect(told.allSatisfy { $0.packetStatusCount <= 2 * TransportArrivals.capacity })
    }

    private func feedbacks(_ arrivals: inout TransportArrivals) -> [TransportFeedback] {
        var told: [TransportFeedback] = []
        while case .feedback(let feedback) = arrivals.pollOutput() { told.append(feedback) }
        return told
    }
}

/// Milliseconds of a test's clock.
func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }
