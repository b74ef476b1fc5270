import Assignments
import Bytes
import Codecs
import FFmpeg
import ISOBMFF
import Packaging
import Storage
import Timing

/// One Matroska file being written.
struct MKVPart {
    /// A track of the file: its configuration cannot change in Matroska, so that parameter sets that do go in band.
    private struct Track {
        /// Parameter sets before a key frame, by ``PlacedSample/description``; empty where the file's configuration is right.
        var parameterSets: [[UInt8]]
        /// Of the last sample.
        var description: UInt32 = 1
        var hasChanged = false
        var wasCut = false
        var end: Int64 = 0
    }

    private let place: ExportPlace
    private let file: LocalFile
    private let writer: WriterBox
    private let startedAt: WallTime
    private let layout: [TimelineTrack]
    /// Nanoseconds at which the first picture stands, so that sound before it has a time.
    private let lead: Int64
    private var tracks: [Track]

    init(_ place: ExportPlace, _ part: TrackSurvey.Part, startedAt: WallTime) throws(ExportError) {
        self.place = place
        layout = part.tracks
        // Whole milliseconds, Matroska's ticks: the distances between pictures stay as they are.
        lead = (part.lead &+ 999_999) / 1_000_000 * 1_000_000
        self.startedAt = startedAt
        file = try place.create()
        var defaults: Set<Bool> = []
        let described = part.tracks.map { track in
            MediaWriter.Track(track, isDefault: defaults.insert(track.isVideo).inserted)
        }
        tracks = part.tracks.map { Track(parameterSets: $0.entries.map(Self.parameterSets)) }
        let path = file.path
        writer = try ExportError.wrapping { () throws(AVError) in
            WriterBox(try MediaWriter(path: path, format: "matroska", tracks: described))
        }
    }

    /// - Returns: a warning about what the file cannot hold.
    mutating func write(_ sample: PlacedSample) throws(ExportError) -> ExportLine? {
        guard tracks.indices.contains(sample.track) else { return nil }
        let track = layout[sample.track]
        if sample.description != tracks[sample.track].description { tracks[sample.track].hasChanged = true }
        tracks[sample.track].description = sample.description
        guard track.isVideo || sample.description == 1 else { return cut(sample.track) }
        let dts = sample.time &- track.origin &+ track.ticks(at: lead) &- track.origin
        let pts = dts &+ Int64(sample.compositionOffset)
        tracks[sample.track].end = max(tracks[sample.track].end, pts &+ sample.duration)
        let bytes = withParameterSets(sample)
        let writer = writer
        try ExportError.wrapping { () throws(AVError) in
            try writer.writer.write(
                track: sample.track, pts: pts, dts: dts, duration: sample.duration,
                isKey: sample.isSync, bytes: bytes.span)
        }
        return nil
    }

    mutating func finish() throws(ExportError) -> ExportLine {
        let writer = writer
        try ExportError.wrapping { () throws(AVError) in try writer.writer.finish() }
        let end = zip(tracks, layout).map { track, layout in layout.nanoseconds(at: layout.origin &+ track.end) }.max()
        return .file(
            path: file.path, tracks: layout.count, startSeconds: place.seconds(to: startedAt.nanoseconds),
            durationSeconds: Double((end ?? 0) &- lead) / 1e9, sizeBytes: FileFacts(path: file.path)?.byteCount ?? 0)
    }

    private func withParameterSets(_ sample: PlacedSample) -> ArraySlice<UInt8> {
        let track = tracks[sample.track]
        let index = Int(sample.description) - 1
        guard track.hasChanged, sample.isSync, track.parameterSets.indices.contains(index) else { return sample.bytes }
        return track.parameterSets[index] + sample.bytes
    }

    private mutating func cut(_ index: Int) -> ExportLine? {
        guard !tracks[index].wasCut else { return nil }
        tracks[index].wasCut = true
        return .warning(
            message: "\(layout[index].name) changes its configuration: Matroska holds it up to there.",
            remedy: "Export to MP4, which holds all of it.")
    }

    /// The sets of an entry of H.264, each with its length before it.
    private static func parameterSets(of entry: SampleEntry) -> [UInt8] {
        guard entry.isVideo, let record = try? AVCDecoderConfigurationRecord(parsing: entry.configuration.span) else {
            return []
        }
        var bytes: [UInt8] = []
        for set in record.sequenceParameterSets + record.pictureParameterSets {
            let length = UInt32(clamping: set.count)
            for index in (0..<record.nalLengthSize).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(8 * index)))
            }
            bytes += set
        }
        return bytes
    }
}

/// Gives a writer that cannot be copied a place in values that can.
private final class WriterBox {
    var writer: MediaWriter

    init(_ writer: consuming MediaWriter) { self.writer = writer }
}

extension MediaWriter.Track {
    fileprivate init(_ track: TimelineTrack, isDefault: Bool) {
        let entry = track.entries.first
        self.init(
            codec: track.isVideo ? .h264 : .aac, configuration: entry?.configuration ?? [],
            timescale: Int32(clamping: track.timescale))
        width = Int32(entry?.width ?? 0)
        height = Int32(entry?.height ?? 0)
        sampleRate = Int32(clamping: entry?.sampleRate ?? 0)
        channels = Int32(entry?.channels ?? 0)
        name = track.name
        self.isDefault = isDefault
    }
}
