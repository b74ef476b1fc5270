import Feed
import ISOBMFF
public import Timing

extension RecorderStatistics {
    /// How a track's samples are coded, from a place on.
    public struct Form: Equatable, Sendable {
        /// Since the file's zero.
        public var from: Duration
        /// RFC 6381, as `avc1.64001f`.
        public var codec: String
        /// In pixels; 0 for sound.
        public var width = 0
        public var height = 0
        /// 0 for pictures.
        public var channels = 0
        public var sampleRate = 0
    }

    /// Where the file's time stands in the world's, and in its sources'.
    public struct Clock: Equatable, Sendable {
        public struct Source: Equatable, Sendable {
            public var identity: String
            /// The source's own time at the file's zero.
            public var stamp: Duration
        }

        /// UTC at the file's zero, counted back over pauses from what is written now.
        public var zeroAt: WallTime
        public var sources: [Source]
    }

    /// Takes what `timeline` knows of gaps, forms and clocks; the tracks are there.
    mutating func take(_ timeline: RoomTimeline) {
        take(timeline.gaps, timeline.tracks)
        clock = timeline.clock
        for (index, track) in timeline.tracks.enumerated() {
            guard let place = tracks.firstIndex(where: { $0.id == track.info.id }) else { continue }
            (tracks[place].identity, tracks[place].isVideo) = (track.identity, track.isVideo)
            tracks[place].forms = timeline.forms[index]
        }
    }
}

extension RecorderStatistics.Clock {
    init(_ media: PlacedMedia, _ room: RecordedRoom) {
        let zero = media.beginning.zero &+ media.beginning.leftOut
        zeroAt = WallTime(nanoseconds: media.beginning.epoch &+ zero)
        sources = []
        for track in media.tracks where !sources.contains(where: { $0.identity == track.track.identity }) {
            guard let clock = room.clocks[track.info.participant] else { continue }
            sources.append(Source(identity: track.track.identity, stamp: .nanoseconds(zero &- clock.offset)))
        }
    }
}

/// How the samples that came out of a timeline were coded, by track.
struct FormLog: Sendable {
    /// Changes of one track that are kept.
    private static let limit = 100

    private var byTrack: [[RecorderStatistics.Form]] = []
    /// The last sample's entry of each track.
    private var present: [UInt32] = []

    subscript(index: Int) -> [RecorderStatistics.Form] { byTrack.indices.contains(index) ? byTrack[index] : [] }

    mutating func note(_ sample: PlacedSample, of track: TimelineTrack) {
        while present.count <= track.index {
            present.append(0)
            byTrack.append([])
        }
        let entry = Int(sample.description) - 1
        guard present[track.index] != sample.description, track.entries.indices.contains(entry) else { return }
        present[track.index] = sample.description
        let from = track.nanoseconds(at: sample.time &+ Int64(sample.compositionOffset))
        let coding = track.entries[entry]
        var form = RecorderStatistics.Form(from: .nanoseconds(max(0, from)), codec: coding.codecString)
        (form.width, form.height) = (Int(coding.width), Int(coding.height))
        (form.channels, form.sampleRate) = (Int(coding.channels), Int(coding.sampleRate))
        if byTrack[track.index].count < Self.limit { byTrack[track.index].append(form) }
    }
}
