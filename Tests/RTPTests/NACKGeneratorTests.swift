import RTP
import Spec
import Testing
import Timing

@Suite("Requests for lost packets", .rfc(4585, "6.2.1"))
struct NACKGeneratorTests {
    @Test("a packet that is only late is not asked for")
    func reordering() {
        var generator = NACKGenerator()
        for (number, time) in [(1, 0), (3, 1), (2, 5), (4, 6)] { generator.receive(UInt16(number), at: at(time)) }
        generator.advance(to: at(100))
        #expect(generator.pollOutput() == .wait(deadline: nil))
    }

    @Test("a lost packet is asked for after the time for reordering, then each round trip, until it comes")
    func requests() {
        var generator = NACKGenerator()
        generator.roundTripTime = .milliseconds(40)
        generator.receive(65_534, at: at(0))
        generator.receive(1, at: at(5))
        #expect(generator.pollOutput() == .wait(deadline: at(15)))
        generator.advance(to: at(14))
        #expect(generator.pollOutput() == .wait(deadline: at(15)))
        generator.advance(to: at(15))
        #expect(generator.pollOutput() == .request([65_535, 0]))
        #expect(generator.pollOutput() == .wait(deadline: at(55)))
        generator.receive(65_535, at: at(50))
        generator.advance(to: at(55))
        #expect(generator.pollOutput() == .request([0]))
        generator.receive(0, at: at(60))
        generator.receive(0, at: at(61))
        #expect(generator.pollOutput() == .wait(deadline: nil))
    }

    @Test("is given up after ten requests, or after a second")
    func givingUp() {
        for (roundTrip, requests, end) in [(20, 10, 210), (300, 4, 1000)] {
            var generator = NACKGenerator()
            generator.roundTripTime = .milliseconds(roundTrip)
            generator.receive(1, at: at(0))
            generator.receive(3, at: at(0))
            var (asked, now) = (0, at(0))
            loop: while true {
                switch generator.pollOutput() {
                case .request(let numbers):
                    #expect(numbers == [2])
                    asked += 1
                case .givenUp(let count):
                    #expect(count == 1 && now == at(end))
                case .wait(let deadline):
                    guard let deadline else { break loop }
                    now = deadline
                    generator.advance(to: now)
                }
            }
            #expect(asked == requests)
        }
    }

    @Test("a key frame makes what is missing before it needless")
    func keyFrame() {
        var generator = NACKGenerator()
        for number in [1, 4, 6] as [UInt16] { generator.receive(number, at: at(0)) }
        generator.receiveKeyFrame(at: 4)
        generator.advance(to: at(10))
        #expect(generator.pollOutput() == .request([5]))
    }

    @Test("holds at most 512 missing packets: the oldest are given up")
    func bounded() {
        var generator = NACKGenerator()
        for number in stride(from: 0, through: 6000, by: 6) { generator.receive(UInt16(number), at: at(0)) }
        #expect(generator.missingCount == NACKGenerator.capacity)
        var givenUp = 0
        while case .givenUp(let count) = generator.pollOutput() { givenUp += count }
        #expect(givenUp == 5000 - NACKGenerator.capacity)
    }

    @Test("a leap is another beginning, not a thousand losses", arguments: [514, 0x7FFF])
    func leap(step: Int) {
        var generator = NACKGenerator()
        generator.receive(1, at: at(0))
        generator.receive(3, at: at(0))
        generator.receive(UInt16(3 + step), at: at(1))
        #expect(generator.pollOutput() == .givenUp(step))
        #expect(generator.pollOutput() == .wait(deadline: nil))
        generator.receive(UInt16(3 + step) &+ 2, at: at(2))
        #expect(generator.missingCount == 1)
    }

    @Test("entries are of one packet and the sixteen behind it")
    func entries() {
        let nack = GenericNACK(sender: 1, media: 2, lost: [65_530, 65_531, 10, 11, 65])
        #expect(
            nack.entries == [
                .init(packetID: 65_530, bitmask: 0b1000_0000_0000_0001), .init(packetID: 11, bitmask: 0),
                .init(packetID: 65, bitmask: 0),
            ])
        var lost: [UInt16] = []
        nack.forEachLost { lost.append($0) }
        #expect(lost == [65_530, 65_531, 10, 11, 65])
        #expect(GenericNACK(sender: 1, media: 2, lost: [5, 5]).entries == [.init(packetID: 5, bitmask: 0)])
    }
}

@Suite("Packets to be sent again", .rfc(4585, "6.2.1"))
struct RetransmissionHistoryTests {
    @Test("a packet is found by its number until it is too old")
    func age() {
        var history = RetransmissionHistory(byteCount: 1000, packetCount: 8)
        history.store([1, 2, 3].span, sequenceNumber: 65_535, at: at(0))
        history.store([4].span, sequenceNumber: 0, at: at(500))
        #expect(packet(65_535, history, at(1000)) == [1, 2, 3])
        #expect(packet(65_535, history, at(1001)) == nil)
        #expect(packet(0, history, at(1001)) == [4])
        #expect(packet(1, history, at(0)) == nil)
    }

    @Test("gives out what was stored or nothing, whatever the sizes", arguments: 0..<3)
    func ring(seed: Int) {
        var history = RetransmissionHistory(byteCount: 5000, packetCount: 64, maxAge: .seconds(100))
        var state = UInt64(seed) | 1
        var found = 0
        for number in 0..<UInt16(200) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let size = 1 + Int(state >> 33) % 1400
            history.store(contents(number, size).span, sequenceNumber: number, at: at(0))
            for back in 0..<UInt16(8) where back <= number {
                guard let stored = packet(number - back, history, at(0)) else { continue }
                #expect(stored == contents(number - back, stored.count))
                found += 1
            }
        }
        #expect(found >= 200 * 2)
    }

    @Test("what is larger than the ring, or empty, is not kept")
    func sizes() {
        var history = RetransmissionHistory(byteCount: 10, packetCount: 0)
        history.store([UInt8](repeating: 1, count: 11).span, sequenceNumber: 1, at: at(0))
        let empty: [UInt8] = []
        history.store(empty.span, sequenceNumber: 2, at: at(0))
        #expect(packet(1, history, at(0)) == nil && packet(2, history, at(0)) == nil)
        history.store([UInt8](repeating: 1, count: 10).span, sequenceNumber: 3, at: at(0))
        #expect(packet(3, history, at(0))?.count == 10)
    }

    @Test("a viewer's retransmissions are limited by rate")
    func limit() {
        var limit = RetransmissionLimit(bytesPerSecond: 1000, burst: 3000, at: at(0))
        let taken = [(1000, 0), (1000, 0), (1000, 0), (1000, 0), (1000, 999), (1000, 1001), (1001, 1001)].map {
            limit.take($0.0, at: at($0.1))
        }
        #expect(taken == [true, true, true, false, false, true, false])
        var endless = RetransmissionLimit(bytesPerSecond: .max, burst: 10, at: Instant(nanoseconds: .max))
        let second = [10, 1].map { endless.take($0, at: Instant(nanoseconds: .min)) }
        #expect(second == [true, false])
    }

    private func contents(_ number: UInt16, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: Int(number) &* 7 + $0 * 13) }
    }

    private func packet(_ number: UInt16, _ history: RetransmissionHistory, _ now: Instant) -> [UInt8]? {
        history.withPacket(number, at: now) { packet in packet.indices.map { packet[$0] } }
    }
}
