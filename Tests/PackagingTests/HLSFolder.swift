import Feed
import HLS
import ISOBMFF
import Packaging
import Testing
import Timing

/// A folder that a segmenter writes into, as a viewer sees it: after each single file every playlist is held against the
/// rules of rfc8216bis, and against what it said before.
struct HLSFolder {
    /// What an MP4 sample is, but for where it stands.
    struct Sample: Equatable {
        var pts: Int64
        var dts: Int64
        var isSync: Bool
        var bytes: [UInt8]
    }

    private(set) var files: [String: [UInt8]] = [:]
    private(set) var position: UInt64?
    private(set) var startedAt: WallTime?
    private(set) var publications = 0
    /// Files that may still be written, for a kill between two of them.
    var filesLeft = Int.max
    private var seen: [String: MediaPlaylist] = [:]

    mutating func apply(_ publication: HLSSegmenter.Publication) {
        for file in publication.files {
            guard filesLeft > 0 else { return }
            filesLeft -= 1
            if let old = files[file.name], file.name.hasSuffix(".m4s") || file.name.hasSuffix(".mp4") {
                let isNamed = seen.values.contains { $0.segments.contains { $0.uri == file.name } }
                #expect(old == file.bytes || !isNamed, "\(file.name) changed")
            }
            files[file.name] = file.bytes
            if file.name == HLSSegmenter.playlistName {
                checkMain()
            } else if file.name.hasSuffix(".m3u8") {
                check(file.name)
            }
        }
        guard filesLeft > 0 else { return }
        for name in publication.removed {
            #expect(!seen.values.contains { $0.segments.contains { $0.uri == name } }, "\(name) is still listed")
            files[name] = nil
        }
        position = publication.position ?? position
        startedAt = publication.startedAt ?? startedAt
        publications += 1
    }

    // MARK: What a viewer reads

    func playlist(_ name: String) throws -> MediaPlaylist {
        let text = try #require(files[name])
        return try MediaPlaylist(parsing: text.span)
    }

    var main: MultivariantPlaylist {
        get throws {
            let text = try #require(files["index.m3u8"])
            return try MultivariantPlaylist(parsing: text.span)
        }
    }

    /// The samples of a rendition, segment by segment, each read with its header alone.
    func segments(of name: String) throws -> [[Sample]] {
        var map = ""
        return try playlist(name).segments.compactMap { segment in
            map = segment.map ?? map
            return segment.isGap ? nil : try samples(of: segment.uri, header: map)
        }
    }

    func samples(of name: String) throws -> [Sample] { try segments(of: name).flatMap { $0 } }

    /// A segment behind its header: a file that stands for itself.
    func file(of uri: String, header: String) throws -> [UInt8] {
        let header = try #require(files[header])
        return try header + #require(files[uri])
    }

    private func samples(of uri: String, header: String) throws -> [Sample] {
        let bytes = try file(of: uri, header: header)
        let movie = try MovieFile(parsing: bytes.span)
        #expect(movie.tornByteCount == 0 && movie.tracks.count == 1)
        return try #require(movie.tracks.first).samples.map {
            Sample(pts: $0.pts, dts: $0.dts, isSync: $0.isSync, bytes: Array(bytes[$0.range]))
        }
    }

    // MARK: The rules

    /// Section 4.4.3 within the playlist, and 6.2.1 and 6.2.2 for what it may have changed.
    private mutating func check(_ name: String) {
        guard let playlist = try? playlist(name) else {
            Issue.record("\(name) does not parse")
            return
        }
        defer { seen[name] = playlist }
        for segment in playlist.segments {
            #expect(MediaPlaylist.rounded(segment.duration) <= playlist.targetDuration, "\(name): \(segment)")
            #expect(segment.isGap || files[segment.uri] != nil, "\(segment.uri) is not there")
            if let map = segment.map { #expect(files[map] != nil, "\(map) is not there") }
        }
        #expect(playlist.segments.first { !$0.isGap }?.map != nil, "\(name) begins without a header")
        guard let old = seen[name] else { return }
        #expect(!old.isEnded || old == playlist, "\(name) changed after its end")
        #expect(old.targetDuration == playlist.targetDuration)
        #expect(old.mediaSequence <= playlist.mediaSequence)
        #expect(old.kind == nil || playlist.mediaSequence == 0)
        let gone = Int(playlist.mediaSequence - old.mediaSequence)
        let raised = old.segments.prefix(gone).reduce(0) { $0 + $1.discontinuities }
        #expect(playlist.discontinuitySequence == old.discontinuitySequence + UInt64(raised))
        #expect(gone == 0 || playlist.duration >= .seconds(3 * playlist.targetDuration))
        for (index, before) in old.segments.dropFirst(gone).enumerated() where index < playlist.segments.count {
            var now = playlist.segments[index]
            if index == 0, before.map == nil { now.map = nil }
            #expect(now == before, "\(name): a segment changed")
        }
        #expect(playlist.segments.count >= old.segments.count - gone)
    }

    private func checkMain() {
        guard let main = try? main else {
            Issue.record("the main playlist does not parse")
            return
        }
        #expect(main.variants.count == 1 && main.variants.allSatisfy { $0.bandwidth > 0 && !$0.codecs.isEmpty })
        #expect(Set(main.renditions.map(\.name)).count == main.renditions.count)
    }
}

/// Plays records to a segmenter, drained as a worker drains it, into `folder`.
func segment(
    _ records: [Record], _ segmenter: inout HLSSegmenter, into folder: inout HLSFolder
) -> [RecorderWarning] {
    var warnings: [RecorderWarning] = []
    for record in records {
        segmenter.receive(record)
        drain(&segmenter, &folder, &warnings)
        segmenter.advance(to: record.time)
        drain(&segmenter, &folder, &warnings)
    }
    return warnings
}

func drain(_ segmenter: inout HLSSegmenter, _ folder: inout HLSFolder, _ warnings: inout [RecorderWarning]) {
    while true {
        switch segmenter.pollOutput() {
        case .publish(let publication): folder.apply(publication)
        case .warning(let warning): warnings.append(warning)
        case .leftOut: break
        case .finished, .wait: return
        }
    }
}

/// A whole presentation of `records`.
func present(_ records: [Record], _ options: HLSSegmenter.Options = .init()) -> HLSFolder {
    var segmenter = HLSSegmenter(options: options)
    var folder = HLSFolder()
    var warnings = segment(records, &segmenter, into: &folder)
    segmenter.finish()
    drain(&segmenter, &folder, &warnings)
    return folder
}
