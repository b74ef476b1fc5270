import Foundation
import Spec
import Testing
import Timeline

/// Hours of simulated time: 2 in the suite; `scripts/test --long simulation` sets 24.
let simulatedHours = ProcessInfo.processInfo.environment["SLUICE_SIMULATED_HOURS"].flatMap(Int64.init) ?? 2
/// More is asked than the suite has time for.
let isSimulatedLong = simulatedHours > 2

@Suite("A browser on a bad network", .rfc(3550, "6.4.1"))
struct PacketSimulationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var seed: UInt64
        var conditions: PacketPublisher.Conditions
        var testDescription: String {
            "seed \(seed), loss \(conditions.lossPercent) %, \(conditions.soundRate) and \(conditions.senderRate) ppm"
        }
    }

    static let rows = [
        Row(seed: 11, conditions: .init(lossPercent: 1, soundRate: 200, senderRate: -200)),
        Row(seed: 12, conditions: .init(lossPercent: 5, soundRate: -200, senderRate: 200)),
        Row(seed: 13, conditions: .init(lossPercent: 20, soundRate: 200, senderRate: 200)),
    ]

    /// What a run shows.
    struct Outcome {
        var digest = Digest()
        var gaps = 0
        var wrongGaps = 0
        var packets = 0
        var blackouts = 0
        var mostHeld = 0
        var mostClocks = 0
        /// Room time − capture, by track, of the last packet; and the widest A/V distance behind the first minutes.
        var offsets: [Int64?] = [nil, nil]
        var widest: Int64 = 0
        var wentBack = 0
        var last: [Int64] = [.min, .min]
        var statistics = PacketTimeline<Int64>.Statistics()
        var drift = 0.0
    }

    @Test("keeps sound and picture together, states each gap, and holds no more at the end", arguments: rows)
    func hours(row: Row) throws {
        let outcome = Self.run(row, seconds: simulatedHours * 3600)
        let note = Comment(rawValue: "\(row.testDescription), \(simulatedHours) h")
        let sound = try #require(outcome.offsets[0], note)
        let picture = try #require(outcome.offsets[1], note)
        #expect(abs(sound - picture) <= 15 * millisecond, note)
        #expect(outcome.widest <= 15 * millisecond, note)
        #expect(outcome.wrongGaps == 0 && outcome.gaps > 100, note)
        #expect(outcome.blackouts > 0, note)
        #expect(outcome.mostHeld <= 600 && outcome.mostClocks <= 16, note)
        #expect(outcome.wentBack == 0, note)
        #expect(outcome.statistics.late + outcome.statistics.duplicates > 0, note)
        #expect(abs(outcome.drift + row.conditions.senderRate / 1e6) < 0.00005, note)
    }

    @Test("gives the same for the same seed, and another for another")
    func repeats() {
        let digests = [Self.row(21), Self.row(21), Self.row(22)].map { Self.run($0, seconds: 300).digest.value }
        #expect(digests[0] == digests[1] && digests[1] != digests[2])
    }

    private static func row(_ seed: UInt64) -> Row {
        Row(seed: seed, conditions: .init(lossPercent: 5, soundRate: 100, senderRate: -50))
    }

    static func run(_ row: Row, seconds: Int64) -> Outcome {
        var publisher = PacketPublisher(seed: row.seed, row.conditions)
        var timeline = PacketTimeline<Int64>()
        var outcome = Outcome()
        var pending: [PacketPublisher.Arrival] = []
        var expected = Expected()
        for step in 1...seconds {
            let end = step * second
            publisher.send(upTo: end, into: &pending)
            pending.sort { ($0.at, $0.order) < ($1.at, $1.order) }
            let due = pending.prefix { $0.at < end }.count
            for hole in publisher.takeHoles() { expected.holes[hole.track].append(hole) }
            for (index, arrival) in pending[..<due].enumerated() {
                expected.note(arrival, before: pending[(index + 1)...])
                take(arrival, &timeline)
                drain(&timeline, &outcome, &expected, at: arrival.at)
            }
            pending.removeFirst(due)
            timeline.advance(to: end)
            drain(&timeline, &outcome, &expected, at: end)
            outcome.mostHeld = max(outcome.mostHeld, timeline.heldCount)
            outcome.mostClocks = max(outcome.mostClocks, timeline.clockCount)
        }
        // What the publisher knows of the last half second may still be waited for.
        outcome.wrongGaps += expected.holes.reduce(0) { $0 + max(0, $1.count - 40) }
        outcome.blackouts = publisher.blackouts
        outcome.statistics = timeline.statistics
        outcome.drift = timeline.drift
        return outcome
    }

    private static func take(_ arrival: PacketPublisher.Arrival, _ timeline: inout PacketTimeline<Int64>) {
        switch arrival.event {
        case .packet(let header, let track):
            timeline.receive(
                header, track: track, ticksPerSecond: PacketPublisher.ticks[track], payload: arrival.captured,
                at: arrival.at)
        case .report(let ssrc, let ntp, let timestamp, let track):
            timeline.report(
                ssrc: ssrc, ntp: ntp, timestamp: timestamp, track: track,
                ticksPerSecond: PacketPublisher.ticks[track], at: arrival.at)
        }
    }

    private static func drain(
        _ timeline: inout PacketTimeline<Int64>, _ outcome: inout Outcome, _ expected: inout Expected, at now: Int64
    ) {
        while true {
            switch timeline.pollOutput() {
            case .wait: return
            case .packet(let packet):
                outcome.packets += 1
                outcome.digest.take(packet.roomTime &+ packet.sequence)
                if packet.roomTime < outcome.last[packet.track] { outcome.wentBack += 1 }
                outcome.last[packet.track] = packet.roomTime
                outcome.offsets[packet.track] = packet.roomTime - packet.payload
                if now > 180 * second, let sound = outcome.offsets[0], let picture = outcome.offsets[1] {
                    outcome.widest = max(outcome.widest, abs(sound - picture))
                }
            case .gap(let gap):
                outcome.gaps += 1
                outcome.digest.take(gap.packets.lowerBound)
                let stated = PacketPublisher.Hole(
                    track: gap.track, ssrc: gap.ssrc, first: UInt16(truncatingIfNeeded: gap.packets.lowerBound),
                    count: gap.packets.count)
                if !expected.take(stated) { outcome.wrongGaps += 1 }
            }
        }
    }
}

/// The gaps that are to be stated.
private struct Expected {
    /// By track, in the order in which they were sent.
    var holes: [[PacketPublisher.Hole]] = [[], []]
    /// By track: the stream of the last packet.
    private var streams: [UInt32?] = [nil, nil]
    /// By track: what was under way of a stream when another took its place. It comes too late.
    private var overtaken: [(ssrc: UInt32, until: Int64, numbers: Set<UInt16>)] = [(0, 0, []), (0, 0, [])]

    mutating func note(_ arrival: PacketPublisher.Arrival, before later: ArraySlice<PacketPublisher.Arrival>) {
        guard case .packet(let header, let track) = arrival.event, streams[track] != header.ssrc,
            overtaken[track].ssrc != header.ssrc || arrival.at >= overtaken[track].until
        else { return }
        if let former = streams[track] {
            let numbers = later.compactMap { arrival -> UInt16? in
                guard case .packet(let header, track) = arrival.event, header.ssrc == former else { return nil }
                return arrival.isCopy ? nil : header.sequenceNumber
            }
            overtaken[track] = (former, arrival.at + second, Set(numbers))
        }
        streams[track] = header.ssrc
    }

    /// - Returns: whether `stated` is the next hole of its stream, or, at the stream's end, lost and overtaken packets.
    mutating func take(_ stated: PacketPublisher.Hole) -> Bool {
        let track = stated.track
        // What a stream lost last before another took its place is seen by nobody.
        if let index = holes[track].firstIndex(where: { $0.ssrc == stated.ssrc }), holes[track][index] == stated {
            holes[track].removeFirst(index + 1)
            return true
        }
        guard overtaken[track].ssrc == stated.ssrc, streams[track] != stated.ssrc else { return false }
        let missing = Set(stated.numbers)
        let lost = holes[track].filter { $0.ssrc == stated.ssrc && missing.isSuperset(of: $0.numbers) }
        holes[track].removeAll { lost.contains($0) }
        return missing.subtracting(lost.flatMap(\.numbers)).isSubset(of: overtaken[track].numbers)
    }
}

extension PacketPublisher.Hole {
    fileprivate var numbers: [UInt16] { (0..<count).map { first &+ UInt16(truncatingIfNeeded: $0) } }
}
