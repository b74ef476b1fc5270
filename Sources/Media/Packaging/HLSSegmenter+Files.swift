import Bytes
import HLS
import ISOBMFF
import Timing

/// The files beside the segments: playlists and state.
extension HLSSegmenter {
    /// What is to appear: `segments`, then the state that knows them, then the playlists.
    func publication(_ segments: [Publication.File], removed: [String]) -> Publication {
        var publication = Publication()
        publication.files = segments
        publication.removed = removed
        let held = renditions.flatMap(\.pending)
        if let resume = timeline.resume(without: held) {
            publication.files.append(.init(name: Self.stateName, bytes: encodeState(resume)))
            publication.position = resume.position
        }
        let main = mainPlaylist
        let mainFile = Publication.File(name: Self.playlistName, bytes: Array(main.text.utf8))
        // A promise is taken back before what breaks it is there; a rendition is there before it is named.
        if !main.hasIndependentSegments { publication.files.append(mainFile) }
        for rendition in renditions where rendition.map > 0 {
            publication.files.append(.init(name: rendition.uri, bytes: Array(rendition.playlist.text.utf8)))
        }
        if main.hasIndependentSegments { publication.files.append(mainFile) }
        return publication
    }

    /// The playlist above the renditions (section 4.4.6).
    private var mainPlaylist: MultivariantPlaylist {
        let shown = renditions.filter { $0.map > 0 }
        let sounds = shown.filter { !$0.isVideo }
        let video = shown.first(where: \.isVideo)
        var playlist = MultivariantPlaylist()
        playlist.hasIndependentSegments = isIndependent
        if sounds.count > 1 || video != nil {
            playlist.renditions = sounds.enumerated().map { index, sound in
                MultivariantPlaylist.Rendition(
                    group: "audio", name: sound.title, uri: sound.uri, isDefault: index == 0,
                    channels: sound.entries.map { Int($0.channels) }.max() ?? 0)
            }
        }
        guard let main = video ?? sounds.first else { return playlist }
        var variant = MultivariantPlaylist.Variant(uri: main.uri, bandwidth: 0)
        let inGroup = sounds.filter { $0.stem != main.stem }
        variant.bandwidth = main.rate.peak &+ (inGroup.map(\.rate.peak).max() ?? 0)
        variant.averageBandwidth = main.rate.average &+ (inGroup.map(\.rate.average).max() ?? 0)
        for entry in shown.flatMap(\.entries) where !variant.codecs.contains(entry.codecString) {
            variant.codecs.append(entry.codecString)
        }
        if let video {
            let largest = video.entries.max { Int($0.width) * Int($0.height) < Int($1.width) * Int($1.height) }
            variant.resolution = largest.map { .init(width: Int($0.width), height: Int($0.height)) }
            variant.frameRate = video.rate.framesPerSecond
        }
        variant.audio = playlist.renditions.isEmpty ? nil : "audio"
        playlist.variants = [variant]
        return playlist
    }

    // MARK: The window

    /// Takes the oldest segments out of live playlists (section 6.2.2), never leaving less than three target durations.
    /// - Parameter now: wall time of the media's end.
    /// - Returns: files that left so long ago that no client asks for them.
    mutating func slideWindow(to now: Int64) -> [String] {
        guard let window = options.window else { return [] }
        for index in renditions.indices { slide(index, window, now) }
        let gone = doomed.filter { $0.until <= now }.map(\.name)
        doomed.removeAll { $0.until <= now }
        return gone
    }

    private mutating func slide(_ index: Int, _ window: Int, _ now: Int64) {
        let least = Duration.seconds(3 * Int64(clamping: cutter.target ?? 1))
        var playlist = renditions[index].playlist
        while playlist.segments.count > window, let oldest = playlist.segments.first,
            playlist.duration - oldest.duration >= least
        {
            playlist.segments.removeFirst()
            playlist.mediaSequence &+= 1
            playlist.discontinuitySequence &+= UInt64(clamping: oldest.discontinuities)
            if playlist.segments.first?.map == nil, let map = oldest.map {
                playlist.segments[0].map = map
            }
            guard !oldest.isGap else { continue }
            // Section 6.2.2: for as long as the segment and the longest playlist that held it.
            let stay = playlist.duration + oldest.duration + oldest.duration
            doomed.append((oldest.uri, now &+ stay.nanoseconds))
        }
        renditions[index].playlist = playlist
    }
}

// MARK: The state

extension HLSSegmenter {
    static let stateVersion: UInt8 = 2

    func encodeState(_ resume: ResumeState) -> [UInt8] {
        var bytes: [UInt8] = [Self.stateVersion, isIndependent ? 1 : 0]
        bytes.append(uint32: UInt32(clamping: cutter.target ?? 0))
        bytes.append(uint64: UInt64(bitPattern: startedAt?.nanoseconds ?? .min))
        bytes.append(section: resume.encoded())
        let tracks = timeline.tracks.map { track in
            MovieTrack(
                id: UInt32(clamping: track.index + 1), kind: track.isVideo ? .video : .audio,
                timescale: track.timescale, name: track.name, entries: track.entries, origin: track.origin)
        }
        bytes.append(section: MediaSegment.header(Movie(tracks: tracks)))
        bytes.append(uint16: UInt16(clamping: renditions.count))
        for rendition in renditions { rendition.encode(into: &bytes) }
        bytes.append(uint16: UInt16(clamping: doomed.count))
        for (name, until) in doomed.prefix(0xFFFF) {
            bytes.append(section: Array(name.utf8))
            bytes.append(uint64: UInt64(bitPattern: until))
        }
        bytes.append(section: markers.encoded())
        return bytes
    }

    static func decode(_ bytes: [UInt8], _ options: Options) -> HLSSegmenter? {
        var reader = ByteReader(bytes.span)
        guard reader.uint8() == stateVersion, let flags = reader.uint8(), let target = reader.uint32(),
            let startedAt = reader.int64(), let resumeBytes = reader.section(),
            let resume = ResumeState(decoding: resumeBytes), let header = reader.section(),
            let movie = try? MediaSegment.movie(of: header.span), let tracks = resume.timelineTracks(of: movie),
            let timeline = RoomTimeline(resuming: resume, tracks: tracks, options: timelineOptions(options)),
            let count = reader.uint16()
        else { return nil }
        var segmenter = HLSSegmenter(options: options, timeline: timeline)
        segmenter.isIndependent = flags & 1 != 0
        segmenter.cutter.target = target > 0 ? Int(target) : nil
        segmenter.startedAt = startedAt == .min ? nil : WallTime(nanoseconds: startedAt)
        for _ in 0..<count {
            guard var rendition = HLSRendition(reading: &reader, tracks) else { return nil }
            rendition.playlist.kind = options.window == nil ? .event : nil
            segmenter.renditions.append(rendition)
        }
        guard let gone = reader.uint16() else { return nil }
        for _ in 0..<gone {
            guard let name = reader.section(), let until = reader.int64() else { return nil }
            segmenter.doomed.append((String(decoding: name, as: UTF8.self), until))
        }
        guard let markers = reader.section().flatMap(HLSMarkers.init(decoding:)) else { return nil }
        segmenter.markers = markers
        return segmenter
    }
}

extension HLSRendition {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes += [isVideo ? 1 : 0]
        bytes.append(section: Array(stem.utf8))
        bytes.append(section: Array(title.utf8))
        bytes.append(uint32: track.map { UInt32(clamping: $0.index + 1) } ?? 0)
        bytes.append(uint32: UInt32(clamping: discontinuities))
        bytes.append(uint64: UInt64(bitPattern: lastEnd ?? .min))
        bytes.append(uint64: nextNumber)
        bytes.append(uint32: nextFragment)
        bytes.append(uint32: map)
        for value in rate.values { bytes.append(uint64: UInt64(bitPattern: value)) }
        let headers = MovieTrack(id: 1, kind: isVideo ? .video : .audio, timescale: 1, entries: entries)
        bytes.append(section: entries.isEmpty ? [] : MediaSegment.header(Movie(tracks: [headers])))
        bytes.append(section: Array(playlist.text.utf8))
    }

    fileprivate init?(reading reader: inout ByteReader, _ tracks: [TimelineTrack]) {
        guard let kind = reader.uint8(), let stem = reader.section(), let title = reader.section(),
            let track = reader.uint32(), let discontinuities = reader.uint32(), let lastEnd = reader.int64(),
            let nextNumber = reader.uint64(), let nextFragment = reader.uint32(), let map = reader.uint32()
        else { return nil }
        let values = (0..<6).compactMap { _ in reader.int64() }
        guard let rate = HLSRate(values: values), let header = reader.section(), let text = reader.section(),
            let playlist = try? MediaPlaylist(parsing: text.span)
        else { return nil }
        self.init(
            stem: String(decoding: stem, as: UTF8.self), isVideo: kind == 1,
            title: String(decoding: title, as: UTF8.self), playlist: playlist)
        if !header.isEmpty {
            guard let movie = try? MediaSegment.movie(of: header.span), let known = movie.tracks.first else {
                return nil
            }
            adopt(known.entries)
        }
        if track > 0 {
            guard tracks.indices.contains(Int(track) - 1) else { return nil }
            self.track = tracks[Int(track) - 1]
        }
        self.discontinuities = Int(discontinuities)
        self.lastEnd = lastEnd == .min ? nil : lastEnd
        (self.nextNumber, self.nextFragment, self.map, self.rate) = (nextNumber, nextFragment, map, rate)
        self.playlist.isEnded = false
    }
}

extension [UInt8] {
    fileprivate mutating func append(section: [UInt8]) {
        append(uint32: UInt32(clamping: section.count))
        append(contentsOf: section)
    }
}

extension ByteReader {
    fileprivate mutating func section() -> [UInt8]? { uint32().flatMap { array(Int($0)) } }
    fileprivate mutating func int64() -> Int64? { uint64().map(Int64.init(bitPattern:)) }
}
