import HLS
import Spec
import Testing
import Timing

@Suite("Media playlist", .spec("rfc8216bis", "4.4.3"))
struct MediaPlaylistTests {
    /// As section 9.2 has a live playlist, with the tags that ours have.
    static let live = """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-TARGETDURATION:8
        #EXT-X-MEDIA-SEQUENCE:2680
        #EXT-X-DISCONTINUITY-SEQUENCE:3
        #EXT-X-MAP:URI="video-init-1.mp4"
        #EXT-X-PROGRAM-DATE-TIME:2026-11-21T11:36:12.345Z
        #EXTINF:7.975000,
        video-2680.m4s
        #EXT-X-DATERANGE:ID="marker-1",CLASS="sluice.marker",START-DATE="2026-11-21T11:36:21.000Z",DURATION=0,X-SLUICE-NAME="Kick, off"
        #EXTINF:7.941000,
        video-2681.m4s
        #EXT-X-DISCONTINUITY
        #EXT-X-MAP:URI="video-init-2.mp4"
        #EXTINF:7.975001,
        video-2682.m4s
        #EXT-X-GAP
        #EXTINF:0.000001,
        gap

        """

    @Test("reads what stands in it, and writes it the same")
    func roundTrip() throws {
        let playlist = try media(Self.live)
        #expect(playlist.targetDuration == 8 && playlist.mediaSequence == 2680)
        #expect(playlist.discontinuitySequence == 3 && playlist.kind == nil && !playlist.isEnded)
        #expect(playlist.segments.map(\.uri) == ["video-2680.m4s", "video-2681.m4s", "video-2682.m4s", "gap"])
        #expect(playlist.segments.map(\.map) == ["video-init-1.mp4", nil, "video-init-2.mp4", nil])
        #expect(playlist.segments.map(\.discontinuities) == [0, 0, 1, 0])
        #expect(playlist.segments.map(\.isGap) == [false, false, false, true])
        #expect(playlist.segments[2].duration == .microseconds(7_975_001))
        #expect(playlist.duration == .microseconds(23_891_002))
        #expect(playlist.segments[0].programDateTime == WallTime(nanoseconds: 1_795_260_972_345_000_000))
        let kickOff = WallTime(nanoseconds: 1_795_260_981_000_000_000)
        #expect(playlist.segments.map(\.markers.count) == [0, 1, 0, 0])
        #expect(playlist.segments[1].markers == [.init(id: "marker-1", date: kickOff, name: "Kick, off")])
        #expect(playlist.text == Self.live)
    }

    @Test("an event that ended says so, and needs no sequence")
    func ended() throws {
        var playlist = try media(Self.live)
        playlist.kind = .event
        playlist.mediaSequence = 0
        #expect(!playlist.text.contains("MEDIA-SEQUENCE") && playlist.text.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"))
        playlist.kind = .vod
        playlist.isEnded = true
        #expect(playlist.text.hasSuffix("gap\n#EXT-X-ENDLIST\n"))
        #expect(try media(playlist.text) == playlist)
    }

    @Test("skips comments, blank lines and tags that it does not know", .spec("rfc8216bis", "6.3.1"))
    func unknown() throws {
        let unknown = "# a comment\r\n\r\n#EXT-X-NEW:1\r\n#EXT-X-DATERANGE:ID=\"ad\"\r\n"
        let text = "#EXTM3U\r\n\(unknown)#EXT-X-TARGETDURATION:2\r\n#EXTINF:2,title\r\na.m4s"
        let playlist = try media(text)
        #expect(playlist.version == 1)
        #expect(playlist.segments == [.init(uri: "a.m4s", duration: .seconds(2))])
    }

    static let ours = "#EXT-X-DATERANGE:CLASS=\"sluice.marker\","
    static let bad: [(text: String, error: HLSError)] = [
        ("", .notAPlaylist),
        ("#EXTM3", .notAPlaylist),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na\r\r\n", .notAPlaylist),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na\tb\n", .notAPlaylist),
        ("#EXTM3U\n#EXTINF:1,\na\n", .missing(tag: "EXT-X-TARGETDURATION")),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:1\na\n", .missing(tag: "EXTINF")),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:-1\n", .malformed(tag: "EXT-X-TARGETDURATION", line: 2)),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:18446744073709551616\n", .malformed(tag: "EXT-X-TARGETDURATION", line: 2)),
        ("#EXTM3U\n\n#EXTINF:1.5.2,\n", .malformed(tag: "EXTINF", line: 3)),
        ("#EXTM3U\n#EXTINF:-1,\n", .malformed(tag: "EXTINF", line: 2)),
        ("#EXTM3U\n#EXTINF:9999999999999999999,\n", .malformed(tag: "EXTINF", line: 2)),
        ("#EXTM3U\n#EXT-X-PLAYLIST-TYPE:LIVE\n", .malformed(tag: "EXT-X-PLAYLIST-TYPE", line: 2)),
        ("#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:today\n", .malformed(tag: "EXT-X-PROGRAM-DATE-TIME", line: 2)),
        ("#EXTM3U\n\(ours)ID=\"1\",START-DATE=\"today\"\n", .malformed(tag: "EXT-X-DATERANGE", line: 2)),
        ("#EXTM3U\n#EXT-X-MAP:BYTERANGE=\"1@2\"\n", .malformed(tag: "EXT-X-MAP", line: 2)),
        ("#EXTM3U\n#EXT-X-MAP:URI=\"a\n", .malformed(tag: "EXT-X-MAP", line: 2)),
        ("#EXTM3U\n#EXT-X-MAP:URI=\"a\",URI=\"b\"\n", .malformed(tag: "EXT-X-MAP", line: 2)),
        ("#EXTM3U\n#EXT-X-MAP:URI=\"a\",\n", .malformed(tag: "EXT-X-MAP", line: 2)),
    ]

    @Test("names what is wrong, and where", arguments: bad)
    func refused(text: String, error: HLSError) {
        #expect(throws: error) { try media(text) }
    }

    @Test("every prefix is refused or read, and none traps")
    func truncation() {
        let bytes = Array(Self.live.utf8)
        for length in 0...bytes.count {
            guard let playlist = try? media(String(decoding: bytes[..<length], as: UTF8.self)) else { continue }
            #expect(playlist.segments.count <= 4)
        }
    }

    static let roundings: [(milliseconds: Int, seconds: Int)] = [(6499, 6), (6500, 7), (5501, 6), (0, 0), (400, 0)]

    @Test("rounds a duration to the nearest integer", .spec("rfc8216bis", "4.4.3.1"), arguments: roundings)
    func rounding(milliseconds: Int, seconds: Int) {
        #expect(MediaPlaylist.rounded(.milliseconds(milliseconds)) == seconds)
    }
}

private func media(_ text: String) throws(HLSError) -> MediaPlaylist {
    try MediaPlaylist(parsing: Array(text.utf8).span)
}
