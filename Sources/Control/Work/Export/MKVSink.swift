import Assignments
import Bytes
import Codecs
import FFmpeg
import Feed
import Packaging
import Storage
import Timing

/// Learns which tracks each file is to have: Matroska names all of them at its beginning.
struct TrackSurvey: ExportSink {
    /// What one file is to have.
    struct Part {
        var tracks: [TimelineTrack] = []
        /// Nanoseconds by which the earliest sound begins before the first picture.
        var lead: Int64 = 0
    }

    /// One a file: a room that began anew begins a further one.
    private(set) var parts: [Part] = []
    private var part = Part()
    private var timeline: RoomTimeline
    private(set) var due: Int64?

    init(options: RoomTimeline.Options) { timeline = RoomTimeline(options: options) }

    mutating func receive(_ record: Record) {
        timeline.receive(record)
        pump()
    }

    mutating func advance(to roomTime: Int64) {
        timeline.advance(to: roomTime)
        pump()
    }

    mutating func finish() {
        timeline.finish()
        pump()
        part.tracks = timeline.tracks
        if !part.tracks.isEmpty { parts.append(part) }
        part = Part()
    }

    private mutating func pump() {
        while true {
            switch timeline.pollOutput() {
            case .newEpoch:
                let next = timeline.next()
                finish()
                timeline = next
            case .sample(let sample):
                let time = timeline.tracks[sample.track].nanoseconds(at: sample.time &+ Int64(sample.compositionOffset))
                part.lead = max(part.lead, 0 &- time)
            case .wait(let until):
                due = until
                return
            default: break
            }
        }
    }
}

/// Matroska made of a tape: the samples that an MP4 of it would have, at the same times, written by libavformat.
struct MKVSink: ExportSink {
    private let place: ExportPlace
    private let say: (ExportLine) -> Void
    private var parts: ArraySlice<TrackSurvey.Part>
    private var timeline: RoomTimeline
    private var part: MKVPart?
    private(set) var due: Int64?

    init(
        _ place: ExportPlace, options: RoomTimeline.Options, parts: [TrackSurvey.Part],
        _ say: @escaping (ExportLine) -> Void
    ) {
        self.place = place
        self.say = say
        self.parts = parts[...]
        timeline = RoomTimeline(options: options)
    }

    mutating func receive(_ record: Record) throws(ExportError) {
        timeline.receive(record)
        try pump()
    }

    mutating func advance(to roomTime: Int64) throws(ExportError) {
        timeline.advance(to: roomTime)
        try pump()
    }

    mutating func finish() throws(ExportError) {
        timeline.finish()
        try pump()
        try end()
    }

    private mutating func pump() throws(ExportError) {
        while true {
            switch timeline.pollOutput() {
            case .began(let beginning):
                guard let next = parts.popFirst() else { throw ExportError("the tape changed while it was read") }
                part = try MKVPart(place, next, startedAt: beginning.startedAt)
            case .sample(let sample):
                if let warning = try part?.write(sample) { say(warning) }
            case .newEpoch:
                let next = timeline.next()
                try finish()
                timeline = next
            case .warning(let warning): say(.warning(message: warning.message, remedy: warning.remedy))
            case .track, .entry, .gap, .missed, .paused, .leftOut, .split, .finished: break
            case .wait(let until):
                due = until
                return
            }
        }
    }

    private mutating func end() throws(ExportError) {
        if let line = try part?.finish() { say(line) }
        part = nil
    }
}
