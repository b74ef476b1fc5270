import FoundationEssentials
import ICE
import SDP
import STUN

/// Offers of real clients; `fixtures/README.md` says how they were made.
enum Offers {
    static let published = [
        "chromium-publish", "chromium-simulcast", "firefox-publish", "firefox-simulcast", "aiortc-publish",
        "gstreamer-publish",
    ]
    static let played = ["chromium-play", "firefox-play", "aiortc-play", "gstreamer-play"]
    static let all = published + played

    static func load(_ name: String) -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "fixtures/offers/\(name).sdp")
        return (try? Data(contentsOf: file)).map { [UInt8]($0) } ?? []
    }

    static func read(_ name: String) throws(SDPError) -> SessionDescription {
        try SessionDescription(parsing: load(name))
    }

    /// In the form of libdatachannel, with which OBS 30 and later speaks WHIP: ICE and DTLS before the sections, `OPUS`,
    /// a group LS, commas between ICE options.
    static let obs = """
        v=0
        o=rtc 3263886464 0 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=group:LS 0 1
        a=msid-semantic:WMS *
        a=setup:actpass
        a=ice-ufrag:KQ3x
        a=ice-pwd:9gQcHgYpJqQ1aPnYc2Pd5m
        a=ice-options:ice2,trickle
        a=fingerprint:sha-256 \(fingerprintText)
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        c=IN IP4 0.0.0.0
        a=mid:0
        a=sendonly
        a=ssrc:1351344213 cname:oIWGrD
        a=ssrc:1351344213 msid:oIWGrD oIWGrD-audio
        a=msid:oIWGrD oIWGrD-audio
        a=rtcp-mux
        a=rtpmap:111 OPUS/48000/2
        a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=mid:1
        a=sendonly
        a=ssrc:1351344214 cname:oIWGrD
        a=msid:oIWGrD oIWGrD-video
        a=rtcp-mux
        a=rtpmap:96 H264/90000
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtcp-fb:96 goog-remb
        a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1

        """

    static let fingerprintText = (0..<32).map { _ in "AB" }.joined(separator: ":")

    static func parse(_ text: String) throws(SDPError) -> SessionDescription {
        try SessionDescription(parsing: Array(text.utf8))
    }

    /// A small offer, for tests to change.
    static let small = """
        v=0
        o=- 1 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE a v
        a=ice-ufrag:abcd
        a=ice-pwd:1234567890123456789012
        a=fingerprint:sha-256 \(fingerprintText)
        a=setup:actpass
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        a=mid:a
        a=rtcp-mux
        a=sendonly
        a=rtpmap:111 opus/48000/2
        m=video 9 UDP/TLS/RTP/SAVPF 96 97
        a=mid:v
        a=rtcp-mux
        a=sendonly
        a=rtpmap:96 VP8/90000
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96

        """

    static func answerer(_ use: Answerer.Use = .receive) throws -> Answerer {
        guard let credentials = ICECredentials(entropy: [UInt8](repeating: 3, count: 32)) else { throw Impossible() }
        let address = TransportAddress(.v4(0xC000_0201), port: 7882)
        return Answerer(
            use, credentials: credentials,
            candidates: [
                ICECandidate(host: address, transport: .udp, localPreference: 65535),
                ICECandidate(host: address, transport: .tcp(.passive), localPreference: 1),
            ], fingerprints: [CertificateFingerprint(hash: "SHA-256", bytes: [UInt8](repeating: 7, count: 32))],
            sessionID: 42)
    }

    struct Impossible: Error {}

    static let tracks = [
        OutgoingTrack(
            .video, stream: MediaStreamID(stream: "room", track: "picture"), cname: "room", ssrc: 10,
            retransmissionSSRC: 11),
        OutgoingTrack(.audio, stream: MediaStreamID(stream: "room", track: "sound"), cname: "room", ssrc: 20),
    ]
}
