import Feed
import Packaging
import Spec
import Testing
import Timeline

/// One of several people in a room, by a seed: a picture and sound over RTMP, whose clock runs off the room's, and who now and
/// then says nothing. What is published names the instant of its capture.
struct DriftingPublisher {
    /// What a path costs at least.
    static let delay = 20 * millisecond

    let participant: ParticipantNumber
    /// The source's clock against the room's, in parts per million.
    let rate: Double
    private var random: Seeded
    private var clock = SourceClock()
    private var frame: Int64 = 0
    private var soundFrame: Int64 = 0

    init(_ number: UInt32, rate: Double) {
        participant = ParticipantNumber(rawValue: number)
        self.rate = rate
        random = Seeded(UInt64(number))
    }

    func track(_ kind: TrackInfo.Kind) -> TrackNumber {
        TrackNumber(rawValue: participant.rawValue * 10 + UInt32(kind.rawValue))
    }

    /// What comes before its media.
    var events: [RoomEvent] {
        let name = "\(participant.rawValue)"
        let kinds = [TrackInfo.Kind.video, .audio]
        let published = kinds.map { kind in
            RoomEvent.published(
                TrackInfo(
                    number: track(kind), id: "TR_\(name)\(kind.rawValue)", participant: participant, kind: kind,
                    source: kind == .video ? .camera : .microphone, form: .units))
        }
        let picture = Configuration(id: 1, codec: .h264, timescale: 1000, record: UnitPublisherModel.avc)
        let sound = Configuration(
            id: 1, codec: .aac, timescale: 1000, record: UnitPublisherModel.aac, sampleRate: 48_000, channels: 2)
        return [.joined(ParticipantInfo(number: participant, id: "PA_\(name)", identity: name, name: ""))] + published
            + [
                .configuration(track(.video), rendition: 0, picture),
                .configuration(track(.audio), rendition: 0, sound),
            ]
    }

    /// The bodies of the records of one second, each with its time.
    mutating func send(upTo end: Int64) -> [(time: Int64, body: Record.Body)] {
        var made: [(time: Int64, body: Record.Body)] = []
        while true {
            let (picture, sound) = (capture(frame, of: 25, 1), capture(soundFrame, of: 48_000, 1024))
            guard min(picture, sound) < end else { return made }
            if picture <= sound {
                made += unit(.video, at: picture, isKey: frame % 50 == 0, length: 16)
                frame += 1
            } else {
                // Silence is some bytes; every eleven seconds it lasts for one.
                made += unit(.audio, at: sound, isKey: true, length: sound % (11 * second) < second ? 0 : 40)
                soundFrame += 1
            }
        }
    }

    /// When the unit of that number was captured, by the room's clock: the source counts by its own.
    private func capture(_ number: Int64, of rate: Int64, _ step: Int64) -> Int64 {
        let own = number * step * second / rate
        return own - Int64(Double(own) * self.rate / (1e6 + self.rate))
    }

    private mutating func unit(
        _ kind: TrackInfo.Kind, at time: Int64, isKey: Bool, length: Int
    ) -> [(time: Int64, body: Record.Body)] {
        let stamp = (time + Int64((Double(time) * rate / 1e6).rounded())) / millisecond
        let arrival = time + Self.delay + random.below(15) * millisecond
        let mapped = clock.map(stamp: stamp * millisecond, arrival: arrival, track: Int(kind.rawValue))
        let captured = (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * $0)) }
        let head: [UInt8] = kind == .video ? [0, 0, 0, UInt8(9 + length), isKey ? 0x65 : 0x41] : []
        let unit = Unit(
            track: track(kind), configuration: 1, pts: stamp, dts: stamp, isKey: isKey,
            bytes: (head + captured + [UInt8](repeating: 0x55, count: length))[...])
        var made: [(time: Int64, body: Record.Body)] = []
        if let offset = mapped.anchoredOffset {
            made.append((mapped.roomTime, .event(.anchored(participant, offset: offset))))
        }
        made.append((mapped.roomTime, .unit(unit)))
        return made
    }
}

@Suite("People whose clocks run apart", .spec("ISO/IEC 14496-12", "8.6"))
struct DriftSimulationTests {
    /// How a track is in the end.
    struct Outcome {
        var kind = TrackInfo.Kind.video
        var samples = 0
        /// The furthest from the room's clock, in nanoseconds.
        var widest: Int64 = 0
        /// Moved onto the room's clock, and how often where it would be seen or heard.
        var corrections: Int64 = 0
        var wrong = 0
        fileprivate var off: Int64?
    }

    @Test("stay within 20 ms and a frame of the room's, and are moved only at key frames and in silence")
    func together() throws {
        let seconds: Int64 = isSimulatedLong ? 3600 : 600
        let outcomes = Self.run(seconds: seconds)
        #expect(outcomes.count == 4)
        for outcome in outcomes {
            let frame = outcome.kind == .video ? second / 25 : 1024 * second / 48_000
            let note = Comment(rawValue: "\(outcome)")
            #expect(outcome.samples > Int((seconds - 10) * second / frame), note)
            #expect(outcome.widest <= 20 * millisecond + frame, note)
            // An hour at 200 ppm is 720 ms, 36 times the 20 ms that are let be.
            #expect((seconds / 144...seconds / 60).contains(outcome.corrections) && outcome.wrong == 0, note)
        }
    }

    private static func run(seconds: Int64) -> [Outcome] {
        var publishers = [DriftingPublisher(1, rate: 200), DriftingPublisher(2, rate: -200)]
        var timeline = RoomTimeline()
        var outcomes: [Outcome] = []
        var position: UInt64 = 0
        func give(_ body: Record.Body, at time: Int64) {
            timeline.receive(Record(position: position, time: time, body: body))
            position += 1
            drain(&timeline, &outcomes)
        }
        give(.event(.clock(epoch: 1_700_000_000 * second)), at: 0)
        for event in publishers.flatMap(\.events) { give(.event(event), at: 0) }
        for step in 1...seconds {
            let made = publishers.indices.flatMap { publishers[$0].send(upTo: step * second) }
            for (time, body) in made.sorted(by: { $0.time < $1.time }) { give(body, at: time) }
        }
        timeline.finish()
        drain(&timeline, &outcomes)
        return outcomes
    }

    private static func drain(_ timeline: inout RoomTimeline, _ outcomes: inout [Outcome]) {
        while true {
            switch timeline.pollOutput() {
            case .wait, .finished: return
            case .track(let track): outcomes.append(Outcome(kind: track.info.kind))
            case .sample(let sample):
                guard let beginning = timeline.beginning else { return }
                take(sample, timeline.tracks[sample.track], zero: beginning.zero, &outcomes[sample.track])
            default: break
            }
        }
    }

    private static func take(_ sample: PlacedSample, _ track: TimelineTrack, zero: Int64, _ outcome: inout Outcome) {
        guard !sample.isFill else { return }
        let body = track.isVideo ? sample.bytes.dropFirst(5) : sample.bytes
        let captured = body.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        outcome.samples += 1
        let off = track.nanoseconds(at: sample.time) + zero - captured - DriftingPublisher.delay
        outcome.widest = max(outcome.widest, abs(off))
        let step = off - (outcome.off ?? off)
        outcome.off = off
        guard abs(step) > 4 * millisecond else { return }
        outcome.corrections += 1
        if track.isVideo ? !sample.isSync : sample.bytes.count > 8 { outcome.wrong += 1 }
    }
}
