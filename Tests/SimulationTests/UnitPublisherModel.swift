import Feed
import Timeline
import Timing

/// An encoder that publishes over RTMP, by a seed: bursts, stalls of the network and of the encoder, stamps that jump and
/// wrap, restarts. It gives the records of the room's feed, and knows what it did.
struct UnitPublisherModel {
    /// What a recording must say was missing.
    struct Hole: Equatable {
        var isVideo: Bool
        var isAway: Bool
        /// Nanoseconds.
        var length: Int64

        /// How much longer or shorter it may be told, beyond a frame and the milliseconds of the stamps: a publisher that
        /// was away has its new place where its first frame arrived, and its clock had drifted since the last time.
        var slack: Int64 = 0

        func matches(_ told: Hole) -> Bool {
            isVideo == told.isVideo && isAway == told.isAway
                && abs(length - told.length) < 60 * millisecond + slack
        }
    }

    static let soundTrack = TrackNumber(rawValue: 1)
    static let pictureTrack = TrackNumber(rawValue: 2)
    /// An avcC of x264 (the fixtures' own), and AAC-LC at 48 kHz, stereo.
    static let avc: [UInt8] = [
        0x01, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0x00, 0x17, 0x67, 0x42, 0xC0, 0x0A, 0xD9, 0x04, 0x7B, 0x01, 0x10, 0x00,
        0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xC0, 0xF1, 0x22, 0x64, 0x80, 0x01, 0x00, 0x05, 0x68, 0xCB,
        0x83, 0xCB, 0x20,
    ]
    static let aac: [UInt8] = [0x11, 0x90]

    private enum Fault: CaseIterable {
        case networkStall, encoderStall, forward, backward, restart
    }

    private let participant = ParticipantNumber(rawValue: 1)
    /// The source's clock against the room's, and the sound's samples against it, in parts per million.
    private let sourceRate: Double
    private let soundRate: Double
    private var random: Seeded
    private var clock = SourceClock()
    private var stamps = ExtendedCounter<UInt32>()
    /// Added to the source's milliseconds: near the 32-bit wrap at first.
    private var base: Int64 = (1 << 32) - 600_000
    private var frame: Int64 = 0
    private var soundFrame: Int64 = 0
    private var silentUntil: Int64 = .min
    private var heldUntil: Int64 = .min
    private var nextFault: Int64 = 120 * second
    private var anchoredAt: Int64 = 0
    private var position: UInt64 = 0
    private(set) var holes: [Hole] = []
    private(set) var faults = 0
    /// When the last fault was over, by the room's clock.
    private(set) var faultEnd: Int64 = 0
    private(set) var records: [Record] = []

    init(seed: UInt64, sourceRate: Double, soundRate: Double) {
        (self.sourceRate, self.soundRate) = (sourceRate, soundRate)
        random = Seeded(seed)
        event(.clock(epoch: 1_700_000_000 * second), at: 0)
        event(.joined(ParticipantInfo(number: participant, id: "PA_1", identity: "a", name: "")), at: 0)
        publish(at: 0)
        describe(at: 0)
    }

    mutating func takeRecords() -> [Record] {
        defer { records = [] }
        return records
    }

    mutating func takeHoles() -> [Hole] {
        defer { holes = [] }
        return holes
    }

    /// All that is sent up to `end`.
    mutating func send(upTo end: Int64) {
        while true {
            let picture = frame * second / 30
            let sound = soundTime(soundFrame)
            let time = min(picture, sound)
            guard time < end else { return }
            if time >= nextFault { begin(at: time) }
            if picture <= sound {
                unit(isVideo: true, at: picture, isKey: frame % 60 == 0)
                frame += 1
            } else {
                unit(isVideo: false, at: sound, isKey: true)
                soundFrame += 1
            }
        }
    }

    /// When a frame of sound was captured, by the room's clock.
    private func soundTime(_ index: Int64) -> Int64 {
        let exact = index * 1024 * second / 48_000
        return exact - Int64(Double(exact) * soundRate / 1e6)
    }

    private mutating func unit(isVideo: Bool, at time: Int64, isKey: Bool) {
        guard time >= silentUntil else { return }
        let source = time + Int64(Double(time) * sourceRate / 1e6)
        let wire = UInt32(truncatingIfNeeded: source / millisecond + base)
        let stamp = stamps.extend(wire)
        // Bursts: what came within a fifth of a second arrives together; a stalled network holds all.
        let arrival = max((time / (second / 5) + 1) * (second / 5) + random.below(20) * millisecond, heldUntil)
        let mapped = clock.map(stamp: stamp * millisecond, arrival: arrival, track: isVideo ? 1 : 0)
        if let offset = mapped.anchoredOffset { event(.anchored(participant, offset: offset), at: mapped.roomTime) }
        let body = (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * $0)) }
        let bytes = isVideo ? [0, 0, 0, 9, isKey ? 0x65 : 0x41] + body : body + [UInt8](repeating: 0x55, count: 24)
        let unit = Unit(
            track: isVideo ? Self.pictureTrack : Self.soundTrack, configuration: 1, pts: stamp, dts: stamp,
            isKey: isKey, bytes: bytes[...])
        append(.unit(unit), at: mapped.roomTime)
    }

    private mutating func begin(at time: Int64) {
        faults += 1
        faultEnd = time + 8 * second
        nextFault = time + 180 * second + random.below(240 * second)
        switch Fault.allCases[Int(random.below(Int64(Fault.allCases.count)))] {
        case .networkStall: heldUntil = time + 3 * second
        case .encoderStall: fall(silentFor: 3, isAway: false, at: time)
        case .forward: base += 60_000
        case .backward: base -= 45_000
        case .restart:
            fall(silentFor: 4, isAway: true, at: time)
            base = -time / millisecond  // stamps from 0
            stamps = ExtendedCounter()
            clock.restart()
            for track in [Self.soundTrack, Self.pictureTrack] { event(.unpublished(track), at: time) }
            publish(at: time + 4 * second)
        }
    }

    private mutating func fall(silentFor seconds: Int, isAway: Bool, at time: Int64) {
        silentUntil = time + Int64(seconds) * second
        // The picture is back with a key frame.
        let picture = ((silentUntil * 30 + second - 1) / second + 59) / 60 * 60 * second / 30
        for isVideo in [true, false] {
            let end = isVideo && isAway ? picture : silentUntil
            let drift = Int64(Double(time - anchoredAt) * abs(sourceRate) / 1e6)
            let slack = isAway ? 300 * millisecond + drift : 0
            holes.append(Hole(isVideo: isVideo, isAway: isAway, length: end - time, slack: slack))
        }
        if isAway { anchoredAt = time }
    }

    private mutating func publish(at time: Int64) {
        for (number, kind) in [(Self.soundTrack, TrackInfo.Kind.audio), (Self.pictureTrack, .video)] {
            event(
                .published(
                    TrackInfo(
                        number: number, id: kind == .video ? "TR_v" : "TR_a", participant: participant, kind: kind,
                        source: kind == .video ? .camera : .microphone, form: .units)), at: time)
        }
    }

    private mutating func describe(at time: Int64) {
        let sound = Configuration(
            id: 1, codec: .aac, timescale: 1000, record: Self.aac, sampleRate: 48_000, channels: 2)
        let picture = Configuration(id: 1, codec: .h264, timescale: 1000, record: Self.avc, width: 128, height: 72)
        event(.configuration(Self.soundTrack, rendition: 0, sound), at: time)
        event(.configuration(Self.pictureTrack, rendition: 0, picture), at: time)
    }

    private mutating func event(_ event: RoomEvent, at time: Int64) { append(.event(event), at: time) }

    private mutating func append(_ body: Record.Body, at time: Int64) {
        records.append(Record(position: position, time: time, body: body))
        position += 1
    }
}
