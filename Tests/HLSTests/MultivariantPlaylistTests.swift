import HLS
import Spec
import Testing

@Suite("Multivariant playlist", .spec("rfc8216bis", "4.4.6"))
struct MultivariantPlaylistTests {
    static let text = """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-INDEPENDENT-SEGMENTS
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Studio (microphone)",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-1.m3u8"
        #EXT-X-STREAM-INF:BANDWIDTH=2600000,AVERAGE-BANDWIDTH=2400000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"
        video.m3u8

        """

    @Test("reads what stands in it, and writes it the same")
    func roundTrip() throws {
        let playlist = try multivariant(Self.text)
        #expect(playlist.hasIndependentSegments)
        #expect(
            playlist.renditions == [
                .init(group: "audio", name: "Studio (microphone)", uri: "audio-1.m3u8", isDefault: true, channels: 2)
            ])
        let variant = try #require(playlist.variants.first)
        #expect(variant.bandwidth == 2_600_000 && variant.averageBandwidth == 2_400_000)
        #expect(variant.codecs == ["avc1.64001f", "mp4a.40.2"] && variant.audio == "audio")
        #expect(variant.resolution == .init(width: 1280, height: 720) && variant.frameRate == 29.97)
        #expect(variant.uri == "video.m3u8")
        #expect(playlist.text == Self.text)
    }

    static let bad: [(text: String, error: HLSError)] = [
        ("#EXTM3U\nvideo.m3u8\n", .missing(tag: "EXT-X-STREAM-INF")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nv\n", .malformed(tag: "EXT-X-STREAM-INF", line: 2)),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", .missing(tag: "URI")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1\nv\n", .malformed(tag: "EXT-X-STREAM-INF", line: 2)),
        ("#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\n", .malformed(tag: "EXT-X-MEDIA", line: 2)),
    ]

    @Test("names what is wrong, and where", arguments: bad)
    func refused(text: String, error: HLSError) {
        #expect(throws: error) { try multivariant(text) }
    }

    @Test("every prefix is refused or read, and none traps")
    func truncation() {
        let bytes = Array(Self.text.utf8)
        for length in 0...bytes.count {
            guard let playlist = try? multivariant(String(decoding: bytes[..<length], as: UTF8.self)) else { continue }
            #expect(playlist.variants.count <= 1)
        }
    }

    @Test("a name loses what a quoted string may not hold", .spec("rfc8216bis", "4.2"))
    func quotable() {
        #expect(MultivariantPlaylist.quotable("A \"B\"\r\nC") == "A BC")
    }
}

private func multivariant(_ text: String) throws(HLSError) -> MultivariantPlaylist {
    try MultivariantPlaylist(parsing: Array(text.utf8).span)
}
