import Feed

/// A pause, which leaves time out, and a split, which moves what comes into another timeline.
extension PlacedMedia {
    /// Where the pictures end (or the sound, without any), in nanoseconds since the zero.
    private var end: Int64 {
        let video = tracks.filter { $0.isVideo && $0.state.clock.lastTime != nil }
        let ends = (video.isEmpty ? tracks : video).compactMap { track in
            track.state.clock.lastTime.map { track.track.nanoseconds(at: $0 &+ track.estimatedDuration) }
        }
        return ends.max() ?? 0
    }

    /// Where `unit` stands, in nanoseconds of room time; by its decoding or by its presentation time.
    func roomTime(of unit: Unit, byPresentation: Bool, _ record: Record, _ room: inout RecordedRoom) -> Int64? {
        guard let track = room.tracks[unit.track], let configuration = track.configurations[unit.configuration] else {
            return nil
        }
        let scale = Int64(configuration.timescale)
        let dts = SampleClock.scale(unit.dts, from: scale, to: 1_000_000_000)
        let pts = SampleClock.scale(unit.pts, from: scale, to: 1_000_000_000)
        let clock = room.clock(of: track.info.participant, stamp: dts, at: record.time)
        return (byPresentation ? pts : dts) &+ clock.offset
    }

    /// What came since the last sample is left out: `unit`, the next to be taken, follows right behind it.
    mutating func leaveOut(upTo unit: Unit, _ record: Record, _ room: inout RecordedRoom) {
        for index in tracks.indices {
            tracks[index].state.clock.anchor = nil
            tracks[index].state.gap = .pause
            tracks[index].state.needsKey = tracks[index].isVideo
        }
        guard let time = roomTime(of: unit, byPresentation: false, record, &room) else { return }
        let end = end
        let length = max(0, time &- beginning.zero &- beginning.leftOut &- end)
        beginning.leftOut &+= length
        outputs.append(.leftOut(nanoseconds: length, at: end))
    }
}

/// What a timeline leaves out.
enum Pausing: Equatable, Sendable {
    case no
    case paused
    /// Asked to go on: with the next key frame.
    case resuming
}

/// A split on its way: from the key frame at `time` (room time, presentation) on, all is for the next timeline. Sound that
/// is heard before it still comes.
struct Splitting: Equatable, Sendable {
    /// Sound that is this late is for the next timeline too, in nanoseconds.
    static let patience: Int64 = 500_000_000

    var time: Int64
    /// Room time of the record that began it.
    var since: Int64
    /// Records of the next timeline.
    var records: [Record]
    /// Tracks of sound that have passed `time`.
    var passed: Set<TrackNumber> = []
}

extension RecordedRoom {
    /// Whether a picture is published that can be waited for.
    var hasPicture: Bool {
        published.contains { $0.info.kind == .video && $0.info.form == .units && !$0.configurations.isEmpty }
    }

    /// Whether media may begin anew with `unit`: a key frame, or any sound where there is no picture.
    func isCut(_ unit: Unit) -> Bool {
        guard unit.rendition == 0, let track = tracks[unit.track] else { return false }
        return track.info.kind == .video ? unit.isKey : !hasPicture
    }

    /// Tracks of sound that are published as units.
    var sound: [TrackNumber] {
        published.filter { $0.info.kind == .audio && $0.info.form == .units && !$0.configurations.isEmpty }
            .map(\.info.number)
    }
}
