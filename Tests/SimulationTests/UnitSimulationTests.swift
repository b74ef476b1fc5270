import Feed
import Packaging
import Spec
import Testing
import Timing

@Suite("An encoder with every fault", .spec("RTMP 1.0", "5.3.1.3"))
struct UnitSimulationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var seed: UInt64
        var sourceRate: Double
        var soundRate: Double
        var testDescription: String { "seed \(seed), \(sourceRate) and \(soundRate) ppm" }
    }

    static let rows = [
        Row(seed: 31, sourceRate: 200, soundRate: -200), Row(seed: 32, sourceRate: -200, soundRate: 200),
    ]

    struct Outcome {
        var digest = Digest()
        var samples = 0
        var fills = 0
        var stated: [UnitPublisherModel.Hole] = []
        var injected: [UnitPublisherModel.Hole] = []
        var faults = 0
        /// The track's time − capture of the last sample of each; the widest distance but while a fault is under way; the
        /// longest sample.
        var offsets: [Int64?] = [nil, nil]
        var widest: Int64 = 0
        var longest: Int64 = 0
        var overlaps = 0
        var ends: [Int64] = [.min / 2, .min / 2]
        var mostWaiting = 0
        var faultEnd: Int64 = 0
    }

    @Test("is recorded in sync, with each gap it made and no other, and no sample is an hour long", arguments: rows)
    func hours(row: Row) throws {
        let outcome = Self.run(row, seconds: simulatedHours * 3600)
        let note = Comment(rawValue: "\(row.testDescription), \(simulatedHours) h")
        #expect(outcome.widest <= 15 * millisecond, note)
        #expect(abs(try #require(outcome.offsets[0]) - (try #require(outcome.offsets[1]))) <= 15 * millisecond, note)
        #expect(outcome.faults > 5 && outcome.fills > 0, note)
        for isVideo in [true, false] {
            let stated = outcome.stated.filter { $0.isVideo == isVideo }
            let injected = outcome.injected.filter { $0.isVideo == isVideo }
            #expect(stated.count == injected.count && zip(stated, injected).allSatisfy { $1.matches($0) }, note)
        }
        #expect(outcome.longest < 7 * second, note)
        #expect(outcome.overlaps == 0, note)
        #expect(outcome.mostWaiting < 2000, note)
    }

    @Test("gives the same for the same seed, and another for another")
    func repeats() {
        let rows = [41, 41, 42].map { Row(seed: $0, sourceRate: 100, soundRate: -100) }
        let digests = rows.map { Self.run($0, seconds: 600).digest.value }
        #expect(digests[0] == digests[1] && digests[1] != digests[2])
    }

    static func run(_ row: Row, seconds: Int64) -> Outcome {
        var publisher = UnitPublisherModel(seed: row.seed, sourceRate: row.sourceRate, soundRate: row.soundRate)
        var timeline = RoomTimeline()
        var outcome = Outcome()
        var tracks: [TimelineTrack] = []
        for step in 1...seconds {
            publisher.send(upTo: step * second)
            let records = publisher.takeRecords()
            outcome.injected += publisher.takeHoles()
            outcome.faultEnd = publisher.faultEnd
            outcome.mostWaiting = max(outcome.mostWaiting, records.count)
            for record in records {
                timeline.receive(record)
                drain(&timeline, &tracks, &outcome)
            }
        }
        timeline.finish()
        drain(&timeline, &tracks, &outcome)
        outcome.faults = publisher.faults
        return outcome
    }

    private static func drain(
        _ timeline: inout RoomTimeline, _ tracks: inout [TimelineTrack], _ outcome: inout Outcome
    ) {
        while true {
            switch timeline.pollOutput() {
            case .wait, .finished: return
            case .track(let track): tracks.append(track)
            case .gap(let gap) where gap.length > second:
                outcome.stated.append(
                    UnitPublisherModel.Hole(
                        isVideo: tracks[gap.track].isVideo, isAway: gap.cause == .away, length: gap.length))
            case .sample(let sample): take(sample, tracks[sample.track], &outcome)
            default: break
            }
        }
    }

    private static func take(_ sample: PlacedSample, _ track: TimelineTrack, _ outcome: inout Outcome) {
        let index = track.isVideo ? 1 : 0
        let time = track.nanoseconds(at: sample.time)
        let duration = track.nanoseconds(at: sample.time + sample.duration) - time
        outcome.samples += 1
        outcome.digest.take(sample.time &+ Int64(sample.bytes.count))
        outcome.longest = max(outcome.longest, duration)
        if time < outcome.ends[index] - millisecond { outcome.overlaps += 1 }
        outcome.ends[index] = time + (sample.isDurationEstimated ? 0 : duration)
        guard !sample.isFill else { return outcome.fills += 1 }
        let body = track.isVideo ? sample.bytes.dropFirst(5).prefix(8) : sample.bytes.prefix(8)
        let captured = body.reduce(Int64(0)) { $0 << 8 | Int64($1) }
        // The source's own clock against the room's is in both alike.
        outcome.offsets[index] = time - captured
        if captured > outcome.faultEnd, let sound = outcome.offsets[0], let picture = outcome.offsets[1] {
            outcome.widest = max(outcome.widest, abs(sound - picture))
        }
    }
}
