import ICE
import SDP
import Spec
import Testing

@Suite("Answer", .rfc(8829, "5.3"))
struct AnswererTests {
    @Test(
        "each publisher is answered: same sections, mids, payload types and ids", .rfc(9725, "4.2"),
        arguments: Offers.published)
    func published(name: String) throws {
        let offer = try Offers.read(name)
        let answer = try Offers.answerer().answer(offer)
        #expect(answer.isICELite && answer.bundles == offer.bundles && answer.sessionID == 42)
        #expect(answer.sections.map(\.mid) == offer.sections.map(\.mid))
        #expect(answer.sections.map(\.kind) == offer.sections.map(\.kind))
        for (ours, theirs) in zip(answer.sections, offer.sections) {
            #expect(ours.direction == .recvonly && ours.setup == .passive)
            #expect(ours.rtcpMux && ours.rtcpMuxOnly && ours.port == 7882 && ours.connection == "IN IP4 192.0.2.1")
            #expect(ours.fingerprints.count == 1 && ours.credentials != nil && ours.iceOptions == ["trickle", "ice2"])
            for format in ours.payloads {
                let offered = theirs.payloads.first { $0.payloadType == format.payloadType }
                #expect(offered?.name == format.name && offered?.clockRate == format.clockRate)
                #expect(format.feedback.allSatisfy { offered?.feedback.contains($0) ?? false })
            }
            for item in ours.extensions {
                #expect(theirs.extensions.contains { $0.id == item.id && $0.uri == item.uri })
            }
        }
        // All candidates, once (RFC 9725 section 4.3.2).
        #expect(answer.sections.map(\.candidates.count) == [2, 0])
        #expect(answer.sections.map(\.endOfCandidates) == [true, false])
        #expect(try Offers.parse(answer.text) == answer)
    }

    @Test("each player is answered with the tracks there are", arguments: Offers.played)
    func played(name: String) throws {
        let offer = try Offers.read(name)
        var answerer = try Offers.answerer(.send(Offers.tracks))
        if name == "aiortc-play" || name == "firefox-play" { answerer.codecs = [.vp8, .opus] }
        let answer = try answerer.answer(offer)
        for section in answer.sections {
            #expect(section.direction == .sendonly && section.streams.map(\.stream) == ["room"])
            let isVideo = section.kind == .video
            let hasRTX = section.payloads.contains { $0.isNamed("rtx") }
            #expect(section.sources.map(\.ssrc) == (isVideo ? (hasRTX ? [10, 11] : [10]) : [20]))
            #expect(section.sourceGroups == (isVideo && hasRTX ? [SourceGroup("FID", [10, 11])] : []))
            #expect(section.rids.isEmpty && section.simulcast == nil)
        }
        #expect(try Offers.parse(answer.text) == answer)
    }

    @Test("OBS is answered, by the name it gave its codec")
    func obs() throws {
        let answer = try Offers.answerer().answer(Offers.parse(Offers.obs))
        #expect(answer.sections.map { $0.payloads.map(\.name) } == [["OPUS"], ["H264"]])
        #expect(
            answer.sections[0].payloads[0].parameters == "minptime=10;useinbandfec=1;stereo=1;maxaveragebitrate=96000")
        #expect(answer.sections[1].payloads[0]["profile-level-id"] == "42e01f")
        #expect(answer.sections[1].payloads[0].feedback == ["nack", "nack pli", "goog-remb"])
    }

    @Test(
        "Chromium's codecs: retransmission with what it retransmits, RED with what it repeats", .rfc(4588, "8.1"),
        .rfc(2198, "5"))
    func codecs() throws {
        let offer = try Offers.read("chromium-publish")
        let answer = try Offers.answerer().answer(offer)
        let (audio, video) = (answer.sections[0].payloads, answer.sections[1].payloads)
        #expect(audio.map { $0.name.lowercased() } == ["opus", "red", "pcmu", "pcma"])
        #expect(Set(video.map(\.name)) == ["VP8", "VP9", "H264", "AV1", "rtx"])
        let types = Set(video.map(\.payloadType))
        #expect(video.filter { $0.isNamed("rtx") }.allSatisfy { $0.associatedPayloadType.map(types.contains) ?? false })
        var answerer = try Offers.answerer()
        answerer.codecs = [.h264, .red, .pcmu]
        let fewer = try answerer.answer(offer)
        #expect(fewer.sections[0].payloads.map(\.name) == ["PCMU"])
        #expect(Set(fewer.sections[1].payloads.map(\.name)) == ["H264", "rtx"])
    }

    @Test("parameters must fit", .rfc(6184, "8.2.2"))
    func requirements() throws {
        let offer = { (parameters: String) in
            try Offers.parse(Offers.small.replacing("VP8/90000", with: "H264/90000") + "a=fmtp:96 \(parameters)\n")
        }
        for parameters in ["packetization-mode=1", "packetization-mode = 0 ; x", "profile-level-id=640032"] {
            #expect(try Offers.answerer().answer(offer(parameters)).sections[1].payloads.count == 2)
        }
        #expect(throws: OfferRefusal.unusable(mid: "v")) {
            try Offers.answerer().answer(offer("packetization-mode=2"))
        }
    }

    @Test(
        "simulcast is received as it is sent", .rfc(8853, "5.3.2"), .rfc(8851, "5"),
        arguments: ["chromium-simulcast", "firefox-simulcast"])
    func simulcast(name: String) throws {
        let video = try Offers.answerer().answer(Offers.read(name)).sections[1]
        #expect(video.rids == ["q", "h", "f"].map { RestrictionIdentifier($0, isSent: false) })
        #expect(video.simulcast == Simulcast(receive: [[.init("q")], [.init("h")], [.init("f")]]))
        let uris = [HeaderExtension.mid, HeaderExtension.rtpStreamID, HeaderExtension.repairedRTPStreamID]
        for uri in uris { #expect(video.extensions.contains { $0.uri == uri }) }
        #expect(try Offers.parse(Offers.answerer().answer(Offers.read(name)).text).sections[1] == video)
    }

    @Test("paused layers, alternatives, and rids of refused codecs", .rfc(8853, "5.3.2"))
    func layers() throws {
        let more = """
            a=rtpmap:98 FUTURE/90000
            a=rid:f send pt=96;max-width=1280
            a=rid:h send
            a=rid:x send pt=98
            a=rid:r recv
            a=simulcast:send f,~h;x recv r

            """
        let text = Offers.small.replacing("SAVPF 96 97", with: "SAVPF 96 97 98") + more
        let video = try Offers.answerer().answer(Offers.parse(text)).sections[1]
        #expect(video.simulcast == Simulcast(receive: [[.init("f"), .init("h")]]))
        #expect(video.rids.map(\.id) == ["f", "h"] && video.rids[0].payloadTypes == [96])
        #expect(video.rids[0].restrictions == "max-width=1280")
        #expect(try Offers.parse(text).sections[1].simulcast?.send[0][1].isPaused == true)
    }

    @Test("extensions keep their ids; those that flow the other way or do not fit are left out", .rfc(8285, "7"))
    func extensions() throws {
        let lines = """
            a=extmap:3/sendonly \(HeaderExtension.mid)
            a=extmap:4/recvonly \(HeaderExtension.playoutDelay)
            a=extmap:15 \(HeaderExtension.absoluteSendTime)
            a=extmap:200 \(HeaderExtension.videoOrientation)
            a=extmap:5 urn:unknown

            """
        let narrow = try Offers.answerer().answer(Offers.parse(Offers.small + lines)).sections[1]
        #expect(narrow.extensions == [HeaderExtension(id: 3, direction: .recvonly, uri: HeaderExtension.mid)])
        let mixed = try Offers.answerer().answer(Offers.parse(Offers.small + lines + "a=extmap-allow-mixed\n"))
            .sections[1]
        #expect(mixed.extensions.map(\.id) == [3, 200] && mixed.allowsMixedExtensions)
    }

    static let refused: [(name: String, old: String, new: String, refusal: OfferRefusal)] = [
        ("recvonly", "a=sendonly", "a=recvonly", .wrongDirection(mid: "a", .recvonly)),
        ("inactive", "a=sendonly", "a=inactive", .wrongDirection(mid: "a", .inactive)),
        ("an unknown codec", "VP8/90000", "VP7/90000", .unusable(mid: "v")),
        ("plain RTP", "m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP", .unusable(mid: "a")),
        ("another channel count", "opus/48000/2", "opus/48000", .unusable(mid: "a")),
        ("no bundle", "a=group:BUNDLE a v", "a=x", .notBundled(mid: "a")),
        ("half a bundle", "a=group:BUNDLE a v", "a=group:BUNDLE a", .notBundled(mid: "v")),
        ("no mid", "a=mid:v", "a=x", .notBundled(mid: "video")),
        ("no rtcp-mux", "a=rtcp-mux", "a=x", .noRTCPMux(mid: "a")),
        ("no credentials", "a=ice-ufrag:abcd", "a=x", .noCredentials),
        ("no known hash", "a=fingerprint:sha-256", "a=fingerprint:md5", .noFingerprint),
        ("passive", "setup:actpass", "setup:passive", .setup(.passive)),
        ("held", "setup:actpass", "setup:holdconn", .setup(.holdconn)),
        ("two streams", "a=mid:a", "a=mid:a\na=msid:one\na=msid:two", .severalStreams),
        (
            "a second section of a kind", "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=mid:v\n",
            "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:v\n", .tooMany(kind: "audio", allowed: 1)
        ),
    ]

    @Test("what WHIP does not allow is refused", .rfc(9725, "4.4"), arguments: refused)
    func refuses(name: String, old: String, new: String, refusal: OfferRefusal) throws {
        let range = try #require(Offers.small.firstRange(of: old))
        let offer = try Offers.parse(Offers.small.replacingCharacters(range, new))
        #expect(throws: refusal) { try Offers.answerer().answer(offer) }
        #expect(!refusal.description.isEmpty)
    }

    @Test(
        "a section that cannot be used is rejected with port 0, if the offer is not refused for it", .rfc(8829, "5.3.1")
    )
    func rejected() throws {
        var answerer = try Offers.answerer()
        answerer.refusesUnusable = false
        let text = Offers.small.replacing("BUNDLE a v", with: "BUNDLE a v d").replacing("VP8", with: "VP7")
        let offer = try Offers.parse(text + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\n")
        let answer = try answerer.answer(offer)
        #expect(answer.sections.map(\.isRejected) == [false, true, true] && answer.bundles == [["a"]])
        #expect(answer.sections[1].payloads.map(\.payloadType) == [96, 97] && answer.sections[1].mid == "v")
        #expect(answer.sections[2].formats == ["webrtc-datachannel"] && answer.sections[1].credentials == nil)
        #expect(try Offers.parse(answer.text) == answer)
        answerer.codecs = [.h265]
        #expect(throws: OfferRefusal.nothingOffered) { try answerer.answer(offer) }
    }

    @Test("a section that the offer rejects stays so", .rfc(8829, "5.3.1"))
    func offeredAsRejected() throws {
        let text = Offers.small.replacing("m=video 9", with: "m=video 0").replacing("BUNDLE a v", with: "BUNDLE a")
        let answer = try Offers.answerer().answer(Offers.parse(text))
        #expect(answer.sections.map(\.isRejected) == [false, true])
        let none = try Offers.parse(text.replacing("m=audio 9", with: "m=audio 0"))
        #expect(throws: OfferRefusal.nothingOffered) { try Offers.answerer().answer(none) }
        #expect(throws: OfferRefusal.nothingOffered) {
            try Offers.answerer().answer(SessionDescription(sessionID: 1))
        }
    }

    @Test("active is answered by passive, and passive by active where that is allowed", .rfc(8842, "5.3"))
    func setup() throws {
        let active = try Offers.parse(Offers.small.replacing("setup:actpass", with: "setup:active"))
        #expect(try Offers.answerer().answer(active).sections.map(\.setup) == [.passive, .passive])
        var answerer = try Offers.answerer()
        answerer.mayBeActive = true
        let passive = try Offers.parse(Offers.small.replacing("setup:actpass", with: "setup:passive"))
        #expect(try answerer.answer(passive).sections.map(\.setup) == [.active, .active])
    }

    @Test("sendrecv is answered by one direction; a player without track by inactive", .rfc(9725, "4.2"))
    func directions() throws {
        let both = try Offers.parse(Offers.small.replacing("a=sendonly", with: "a=sendrecv"))
        #expect(try Offers.answerer().answer(both).sections.map(\.direction) == [.recvonly, .recvonly])
        let sound = try Offers.answerer(.send([Offers.tracks[1]])).answer(both)
        #expect(sound.sections.map(\.direction) == [.sendonly, .inactive])
        #expect(throws: OfferRefusal.wrongDirection(mid: "a", .sendonly)) {
            try Offers.answerer(.send(Offers.tracks)).answer(Offers.parse(Offers.small))
        }
        #expect(Direction.sendonly.reversed == .recvonly && Direction.recvonly.reversed == .sendonly)
        #expect(Direction.sendrecv.reversed == .sendrecv)
    }

    @Test("one section needs no bundle")
    func single() throws {
        let text = Offers.small.replacing("a=group:BUNDLE a v\n", with: "").split(separator: "m=video")[0]
        let answer = try Offers.answerer().answer(Offers.parse(String(text)))
        #expect(answer.bundles.isEmpty && answer.sections.count == 1)
    }
}

@Suite("Trickle fragment", .rfc(8840, "4.4"))
struct TrickleFragmentTests {
    /// As WHIP's own example has it (RFC 9725 section 4.3.2), and with what some clients add.
    static let example = """
        a=group:BUNDLE 0 1
        m=audio 9 UDP/TLS/RTP/SAVPF 111
        a=mid:0
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1
        a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host generation 0 ufrag EsAw network-id 2
        a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0 ufrag EsAw network-id 1
        a=candidate:1 1 sctp 1 192.0.2.1 9 typ host
        a=candidate:nonsense
        a=end-of-candidates
        a=end-of-candidates

        """

    private static func parse(_ text: String) throws(SDPError) -> TrickleFragment {
        try TrickleFragment(parsing: Array(text.utf8))
    }

    @Test("is read and written; what is no candidate is skipped", .rfc(9725, "4.3.2"))
    func example() throws {
        let fragment = try Self.parse(Self.example)
        #expect(fragment.credentials?.usernameFragment == "EsAw" && fragment.sections.map(\.mid) == ["0"])
        #expect(fragment.sections[0].candidates.count == 4 && fragment.sections[0].endOfCandidates)
        #expect(try Self.parse(fragment.text) == fragment)
    }

    @Test("credentials may stand before the sections, and the end alone")
    func short() throws {
        let head = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
        let fragment = try Self.parse(head + "a=ice-lite\r\na=ice-options:trickle ice2\r\na=ice-pacing:50\r\n")
        #expect(fragment.sections.isEmpty && fragment.isICELite && fragment.iceOptions == ["trickle", "ice2"])
        #expect(try Self.parse(fragment.text) == fragment)
        let end = try Self.parse(head + "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n")
        #expect(end.sections == [.init(mid: "0", endOfCandidates: true)])
        let bare = try Self.parse("a=candidate:1 1 udp 1 192.0.2.1 9 typ host")
        #expect(bare.credentials == nil && bare.sections.map(\.candidates.count) == [1])
        #expect(try Self.parse(bare.text) == bare)
    }

    static let malformed = [
        "", "\r\n", "nonsense", "a=x", "a=ice-ufrag:abcd", "a=ice-ufrag:abcd\na=ice-pwd:short", "m=audio\na=mid:0",
        "a=mid:0\n\na=mid:1", String(repeating: "m=audio 9 RTP/AVP 0\n", count: 40),
        String(repeating: "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\n", count: 65),
    ]

    @Test("malformed ones are refused", .rfc(9725, "4.3.1"), arguments: malformed)
    func refuses(text: String) {
        #expect(throws: SDPError.self) { try Self.parse(text) }
    }

    @Test("no prefix traps")
    func truncation() {
        let text = Array(Self.example.utf8)
        for length in text.indices {
            guard let fragment = try? TrickleFragment(parsing: Array(text[..<length])) else { continue }
            #expect((try? Self.parse(fragment.text)) == fragment)
        }
    }
}
