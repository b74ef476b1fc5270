import Feed
import Forwarding
import MediaLoop
import RTMP
import Timeline
import Timing

/// The way of one publication into its room: numbers its tracks, maps its clock, and appends what ``FLVIngest`` makes of
/// its messages to the room's feed.
struct UnitPublisher {
    private let room: Room
    private let grant: PublishGrant
    private let participant: ParticipantNumber
    private var ingest: FLVIngest
    private var clock = SourceClock()
    private var videoTrack: TrackNumber?
    private var audioTrack: TrackNumber?
    /// Each costs every recorder a segment, and every later viewer a header.
    private var changes = TokenBucket(burst: 30, interval: .seconds(1))
    /// Configurations changed more often than that: nothing more is taken, and the session is to end.
    private(set) var changesTooOften = false
    /// Bytes of messages that became no unit.
    private(set) var unusedBytes = 0

    init(_ grant: PublishGrant, in room: Room, at now: Instant) {
        self.room = room
        self.grant = grant
        ingest = FLVIngest(
            lastVideoID: room.lastConfiguration(of: grant.videoTrack),
            lastAudioID: room.lastConfiguration(of: grant.audioTrack))
        participant = room.join(id: grant.participant, identity: grant.identity, name: grant.name, at: now)
    }

    var report: PublicationReport { ingest.report }

    /// What an encoder announces is published at once, so that a recorder waits for the picture that follows the sound.
    mutating func metadata(_ metadata: FLVMetadata, at now: Instant) {
        if metadata["videocodecid"] != nil { _ = track(.video, at: now) }
        if metadata["audiocodecid"] != nil { _ = track(.audio, at: now) }
    }

    mutating func video(timestamp: Int64, payload: ArraySlice<UInt8>, at now: Instant) {
        append(ingest.video(timestamp: timestamp, payload: payload), timestamp, payload.count, at: now)
    }

    mutating func audio(timestamp: Int64, payload: ArraySlice<UInt8>, at now: Instant) {
        append(ingest.audio(timestamp: timestamp, payload: payload), timestamp, payload.count, at: now)
    }

    private mutating func append(_ item: FLVIngest.Item?, _ timestamp: Int64, _ byteCount: Int, at now: Instant) {
        guard !changesTooOften else { return }
        switch item {
        case nil: unusedBytes &+= byteCount
        case .configuration(let kind, let configuration):
            unusedBytes &+= byteCount
            guard changes.take(at: now.nanoseconds) else { return changesTooOften = true }
            room.append(.configuration(track(kind, at: now), rendition: 0, configuration), at: now)
        case .unit(let kind, let unit):
            let mapped = clock.map(
                stamp: timestamp &* 1_000_000, arrival: room.time(at: now), track: Int(kind.rawValue))
            if let offset = mapped.anchoredOffset { room.append(.anchored(participant, offset: offset), at: now) }
            let record = Unit(
                track: track(kind, at: now), configuration: unit.configuration, pts: unit.pts, dts: unit.dts,
                isKey: unit.isKey, bytes: unit.bytes)
            room.ring.append(.unit(record), time: mapped.roomTime)
        }
    }

    private mutating func track(_ kind: TrackInfo.Kind, at now: Instant) -> TrackNumber {
        if let known = kind == .video ? videoTrack : audioTrack { return known }
        let (id, source): (String, TrackInfo.Source) =
            kind == .video ? (grant.videoTrack, .camera) : (grant.audioTrack, .microphone)
        let number = room.publish(id: id, of: participant, kind: kind, source: source, at: now)
        if kind == .video { videoTrack = number } else { audioTrack = number }
        return number
    }
}
