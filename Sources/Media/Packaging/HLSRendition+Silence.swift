import Codecs
import HLS
import ISOBMFF
import Timing

/// Sound that joins late: where the others have segments already, it gets segments of silence. Players do better with them
/// than with gaps, and no client has seen the playlist yet.
extension HLSRendition {
    /// Most silence that is made, in nanoseconds; before it, gaps stay.
    private static let silenceLimit: Int64 = 3_600_000_000_000

    /// Fills what stands before `first`, the first sample that ever came.
    /// - Parameter start: where the segment of `first` begins, in nanoseconds of the timeline.
    /// - Returns: files of whole segments, and the frames that stand in front of `first` in its own segment.
    mutating func fillWithSilence(
        before first: PlacedSample, from start: Int64, wall: Int64
    ) -> (files: [HLSSegmenter.Publication.File], lead: [PlacedSample]) {
        guard !isVideo, map == 0, let track, let entry = entry(of: first),
            let silence = SampleCoding.silence(of: entry),
            let parsed = try? AudioSpecificConfig(parsing: entry.configuration.span),
            parsed.coreSampleRate == track.timescale
        else { return ([], []) }
        let step = Int64(parsed.coreSamplesPerFrame)
        let spans = playlist.segments.map { segment in
            let begin = (segment.programDateTime?.nanoseconds ?? wall) &- wall
            return (begin: begin, end: begin &+ segment.duration.nanoseconds)
        }
        let earliest = max(spans.first?.begin ?? start, time(of: first) &- Self.silenceLimit)
        let count = max(0, (first.time &- track.ticks(at: earliest)) / step)
        let frames = (0..<count).map { index in
            var frame = first
            frame.time = first.time &- (count &- index) &* step
            frame.duration = step
            frame.bytes = silence[...]
            return frame
        }
        var files: [HLSSegmenter.Publication.File] = []
        for (index, span) in spans.enumerated() {
            let run = frames.filter { span.begin <= time(of: $0) && time(of: $0) < span.end }
            guard !run.isEmpty else { continue }
            files += fill(index, with: run, entry)
        }
        return (files, frames.filter { time(of: $0) >= max(start, spans.last?.end ?? start) })
    }
}
