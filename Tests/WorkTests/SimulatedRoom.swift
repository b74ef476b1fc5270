import FFmpeg
import Feed

/// A room's feed, written down before it is served: one RTMP publisher that plays a clip of `fixtures/media`.
struct SimulatedRoom {
    static let id = "RM_test"
    static let epoch: Int64 = 1_790_000_000_000_000_000
    static let video = TrackNumber(rawValue: 2)
    static let audio = TrackNumber(rawValue: 3)

    private(set) var records: [Record] = []

    /// Pictures and pieces of sound that were published.
    var frames: (video: Int, audio: Int) {
        var count = (video: 0, audio: 0)
        for case .unit(let unit) in records.map(\.body) {
            if unit.track == Self.video { count.video += 1 } else { count.audio += 1 }
        }
        return count
    }

    /// Room time of the first picture, in nanoseconds.
    var firstPicture: Int64 {
        for case .unit(let unit) in records.map(\.body) where unit.track == Self.video { return unit.pts * 1_000_000 }
        return 0
    }

    /// - Parameters:
    ///   - rounds: how often the clip is played, one after another, with stamps that go on.
    ///   - stall: nanoseconds by which the last round comes late.
    init(
        playing name: String = "plain-30.flv", rounds: Int = 1, epoch: Int64 = Self.epoch, stall: Int64 = 0
    ) throws {
        let folder = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        var reader = try MediaReader(path: "/\(folder)/fixtures/media/\(name)")
        let streams = reader.streams
        announce(streams, epoch)
        var units: [Unit] = []
        while let packet = try reader.next() {
            let isVideo = streams[packet.stream].kind == .video
            guard let pts = packet.pts, let dts = packet.dts else { continue }
            units.append(
                Unit(
                    track: isVideo ? Self.video : Self.audio, configuration: 1, pts: pts, dts: dts,
                    isKey: packet.isKey, bytes: packet.bytes[...]))
        }
        let end = units.map(\.dts).max().map { $0 + 33 } ?? 0
        for round in 0..<Int64(rounds) {
            for var unit in units.sorted(by: { $0.dts < $1.dts }) {
                unit.pts += round * end
                unit.dts += round * end
                append(.unit(unit), at: unit.dts * 1_000_000 + (round == Int64(rounds) - 1 ? stall : 0))
            }
        }
    }

    private mutating func announce(_ streams: [MediaStream], _ epoch: Int64) {
        let publisher = ParticipantNumber(rawValue: 1)
        append(.event(.clock(epoch: epoch)))
        append(.event(.joined(ParticipantInfo(number: publisher, id: "PA_test", identity: "obs", name: ""))))
        append(.event(.anchored(publisher, offset: 0)))
        for stream in streams {
            let isVideo = stream.kind == .video
            let number = isVideo ? Self.video : Self.audio
            let info = TrackInfo(
                number: number, id: "TR_\(number.rawValue)", participant: publisher, kind: isVideo ? .video : .audio,
                source: isVideo ? .camera : .microphone, form: .units)
            append(.event(.published(info)))
            let configuration = Configuration(
                id: 1, codec: isVideo ? .h264 : .aac, timescale: 1000, record: stream.configuration,
                width: UInt32(stream.width), height: UInt32(stream.height), sampleRate: UInt32(stream.sampleRate),
                channels: UInt32(stream.channels))
            append(.event(.configuration(number, rendition: 0, configuration)))
        }
    }

    private mutating func append(_ body: Record.Body, at time: Int64 = 0) {
        records.append(Record(position: UInt64(records.count), time: time, body: body))
    }

    /// The state of the room before `position`, as the events that a subscription begins with.
    func snapshot(before position: UInt64) -> [Record] {
        records.prefix(Int(position)).compactMap { record in
            guard case .event = record.body else { return nil }
            return Record(position: position, time: record.time, body: record.body)
        }
    }
}
