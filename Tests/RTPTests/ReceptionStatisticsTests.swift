import RTP
import Spec
import Testing
import Timing

@Suite("Reception statistics", .rfc(3550, "A"))
struct ReceptionStatisticsTests {
    @Test("count cycles of the sequence number", .rfc(3550, "A.1"))
    func wrap() {
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 90_000)
        let numbers: [UInt16] = [65_533, 65_534, 65_535, 0, 1]
        let extended = numbers.map { statistics.receive(sequenceNumber: $0, timestamp: 0, at: at(0)) }
        #expect(extended == [65_533, 65_534, 65_535, 65_536, 65_537])
        #expect(statistics.report(at: at(0)).highestSequenceNumber == 0x0001_0001)
        #expect(statistics.lostCount == 0 && statistics.receivedCount == 5)
    }

    @Test("a leap counts only when the next packet follows it", .rfc(3550, "A.1"), arguments: [3002, 0x8000, 65_336])
    func leap(step: Int) {
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 90_000)
        statistics.receive(sequenceNumber: 200, timestamp: 0, at: at(0))
        let far = UInt16(truncatingIfNeeded: 200 + step)
        #expect(statistics.receive(sequenceNumber: far, timestamp: 0, at: at(1)) == nil)
        #expect(statistics.receive(sequenceNumber: 201, timestamp: 0, at: at(2)) == 201)
        #expect(statistics.receive(sequenceNumber: far, timestamp: 0, at: at(3)) == nil)
        #expect(statistics.receive(sequenceNumber: far &+ 1, timestamp: 0, at: at(4)) == Int64(far &+ 1))
        #expect(statistics.restarts == 1 && statistics.receivedCount == 1)
    }

    @Test("a late packet and a drop-out within bounds are counted", .rfc(3550, "A.1"))
    func bounds() {
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 90_000)
        statistics.receive(sequenceNumber: 1000, timestamp: 0, at: at(0))
        #expect(statistics.receive(sequenceNumber: 4000, timestamp: 0, at: at(0)) == 4000)
        #expect(statistics.receive(sequenceNumber: 3901, timestamp: 0, at: at(0)) == 3901)
        #expect(statistics.receive(sequenceNumber: 3900, timestamp: 0, at: at(0)) == nil)
        #expect(statistics.restarts == 0)
    }

    @Test("the fraction is of the packets since the last report", .rfc(3550, "A.3"))
    func fraction() {
        var statistics = ReceptionStatistics(ssrc: 7, ticksPerSecond: 90_000)
        for number in 0..<UInt16(100) where number % 4 != 1 {
            statistics.receive(sequenceNumber: number, timestamp: 0, at: at(0))
        }
        let first = statistics.report(at: at(1000))
        #expect(first.ssrc == 7 && first.fractionLost == 64 && first.cumulativeLost == 25)
        for number in 100..<UInt16(200) { statistics.receive(sequenceNumber: number, timestamp: 0, at: at(0)) }
        let second = statistics.report(at: at(2000))
        #expect(second.fractionLost == 0 && second.cumulativeLost == 25)
        for number in 190..<UInt16(200) { statistics.receive(sequenceNumber: number, timestamp: 0, at: at(0)) }
        let third = statistics.report(at: at(3000))  // duplicates
        #expect(third.fractionLost == 0 && third.cumulativeLost == 15)
    }

    @Test("nothing received is reported as nothing")
    func nothing() {
        var statistics = ReceptionStatistics(ssrc: 7, ticksPerSecond: 90_000)
        #expect(statistics.report(at: at(0)) == ReportBlock(ssrc: 7))
    }

    @Test("jitter is a sixteenth of each change of transit", .rfc(3550, "A.8"))
    func jitter() {
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 8000)
        // Each 20 ms a packet; every second comes 10 ms late: the transit changes by 80 ticks each time.
        for number in 0..<UInt16(400) {
            let late = number % 2 == 0 ? 0 : 10
            statistics.receive(
                sequenceNumber: number, timestamp: UInt32(number) * 160, at: at(Int(number) * 20 + late))
        }
        #expect(79...80 ~= statistics.jitter)
        var steady = ReceptionStatistics(ssrc: 1, ticksPerSecond: 8000)
        for number in 0..<UInt16(400) {
            // The timestamp wraps on the way.
            let timestamp = UInt32.max - 1000 &+ UInt32(number) &* 160
            steady.receive(sequenceNumber: number, timestamp: timestamp, at: at(Int(number) * 20))
        }
        #expect(steady.jitter == 0)
    }

    @Test("a report says which sender report it answers, and the sender learns the round trip", .rfc(3550, "6.4.1"))
    func roundTrip() {
        // The figures of figure 2: SR at 0xb44d_b705_2000_0000, RR received at 0xb710:8000, DLSR 5.250 s: 6.125 s.
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 90_000)
        statistics.receive(NTPTimestamp(bits: 0xB44D_B705_2000_0000), at: at(10_000))
        let block = statistics.report(at: at(15_250))
        #expect(block.lastSenderReport == 0xB705_2000 && block.delaySinceLastSenderReport == 0x0005_4000)
        #expect(block.roundTripTime(at: NTPTimestamp(bits: 0xB44D_B710_8000_0000)) == .milliseconds(6125))
        #expect(block.roundTripTime(at: NTPTimestamp(bits: 0xB44D_B706_0000_0000)) == nil)
        #expect(ReportBlock(ssrc: 1).roundTripTime(at: NTPTimestamp(bits: 1)) == nil)
    }

    @Test("any instant and any packet is only counted", arguments: [Int64.min, -1, 0, .max])
    func extremes(nanoseconds: Int64) {
        var statistics = ReceptionStatistics(ssrc: 1, ticksPerSecond: 90_000)
        let instant = Instant(nanoseconds: nanoseconds)
        statistics.receive(NTPTimestamp(bits: .max), at: Instant(nanoseconds: .min))
        statistics.receive(sequenceNumber: 1, timestamp: .max, at: instant)
        statistics.receive(sequenceNumber: 2, timestamp: 0x8000_0000, at: Instant(nanoseconds: 0))
        statistics.receive(sequenceNumber: 3, timestamp: 0, at: instant)
        #expect(statistics.report(at: instant).highestSequenceNumber == 3)
    }
}

@Suite("NTP time", .rfc(3550, "4"))
struct NTPTimestampTests {
    @Test("counts from 1900 in 32.32")
    func wallTime() {
        #expect(NTPTimestamp(WallTime(nanoseconds: 0)).bits == UInt64(2_208_988_800) << 32)
        #expect(NTPTimestamp(WallTime(nanoseconds: 1_500_000_000)).bits == UInt64(2_208_988_801) << 32 | 0x8000_0000)
        #expect(NTPTimestamp(WallTime(nanoseconds: -500_000_000)).bits == UInt64(2_208_988_799) << 32 | 0x8000_0000)
        #expect(NTPTimestamp(bits: 0x0102_0304_0506_0708).compact == 0x0304_0506)
    }

    @Test("a delay that cannot be said is as near as can be")
    func compactDurations() {
        #expect(NTPTimestamp.compact(.seconds(-1)) == 0)
        #expect(NTPTimestamp.compact(.milliseconds(1500)) == 0x0001_8000)
        #expect(NTPTimestamp.compact(.seconds(1_000_000)) == 65_535 << 16)
    }
}
