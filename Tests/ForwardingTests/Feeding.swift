import Feed
import Forwarding

/// A room with one participant and two tracks, fed by hand.
struct Feeding {
    static let video = TrackNumber(rawValue: 1)
    static let audio = TrackNumber(rawValue: 2)
    static let obs = ParticipantNumber(rawValue: 9)

    var ring: FeedRing
    var milliseconds: Int64 = 0

    init(limits: FeedRing.Limits = FeedRing.Limits()) {
        ring = FeedRing(limits: limits)
        event(.clock(epoch: 0))
        event(.joined(ParticipantInfo(number: Self.obs, id: "PA_1", identity: "obs", name: "")))
        publish(Self.video, "TR_v", .video, .camera)
        publish(Self.audio, "TR_a", .audio, .microphone)
    }

    mutating func publish(_ track: TrackNumber, _ id: String, _ kind: TrackInfo.Kind, _ source: TrackInfo.Source) {
        event(
            .published(
                TrackInfo(number: track, id: id, participant: Self.obs, kind: kind, source: source, form: .units)))
        event(
            .configuration(
                track, rendition: 0,
                Configuration(id: 1, codec: kind == .video ? .h264 : .aac, timescale: 1000, record: [1])))
    }

    mutating func event(_ event: RoomEvent) { ring.append(.event(event), time: milliseconds * 1_000_000) }

    @discardableResult
    mutating func unit(_ track: TrackNumber, key: Bool = false, bytes: Int = 100) -> UInt64 {
        let unit = Unit(
            track: track, configuration: 1, pts: milliseconds, dts: milliseconds, isKey: key,
            bytes: ArraySlice(repeating: 7, count: bytes))
        return ring.append(.unit(unit), time: milliseconds * 1_000_000)
    }

    /// Video at 25 a second with a key frame every `gop` frames, and a frame of sound with each picture.
    mutating func play(frames: Int, gop: Int, bytes: Int = 100) {
        for frame in 0..<frames {
            unit(Self.video, key: frame % gop == 0, bytes: bytes)
            unit(Self.audio, key: true, bytes: 10)
            milliseconds += 40
        }
    }
}

extension FeedCursor {
    /// Everything that is due now.
    mutating func drain(_ ring: FeedRing) -> [Record] {
        var records: [Record] = []
        while let record = next(in: ring) { records.append(record) }
        return records
    }
}

extension Record {
    var unit: Unit? { if case .unit(let unit) = body { unit } else { nil } }
    var event: RoomEvent? { if case .event(let event) = body { event } else { nil } }
}
