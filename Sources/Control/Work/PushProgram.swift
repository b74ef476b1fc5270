import Bytes
import Codecs
import Feed
import RTMP
import RTMPPush
import Timing

/// Picks from a feed the one picture and the one sound that RTMP can carry, and makes the frames of a push from them.
///
/// The first video track, and the first audio track of the same participant, else any. Times are the source's own
/// milliseconds, carried to the room clock, so that they go on over reconnects of source and destination.
struct PushProgram {
    private struct Track {
        var info: TrackInfo
        var configuration: Configuration?
        var filter: AccessUnitFilter?
        var header: PushMessage?
        /// Rises with each configuration.
        var headerNumber: UInt32 = 0
    }

    private var tracks: [TrackNumber: Track] = [:]
    private var offsets: [ParticipantNumber: Int64] = [:]
    private var video: TrackNumber?
    private var audio: TrackNumber?
    private var lastHeader: UInt32 = 0

    var hasVideo: Bool { video != nil }

    /// Names of tracks that the destination does not get.
    var leftOut: [String] {
        tracks.values.filter { $0.info.number != video && $0.info.number != audio }.map(\.info.id).sorted()
    }

    /// - Returns: true if what a new connection is told has changed.
    mutating func apply(_ event: RoomEvent) -> Bool {
        switch event {
        case .published(let info):
            tracks[info.number, default: Track(info: info)].info = info
            choose()
        case .unpublished(let number):
            tracks[number] = nil
            choose()
        case .left(let participant):
            tracks = tracks.filter { $0.value.info.participant != participant }
            choose()
        case .anchored(let participant, let offset):
            offsets[participant] = offset
            return false
        case .configuration(let number, 0, let configuration):
            configure(number, configuration)
        default: return false
        }
        return true
    }

    /// The frame that `unit` makes; `nil` if it is not of this program, or holds nothing that is sent.
    /// - Throws: ``H264Error`` for a unit that does not parse. Drop it and count it.
    func frame(of unit: Unit) throws(H264Error) -> PushFrame? {
        guard unit.track == video || unit.track == audio, unit.rendition == 0, let track = tracks[unit.track],
            let configuration = track.configuration, configuration.id == unit.configuration, let header = track.header
        else { return nil }
        let time = milliseconds(unit.dts, configuration, of: track.info.participant)
        guard unit.track == video else {
            return .audio(unit.bytes, time: time, header: header, headerNumber: track.headerNumber)
        }
        guard let filtered = try track.filter?.filter(unit.bytes), !filtered.bytes.isEmpty else { return nil }
        let composition = milliseconds(unit.pts, configuration, of: track.info.participant) - time
        return .video(
            filtered.bytes, time: time, compositionTime: Int32(clamping: composition), isKey: unit.isKey,
            header: header, headerNumber: track.headerNumber)
    }

    var metadata: FLVMetadata {
        var properties: [AMF0Property] = []
        if let picture = video.flatMap({ tracks[$0]?.configuration }) {
            properties.append(AMF0Property("width", .number(Double(picture.width))))
            properties.append(AMF0Property("height", .number(Double(picture.height))))
            properties.append(AMF0Property("videocodecid", 7))
        }
        if let sound = audio.flatMap({ tracks[$0]?.configuration }) {
            properties.append(AMF0Property("audiosamplerate", .number(Double(sound.sampleRate))))
            properties.append(AMF0Property("audiochannels", .number(Double(sound.channels))))
            properties.append(AMF0Property("stereo", .boolean(sound.channels > 1)))
            properties.append(AMF0Property("audiocodecid", 10))
        }
        properties.append(AMF0Property("encoder", "Sluice"))
        return FLVMetadata(properties: properties)
    }

    var audioHeader: (message: PushMessage, number: UInt32)? {
        guard let track = audio.flatMap({ tracks[$0] }), let header = track.header else { return nil }
        return (header, track.headerNumber)
    }

    private mutating func choose() {
        let all = tracks.values.map(\.info).sorted { $0.number < $1.number }
        let isKept = video.map { tracks[$0] != nil } ?? false
        if !isKept { video = all.first { $0.kind == .video && $0.form == .units }?.number }
        let publisher = video.flatMap { tracks[$0]?.info.participant }
        let sounds = all.filter { $0.kind == .audio && $0.form == .units }
        audio = (sounds.first { $0.participant == publisher } ?? sounds.first)?.number
    }

    private mutating func configure(_ number: TrackNumber, _ configuration: Configuration) {
        guard var track = tracks[number] else { return }
        track.configuration = configuration
        track.header = nil
        track.filter = nil
        switch configuration.codec {
        case .h264:
            guard let record = try? AVCDecoderConfigurationRecord(parsing: configuration.record.span) else { break }
            track.filter = AccessUnitFilter(record)
            track.header = .videoHeader(configuration.record)
        case .aac: track.header = .audioHeader(configuration.record)
        default: break
        }
        lastHeader &+= 1
        track.headerNumber = lastHeader
        tracks[number] = track
    }

    /// Room time in milliseconds. What one participant sends keeps its differences to the millisecond.
    private func milliseconds(_ time: Int64, _ configuration: Configuration, of participant: ParticipantNumber) -> Int64
    {
        let scale = Int64(max(1, configuration.timescale))
        let (seconds, rest) = time.quotientAndRemainder(dividingBy: scale)
        let offset = (offsets[participant] ?? 0) / 1_000_000
        return seconds &* 1000 &+ rest &* 1000 / scale &+ offset
    }
}
