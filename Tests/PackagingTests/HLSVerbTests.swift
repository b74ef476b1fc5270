import Feed
import HLS
import ISOBMFF
import Packaging
import Spec
import Testing
import Timing

@Suite("HLS segmenter, marked and split", .spec("rfc8216bis", "4.4.5.1"))
struct HLSVerbTests {
    typealias Action = (time: Int64, action: (inout HLSSegmenter) -> Void)

    private static let options = HLSSegmenter.Options(segmentDuration: .seconds(2))

    /// Twelve seconds with a key frame each second, and what is done meanwhile, at milliseconds of room time.
    private func feed() throws -> FeedScript {
        let clip = try Clip.bFrames().repeated(3, seconds: 4)
        var feed = FeedScript()
        feed.begin(clip)
        feed.play(clip)
        return feed
    }

    private func play(
        _ records: [Record], _ actions: [Action], _ segmenter: inout HLSSegmenter, into folder: inout HLSFolder
    ) {
        var actions = actions
        var warnings: [RecorderWarning] = []
        for record in records {
            while let next = actions.first, record.time >= next.time * 1_000_000 {
                next.action(&segmenter)
                actions.removeFirst()
                drain(&segmenter, &folder, &warnings)
            }
            warnings += segment([record], &segmenter, into: &folder)
        }
    }

    private func present(_ actions: [Action], _ options: HLSSegmenter.Options = options) throws -> HLSFolder {
        var segmenter = HLSSegmenter(options: options)
        var folder = HLSFolder()
        play(try feed().records, actions, &segmenter, into: &folder)
        segmenter.finish()
        var warnings: [RecorderWarning] = []
        drain(&segmenter, &folder, &warnings)
        return folder
    }

    private static func chapters(_ places: (milliseconds: Int64, name: String)...) -> [Chapter] {
        places.map { Chapter(time: $0.milliseconds * 1_000_000, name: $0.name) }
    }

    /// Each marker with where it was told, and its milliseconds since the first sample.
    private func markers(_ folder: HLSFolder, _ name: String) throws -> [(segment: Int, id: String, at: Int64)] {
        let start = try #require(folder.startedAt)
        return try folder.playlist(name).segments.enumerated().flatMap { index, segment in
            segment.markers.map { (index, $0.id, ($0.date.nanoseconds - start.nanoseconds + 999_999) / 1_000_000) }
        }
    }

    @Test("a marker stands with its segment, a late one with the next; each once, in every rendition")
    func mark() throws {
        let early = Self.chapters((500, "Begin"), (9000, "A \"quoted\"\nname"), (99_000, "never"))
        let late = early + Self.chapters((1000, "Late"))
        let folder = try present([(1300, { $0.mark(early) }), (1400, { $0.mark(early) }), (5500, { $0.mark(late) })])
        for name in ["video.m3u8", "audio-1.m3u8"] {
            let found = try markers(folder, name)
            #expect(found.map(\.id) == ["marker-1", "marker-4", "marker-2"], "\(name)")
            #expect(found.map(\.at) == [500, 1000, 9000] && found.map(\.segment) == [0, 2, 4], "\(name)")
        }
        let names = try folder.playlist("video.m3u8").segments.flatMap(\.markers).map(\.name)
        #expect(names == ["Begin", "Late", "A quotedname"])
    }

    @Test("the dates of markers know of pauses")
    func pause() throws {
        let places = Self.chapters((700, "before"), (3000, "behind"))
        let actions: [Action] = [
            (1300, { $0.pause() }), (2400, { $0.resume() }), (4000, { $0.mark(places) }),
        ]
        let folder = try present(actions)
        let found = try markers(folder, "video.m3u8")
        #expect(found.map(\.id) == ["marker-1", "marker-2"] && found.first?.at == 700)
        let segments = try folder.playlist("video.m3u8").segments
        let segment = segments[try #require(found.last?.segment)]
        let before = segments[..<found[1].segment].reduce(Duration.zero) { $0 + $1.duration }
        let date = try #require(segment.markers.last?.date)
        let begin = try #require(segment.programDateTime)
        // Media time says where in the segment it is, and the segment's date when that was.
        #expect(abs((date - begin - (.milliseconds(3000) - before)).nanoseconds) < 2_000_000)
    }

    @Test("a later attempt tells what was not told, and nothing twice", arguments: [3, 7, 12, 16, 20])
    func takeover(after files: Int) throws {
        let places = Self.chapters((500, "Begin"), (3000, "Middle"), (9000, "End"))
        let whole = try present([(0, { $0.mark(places) })])
        var folder = HLSFolder()
        folder.filesLeft = files
        var segmenter = HLSSegmenter(options: Self.options)
        segmenter.mark(places)
        let feed = try feed()
        for record in feed.records where folder.filesLeft > 0 { _ = segment([record], &segmenter, into: &folder) }
        folder.filesLeft = .max
        var next = HLSSegmenter(options: Self.options)
        if let state = folder.files[HLSSegmenter.stateName] {
            next = try #require(HLSSegmenter(adopting: state, options: Self.options))
        }
        next.mark(places)
        play(feed.from(next.nextPosition ?? 0), [], &next, into: &folder)
        next.finish()
        var warnings: [RecorderWarning] = []
        drain(&next, &folder, &warnings)
        #expect(try folder.playlist("video.m3u8") == whole.playlist("video.m3u8"))
        let told = try folder.playlist("audio-1.m3u8").segments.flatMap(\.markers).map(\.id)
        #expect(told == ["marker-1", "marker-2", "marker-3"])
    }

    @Test("a split ends the segment at the next key frame, and nothing else shows it")
    func split() throws {
        let options = HLSSegmenter.Options(segmentDuration: .seconds(6))
        let folder = try present([(2300, { $0.split() })], options)
        let playlist = try folder.playlist("video.m3u8")
        #expect(playlist.segments.map(\.duration) == [.seconds(3), .seconds(6), .seconds(3)])
        #expect(playlist.targetDuration == 6 && playlist.segments.allSatisfy { $0.discontinuities == 0 })
        let plain = try present([], options)
        for name in ["video.m3u8", "audio-1.m3u8"] {
            #expect(try folder.samples(of: name) == plain.samples(of: name))
        }
        #expect(try folder.main.hasIndependentSegments)
    }
}
