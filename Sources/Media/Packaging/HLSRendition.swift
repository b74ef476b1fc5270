import Codecs
import Feed
import HLS
import ISOBMFF
import Timing

/// One rendition: the samples that wait for a cut, and the playlist as it is published next.
struct HLSRendition: Sendable {
    /// Presentation time of the timeline's zero, in seconds: sound may begin before the first picture, and no decoding
    /// time may be negative.
    static let base: Int64 = 2
    /// Sound that ends this close to a cut ends with it, in nanoseconds.
    private static let frameSlack: Int64 = 100_000_000
    /// Sound that is away for longer than this, in nanoseconds, begins anew.
    private static let breakLimit: Int64 = 200_000_000
    /// A hole in front of a segment's first sample that is longer is a gap of its own.
    private static let gapLimit: Int64 = 1_000_000_000

    /// The stem of its files.
    let stem: String
    let isVideo: Bool
    /// For people.
    var title: String
    /// What its samples are coded with, in the order in which they came; the index is that of its header file.
    private(set) var entries: [SampleEntry] = []
    var playlist: MediaPlaylist
    var rate = HLSRate()
    /// Discontinuities that stand before the next segment.
    var discontinuities = 0
    /// Named places that the next segment tells.
    var markers: [MediaPlaylist.Marker] = []
    /// Where the last segment ends, in nanoseconds of the timeline; `nil` before the first and behind a discontinuity.
    var lastEnd: Int64?
    /// The number of the next segment's file; those of gaps are not used.
    var nextNumber: UInt64 = 0
    var nextFragment: UInt32 = 1
    /// The header that the playlist's last `EXT-X-MAP` names, from 1; 0 before the first.
    var map: UInt32 = 0

    // What the present timeline feeds it.
    var track: TimelineTrack?
    var pending: [PlacedSample] = []
    /// Its publisher is away: no cut waits for it.
    var isPaused = false
    /// Presentation − decoding time of the last key frame, in ticks.
    private var reorder: Int64 = 0
    /// Where the last sample ends, in the terms of ``HLSCutter/Step``.
    private(set) var sampleEnd: Int64?

    init(stem: String, isVideo: Bool, title: String, playlist: MediaPlaylist) {
        self.stem = stem
        self.isVideo = isVideo
        self.title = title
        self.playlist = playlist
    }

    /// Takes up what an earlier attempt knew of the headers.
    mutating func adopt(_ entries: [SampleEntry]) { self.entries = entries }

    var uri: String { "\(stem).m3u8" }

    /// Nanoseconds of the timeline at which `sample` is decoded, and at which it ends.
    func time(of sample: PlacedSample) -> Int64 { track?.nanoseconds(at: sample.time) ?? 0 }
    func end(of sample: PlacedSample) -> Int64 { track?.nanoseconds(at: sample.time &+ sample.duration) ?? 0 }

    /// Whether all that belongs before `cut` is here.
    func isComplete(for cut: HLSCut) -> Bool {
        if isPaused || track == nil { return true }
        guard let last = pending.last else { return false }
        if let position = cut.position, isVideo { return last.position >= position }
        return time(of: last) >= cut.next
    }

    // MARK: Samples

    /// `sample` as the cutter sees it.
    mutating func step(_ sample: PlacedSample) -> HLSCutter.Step {
        if isVideo, sample.isSync { reorder = Int64(sample.compositionOffset) }
        let start = track?.nanoseconds(at: sample.time &+ reorder) ?? 0
        let end = track?.nanoseconds(at: sample.time &+ sample.duration &+ reorder) ?? start
        return HLSCutter.Step(
            time: start, duration: end &- start, isSync: sample.isSync, isSound: !isVideo, position: sample.position,
            isChange: entry(of: sample) != lastEntry && lastEntry != nil, previousEnd: sampleEnd ?? lastEnd)
    }

    /// Adds a sample to those that wait.
    /// - Parameter isHeld: the sample before it lasts up to it.
    mutating func add(_ sample: PlacedSample, _ step: HLSCutter.Step, isHeld: Bool) {
        if isHeld, let last = pending.indices.last {
            pending[last].duration = max(1, sample.time &- pending[last].time)
        }
        pending.append(sample)
        sampleEnd = step.time &+ step.duration
    }

    func entry(of sample: PlacedSample) -> SampleEntry? {
        let index = Int(sample.description) - 1
        guard let track, track.entries.indices.contains(index) else { return nil }
        return track.entries[index]
    }

    /// What the last sample was coded with.
    private var lastEntry: SampleEntry? {
        if let last = pending.last { return entry(of: last) }
        return map > 0 && entries.indices.contains(Int(map) - 1) ? entries[Int(map) - 1] : nil
    }

    /// When the first of the samples that wait, but for those before `time`, is decoded.
    func firstTime(from time: Int64) -> Int64? {
        var (low, high) = (0, pending.count)  // their times rise
        while low < high {
            let middle = (low + high) / 2
            if self.time(of: pending[middle]) < time { low = middle + 1 } else { high = middle }
        }
        return low < pending.count ? self.time(of: pending[low]) : nil
    }

    /// The last place behind `time` at which its samples do not follow each other, or decode differently: where what came
    /// before ends, if that waits here too, and where what came after begins.
    func lastBreak(after time: Int64) -> (end: Int64?, begin: Int64)? {
        for index in pending.indices.reversed() {
            let begin = self.time(of: pending[index])
            guard begin > time else { return nil }
            if index == 0 {
                guard let lastEnd, begin &- lastEnd > Self.breakLimit else { return nil }
                return (nil, begin)
            }
            if isBreak(before: index) { return (end(of: pending[index - 1]), begin) }
        }
        return nil
    }

    private func isBreak(before index: Int) -> Bool {
        let (before, sample) = (pending[index - 1], pending[index])
        return sample.description != before.description
            || time(of: sample) &- end(of: before) > Self.breakLimit
    }

    /// Ends what the present timeline feeds it.
    mutating func detach() {
        (track, isPaused, sampleEnd, lastEnd) = (nil, true, nil, nil)
        discontinuities += 1
    }

    // MARK: Segments

    /// Takes out the samples that belong before `cut`.
    mutating func take(before cut: HLSCut) -> [PlacedSample] {
        let index = cut.isLast ? pending.count : pending.indices.first { isBehind(cut, at: $0) } ?? pending.count
        let taken = Array(pending[..<index])
        pending.removeFirst(index)
        return taken
    }

    private func isBehind(_ cut: HLSCut, at index: Int) -> Bool {
        let sample = pending[index]
        if let position = cut.position, isVideo { return sample.position >= position }
        if time(of: sample) >= cut.next { return true }
        // At a discontinuity sound goes on a little before or behind the picture: its own break is the border.
        guard cut.isDiscontinuity, index > 0 else { return false }
        return isBreak(before: index) && time(of: sample) > cut.end &- 1_000_000_000
    }

    /// Makes segments of `samples`, one for each header that they need, up to `cut`.
    /// - Parameter wall: nanoseconds since 1970 at the timeline's zero.
    mutating func close(_ samples: [PlacedSample], at cut: HLSCut, wall: Int64) -> [HLSSegmenter.Publication.File] {
        guard let track, !samples.isEmpty else {
            addGaps(from: lastEnd ?? cut.start, to: cut.end, wall: wall)
            return []
        }
        var files: [HLSSegmenter.Publication.File] = []
        var rest = samples[...]
        if map == 0, let first = rest.first {
            let filled = fillWithSilence(before: first, from: lastEnd ?? cut.start, wall: wall)
            (files, rest) = (filled.files, filled.lead + rest)
        }
        if let lastEnd, let first = rest.first, time(of: first) &- lastEnd > Self.gapLimit {
            addGaps(from: lastEnd, to: isVideo ? cut.start : time(of: first), wall: wall)
        }
        while let first = rest.first {
            let run = rest.prefix { $0.description == first.description }
            rest = rest.dropFirst(run.count)
            let end = rest.first.map { time(of: $0) } ?? self.end(of: run, at: cut)
            files += add(Array(run), of: track, from: lastEnd ?? start(of: first, at: cut), to: end, wall: wall)
        }
        return files
    }

    /// Where the first segment behind a break begins.
    private func start(of first: PlacedSample, at cut: HLSCut) -> Int64 {
        let time = isVideo ? cut.start : self.time(of: first)
        return playlist.segments.isEmpty && !isVideo ? min(cut.start, max(time, 0)) : time
    }

    /// Where the media of `run` ends for the playlist: with the cut, but for a part of a frame.
    private func end(of run: ArraySlice<PlacedSample>, at cut: HLSCut) -> Int64 {
        guard let last = run.last else { return cut.end }
        if isVideo { return cut.end }
        let end = end(of: last)
        return abs(end &- cut.end) <= Self.frameSlack || cut.isLast || cut.isDiscontinuity ? end : cut.end
    }

    /// Gaps that are no longer than a segment may be.
    private mutating func addGaps(from start: Int64, to end: Int64, wall: Int64) {
        let most = Int64(clamping: max(1, playlist.targetDuration)) &* 1_000_000_000
        var start = start
        while end &- start > most &+ HLSCutter.slack {
            addGap(from: start, to: start &+ most, wall: wall)
            start &+= most
        }
        addGap(from: start, to: end, wall: wall)
    }

    private mutating func addGap(from start: Int64, to end: Int64, wall: Int64) {
        guard end > start else { return }
        var segment = MediaPlaylist.Segment(uri: "gap.m4s", duration: .zero)
        segment.isGap = true
        append(segment, from: start, to: end, wall: wall)
    }

    private mutating func add(
        _ samples: [PlacedSample], of track: TimelineTrack, from start: Int64, to end: Int64, wall: Int64
    ) -> [HLSSegmenter.Publication.File] {
        guard let first = samples.first, track.entries.indices.contains(Int(first.description) - 1) else { return [] }
        let entry = track.entries[Int(first.description) - 1]
        var segment = MediaPlaylist.Segment(uri: "", duration: .zero)
        let files = write(samples, entry, of: track, to: &segment)
        append(segment, from: start, to: max(end, start &+ 1_000_000), wall: wall)
        let duration = playlist.segments.last?.duration ?? .zero
        let size = files.last?.bytes.count ?? 0
        rate.add(byteCount: size, frames: samples.count, duration: duration, target: playlist.targetDuration)
        return files
    }

    /// Puts `samples` in place of the gap at `index` of the playlist, which no client has seen.
    mutating func fill(
        _ index: Int, with samples: [PlacedSample], _ entry: SampleEntry
    ) -> [HLSSegmenter.Publication.File] {
        guard let track, playlist.segments.indices.contains(index) else { return [] }
        var segment = playlist.segments[index]
        segment.isGap = false
        let files = write(samples, entry, of: track, to: &segment)
        playlist.segments[index] = segment
        return files
    }

    /// Makes the file of a segment, behind that of its header if that is new.
    private mutating func write(
        _ samples: [PlacedSample], _ entry: SampleEntry, of track: TimelineTrack,
        to segment: inout MediaPlaylist.Segment
    ) -> [HLSSegmenter.Publication.File] {
        var files: [HLSSegmenter.Publication.File] = []
        let header = entries.firstIndex(of: entry) ?? entries.count
        if header == entries.count {
            entries.append(entry)
            files.append(.init(name: headerName(header), bytes: self.header(entry, of: track)))
        }
        segment.uri = "\(stem)-\(nextNumber).m4s"
        nextNumber &+= 1
        if map != UInt32(header + 1) || discontinuities > 0 {
            map = UInt32(header + 1)
            segment.map = headerName(header)
        }
        files.append(.init(name: segment.uri, bytes: MediaSegment.bytes(fragments(of: samples, of: track))))
        return files
    }

    private mutating func append(_ segment: MediaPlaylist.Segment, from start: Int64, to end: Int64, wall: Int64) {
        var segment = segment
        // The sum of what is written is the time that went by, to the microsecond.
        let microseconds = Self.microseconds(end) &- Self.microseconds(start)
        segment.duration = .nanoseconds(max(1, microseconds) &* 1000)
        segment.programDateTime = WallTime(nanoseconds: wall &+ start)
        (segment.discontinuities, discontinuities) = (discontinuities, 0)
        (segment.markers, markers) = (markers, [])
        lastEnd = end
        playlist.segments.append(segment)
    }

    private static func microseconds(_ nanoseconds: Int64) -> Int64 {
        SampleClock.scale(nanoseconds, from: 1_000_000_000, to: 1_000_000)
    }

    // MARK: Files

    private func headerName(_ index: Int) -> String { "\(stem)-init-\(index + 1).mp4" }

    private func header(_ entry: SampleEntry, of track: TimelineTrack) -> [UInt8] {
        MediaSegment.header(
            Movie(tracks: [
                MovieTrack(
                    id: 1, kind: isVideo ? .video : .audio, timescale: track.timescale, name: title, entries: [entry])
            ]))
    }

    /// One fragment, or, where sound has a hole, one for each stretch.
    private mutating func fragments(of samples: [PlacedSample], of track: TimelineTrack) -> [Fragment] {
        let shift = Int64(track.timescale) &* Self.base &- track.origin
        var fragments: [Fragment] = []
        var run: Fragment.Run?
        var end: Int64 = 0
        for sample in samples {
            if let done = run, sample.time != end {
                fragments.append(fragment(done))
                run = nil
            }
            var next = run ?? Fragment.Run(trackID: 1, description: 1, time: max(0, sample.time &+ shift))
            run = nil
            next.samples.append(
                FragmentSample(
                    duration: UInt32(clamping: sample.duration), size: UInt32(clamping: sample.bytes.count),
                    compositionOffset: sample.compositionOffset, isSync: sample.isSync))
            next.payload.append(contentsOf: sample.bytes)
            end = sample.time &+ sample.duration
            run = next
        }
        if let run { fragments.append(fragment(run)) }
        return fragments
    }

    private mutating func fragment(_ run: Fragment.Run) -> Fragment {
        defer { nextFragment &+= 1 }
        return Fragment(sequenceNumber: nextFragment, runs: [run], resumeState: [])
    }
}

/// The bit rates of one rendition, as its segments show them (rfc8216bis section 4.4.6.2).
struct HLSRate: Equatable, Sendable {
    /// Bits a second of the largest stretch of at least half a target duration.
    private(set) var peak: Int64 = 0
    /// Of all segments.
    private(set) var byteCount: Int64 = 0
    private(set) var nanoseconds: Int64 = 0
    private(set) var frames: Int64 = 0
    private var stretchBytes: Int64 = 0
    private var stretchNanoseconds: Int64 = 0

    var average: Int64 { Self.rate(byteCount, nanoseconds) }
    var framesPerSecond: Double { nanoseconds > 0 ? Double(frames) * 1e9 / Double(nanoseconds) : 0 }

    mutating func add(byteCount: Int, frames: Int, duration: Duration, target: Int) {
        self.byteCount &+= Int64(byteCount)
        self.frames &+= Int64(frames)
        nanoseconds &+= duration.nanoseconds
        stretchBytes &+= Int64(byteCount)
        stretchNanoseconds &+= duration.nanoseconds
        guard stretchNanoseconds &* 2 >= Int64(clamping: target) &* 1_000_000_000 || peak == 0 else { return }
        peak = max(peak, Self.rate(stretchBytes, stretchNanoseconds))
        (stretchBytes, stretchNanoseconds) = (0, 0)
    }

    private static func rate(_ bytes: Int64, _ nanoseconds: Int64) -> Int64 {
        guard nanoseconds > 0 else { return 0 }
        let bits = (Double(bytes) * 8e9 / Double(nanoseconds)).rounded(.up)
        return Int64(exactly: min(bits, 1e15)) ?? 0
    }

    /// For the state of a later attempt.
    var values: [Int64] { [peak, byteCount, nanoseconds, frames, stretchBytes, stretchNanoseconds] }

    init() {}

    init?(values: [Int64]) {
        guard values.count == 6, values.allSatisfy({ $0 >= 0 }) else { return nil }
        (peak, byteCount, nanoseconds) = (values[0], values[1], values[2])
        (frames, stretchBytes, stretchNanoseconds) = (values[3], values[4], values[5])
    }
}

extension SampleEntry {
    /// The `codecs` parameter of RFC 6381 sections 3.3 and 3.4.
    var codecString: String {
        func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        switch format {
        case "avc1" where configuration.count > 3:
            return "avc1." + hex(configuration[1]) + hex(configuration[2]) + hex(configuration[3])
        case "mp4a":
            guard let parsed = try? AudioSpecificConfig(parsing: configuration.span) else { return "mp4a.40.2" }
            let type = parsed.hasParametricStereo ? 29 : parsed.hasSpectralBandReplication ? 5 : parsed.objectType
            return "mp4a.40.\(type)"
        default: return format.description
        }
    }
}
