import Bytes

// One kind byte, then tagged fields. Kinds and tags are never reused.
extension RoomEvent {
    private enum Kind: UInt8 {
        case clock = 1
        case joined = 2
        case left = 3
        case published = 4
        case unpublished = 5
        case configuration = 6
        case anchored = 7
        case muted = 8
        case speaking = 9
        case layout = 10
        case missed = 11
    }

    private var kind: Kind {
        switch self {
        case .clock: .clock
        case .joined: .joined
        case .left: .left
        case .published: .published
        case .unpublished: .unpublished
        case .configuration: .configuration
        case .anchored: .anchored
        case .muted: .muted
        case .speaking: .speaking
        case .layout: .layout
        case .missed: .missed
        }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(kind.rawValue)
        switch self {
        case .clock(let epoch): bytes.append(field: 1, epoch)
        case .joined(let participant): participant.encode(into: &bytes)
        case .left(let participant): bytes.append(field: 1, participant.rawValue)
        case .published(let track): track.encode(into: &bytes)
        case .unpublished(let track): bytes.append(field: 1, track.rawValue)
        case .configuration(let track, let rendition, let configuration):
            bytes.append(field: 1, track.rawValue)
            bytes.append(field: 2, rendition)
            configuration.encode(into: &bytes)
        case .anchored(let participant, let offset):
            bytes.append(field: 1, participant.rawValue)
            bytes.append(field: 2, offset)
        case .muted(let track, let isMuted):
            bytes.append(field: 1, track.rawValue)
            bytes.append(field: 2, isMuted)
        case .speaking(let participants):
            for participant in participants { bytes.append(field: 1, participant.rawValue) }
        case .layout(let text): bytes.append(field: 1, text)
        case .missed(let from, let to):
            bytes.append(field: 1, from)
            bytes.append(field: 2, to)
        }
    }

    /// `nil`: a kind, or a sort of track, that a newer writer added.
    static func decode(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> RoomEvent? {
        guard let first = bytes.first else { throw .truncated }
        let fields = try Fields(parsing: bytes.dropFirst())
        guard let kind = Kind(rawValue: first) else { return nil }
        switch kind {
        case .clock: return .clock(epoch: try fields.int64(1))
        case .joined: return .joined(try ParticipantInfo(fields))
        case .left: return .left(try fields.participant(1))
        case .published: return try TrackInfo.decode(fields).map { .published($0) }
        case .unpublished: return .unpublished(try fields.track(1))
        case .configuration:
            return .configuration(
                try fields.track(1), rendition: try fields.integer(2, as: UInt16.self), try Configuration(fields))
        case .anchored: return .anchored(try fields.participant(1), offset: try fields.int64(2))
        case .muted: return .muted(try fields.track(1), try fields.flag(2))
        case .speaking: return .speaking(try fields.integers(1).map { ParticipantNumber(rawValue: $0) })
        case .layout: return .layout(try fields.string(1))
        case .missed: return .missed(from: try fields.uint64(1), to: try fields.uint64(2))
        }
    }
}

extension Fields {
    fileprivate func track(_ tag: UInt8) throws(FeedError) -> TrackNumber {
        TrackNumber(rawValue: try integer(tag, as: UInt32.self))
    }

    fileprivate func participant(_ tag: UInt8) throws(FeedError) -> ParticipantNumber {
        ParticipantNumber(rawValue: try integer(tag, as: UInt32.self))
    }
}

extension ParticipantInfo {
    func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, number.rawValue)
        bytes.append(field: 2, id)
        bytes.append(field: 3, identity)
        bytes.append(field: 4, name)
    }

    init(_ fields: Fields) throws(FeedError) {
        self.init(
            number: try fields.participant(1), id: try fields.string(2), identity: try fields.string(3),
            name: try fields.string(4))
    }
}

extension TrackInfo {
    func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, number.rawValue)
        bytes.append(field: 2, id)
        bytes.append(field: 3, participant.rawValue)
        bytes.append(field: 4, kind.rawValue)
        bytes.append(field: 5, source.rawValue)
        bytes.append(field: 6, form.rawValue)
        bytes.append(field: 7, name)
    }

    static func decode(_ fields: Fields) throws(FeedError) -> TrackInfo? {
        guard let kind = Kind(rawValue: try fields.integer(4, as: UInt8.self)),
            let form = Form(rawValue: try fields.integer(6, as: UInt8.self))
        else { return nil }
        return TrackInfo(
            number: try fields.track(1), id: try fields.string(2), participant: try fields.participant(3), kind: kind,
            source: Source(rawValue: try fields.integer(5, as: UInt8.self)) ?? .unknown, form: form,
            name: try fields.string(7))
    }
}

extension Configuration {
    // Tags 1 and 2 are the event's own.
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 3, id)
        bytes.append(field: 4, codec.rawValue)
        bytes.append(field: 5, timescale)
        bytes.append(field: 6, record)
        bytes.append(field: 7, width)
        bytes.append(field: 8, height)
        bytes.append(field: 9, sampleRate)
        bytes.append(field: 10, channels)
    }

    fileprivate init(_ fields: Fields) throws(FeedError) {
        self.init(
            id: try fields.integer(3, as: UInt32.self), codec: CodecID(rawValue: try fields.string(4)),
            timescale: try fields.integer(5, as: UInt32.self), record: Array(try fields.bytes(6)),
            width: try fields.integer(7, as: UInt32.self), height: try fields.integer(8, as: UInt32.self),
            sampleRate: try fields.integer(9, as: UInt32.self), channels: try fields.integer(10, as: UInt32.self))
    }
}
