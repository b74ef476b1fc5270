import Feed

/// A pause, which leaves time out, and a split, which moves what comes into another timeline.
extension PlacedMedia {
    /// Where the pictures end, in nanoseconds since the zero; `nil` without any.
    var pictureEnd: Int64? { tracks.filter(\.isVideo).compactMap(\.end).max() }

    /// Where the longest track ends, in nanoseconds since the zero.
    var end: Int64 { tracks.compactMap(\.end).max() ?? 0 }

    /// Whether the pictures of a track reach up to `least` and none is missing among them, if the next is shown at `time`.
    func isWhole(_ track: TrackNumber, before time: Int64, from least: Int64) -> Bool {
        guard let track = indices[track].map({ tracks[$0] }), let end = track.end, let last = track.state.lastShown
        else { return true }
        return time > track.track.nanoseconds(at: last) && end >= least &- Cutting.slack
    }

    /// When `unit` is shown or heard, in nanoseconds of room time.
    func roomTime(of unit: Unit, _ record: Record, _ room: inout RecordedRoom) -> Int64? {
        guard let track = room.tracks[unit.track], let configuration = track.configurations[unit.configuration] else {
            return nil
        }
        let scale = Int64(configuration.timescale)
        let dts = SampleClock.scale(unit.dts, from: scale, to: 1_000_000_000)
        let pts = SampleClock.scale(unit.pts, from: scale, to: 1_000_000_000)
        return pts &+ room.clock(of: track.info.participant, stamp: dts, at: record.time).offset
    }

    /// What came since the last sample is left out: `unit`, the next to be taken, follows right behind the pictures.
    mutating func leaveOut(upTo unit: Unit, _ record: Record, _ room: inout RecordedRoom) {
        for index in tracks.indices {
            tracks[index].state.clock.anchor = nil
            tracks[index].state.gap = .pause
            tracks[index].state.needsKey = tracks[index].isVideo
        }
        guard let time = roomTime(of: unit, record, &room) else { return }
        let end = pictureEnd ?? end
        let length = max(0, time &- beginning.zero &- beginning.leftOut &- end)
        beginning.leftOut &+= length
        outputs.append(.leftOut(nanoseconds: length, at: end))
    }
}

extension TrackTimeline {
    /// In nanoseconds since the zero.
    fileprivate var end: Int64? { (isVideo ? shownUntil : state.clock.end).map { track.nanoseconds(at: $0) } }
}

/// What a timeline leaves out.
enum Pausing: Equatable, Sendable {
    case no
    /// Asked to pause: up to the next place where that can be cut out.
    case cutting(Cutting)
    case paused
    /// Asked to go on: with the next key frame. Sound that came lately may be heard behind it.
    case resuming([Record])

    /// What follows once the place to cut is behind.
    var behindCut: Pausing {
        guard case .cutting(let cut) = self else { return self }
        return cut.isResumeDue ? .resuming([]) : .paused
    }

    /// Until when a place to cut is waited for, in room time.
    var deadline: Int64? {
        if case .cutting(let cut) = self { cut.deadline } else { nil }
    }
}

/// A pause on its way: the pictures come to a place behind which none before it is missing, and the sound up to there.
struct Cutting: Equatable, Sendable {
    /// How long is waited for that, in nanoseconds of room time.
    static let patience: Int64 = 500_000_000
    /// So much sound waits, or is kept for its picture, at most: stamps that stand still pass no time.
    static let soundLimit = 512
    /// Half a frame of sound, in nanoseconds: it is cut at the frame that is nearest.
    static let slack: Int64 = 10_000_000

    /// The cut is not before it: up to there, in nanoseconds since the zero, something stands already.
    var least: Int64
    /// Room time of the pause.
    var since: Int64
    /// Behind the last record that was dealt with.
    var position: UInt64
    /// Where the pictures end, once they have come to it.
    var time: Int64?
    /// Sound that waits for that.
    var records: [Record] = []
    /// Tracks that are through.
    var passed: Set<TrackNumber> = []
    /// Asked to go on meanwhile.
    var isResumeDue = false

    var deadline: Int64 { since &+ Self.patience }
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
    /// Tracks of one kind that are published as units, and described.
    func tracks(of kind: TrackInfo.Kind) -> [TrackNumber] {
        published.filter { $0.info.kind == kind && $0.info.form == .units && !$0.configurations.isEmpty }
            .map(\.info.number)
    }

    /// Whether media may begin anew with `unit`: a key frame, or any sound where there is no picture.
    func isCut(_ unit: Unit) -> Bool {
        guard unit.rendition == 0, let track = tracks[unit.track] else { return false }
        return track.info.kind == .video ? unit.isKey : tracks(of: .video).isEmpty
    }
}
