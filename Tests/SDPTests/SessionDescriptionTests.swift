import ICE
import SDP
import Spec
import Testing

@Suite("Session description", .rfc(8866, "5"))
struct SessionDescriptionTests {
    @Test("the offers of real clients are read, and what is written reads the same", arguments: Offers.all)
    func real(name: String) throws {
        let offer = try Offers.read(name)
        #expect(try Offers.parse(offer.text) == offer)
        #expect(offer.sections.count == 2 && offer.bundles.first?.count == 2)
        for section in offer.sections {
            #expect(section.isRTP && section.rtcpMux && !section.isRejected)
            #expect(section.credentials != nil && section.setup == .actpass && !section.fingerprints.isEmpty)
            #expect(section.fingerprints.allSatisfy { CertificateFingerprint.length(of: $0.hash) != nil })
            #expect(section.payloads.contains { $0.isNamed("opus") || $0.isNamed("H264") || $0.isNamed("VP8") })
            #expect(section.direction == (Offers.played.contains(name) ? .recvonly : section.direction))
        }
        let candidates = try #require(offer.taggedSection).candidates
        #expect(candidates.contains { $0.transport == .udp && $0.address != nil })
    }

    @Test("Chromium's simulcast offer, in its parts", .rfc(8853, "5.1"), .rfc(8851, "10"), .rfc(8285, "8"))
    func chromium() throws {
        let video = try Offers.read("chromium-simulcast").sections[1]
        #expect(video.kind == .video && video.mid == "1" && video.direction == .sendonly)
        #expect(video.rids.map(\.id) == ["q", "h", "f"] && video.rids.allSatisfy(\.isSent))
        #expect(video.simulcast?.send.map { $0.map(\.rid) } == [["q"], ["h"], ["f"]])
        #expect(video.extensions.first { $0.uri == HeaderExtension.rtpStreamID }?.id == 10)
        #expect(video.allowsMixedExtensions && video.rtcpReducedSize && video.streams.count == 1)
        let vp8 = try #require(video.payloads.first)
        #expect(vp8.isNamed("vp8") && vp8.payloadType == 96 && vp8.clockRate == 90_000)
        #expect(vp8.feedback == ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"])
        #expect(video.payloads[1].associatedPayloadType == 96)
        let h264 = try #require(video.payloads.first { $0.isNamed("H264") })
        #expect(h264["packetization-mode"] == "1" && h264["profile-level-id"] == "42001f" && h264["none"] == nil)
    }

    @Test(
        "Firefox's fingerprint stands before the sections; GStreamer's second section is bundle-only", .rfc(9143, "6"))
    func others() throws {
        let firefox = try Offers.read("firefox-simulcast")
        #expect(firefox.sections[0].fingerprints == firefox.sections[1].fingerprints)
        #expect(firefox.sections[0].extensions.first { $0.id == 2 }?.direction == .recvonly)
        #expect(firefox.sections[1].sourceGroups.map(\.semantics) == ["FID", "FID", "FID"])
        let gstreamer = try Offers.read("gstreamer-play")
        #expect(gstreamer.sections[1].port == 0 && gstreamer.sections[1].bundleOnly)
        #expect(!gstreamer.sections[1].isRejected && gstreamer.sections[1].payloads.first?.channels == 2)
    }

    @Test("OBS's form is read: one transport before the sections, `OPUS`, commas")
    func obs() throws {
        let offer = try Offers.parse(Offers.obs)
        #expect(offer.sections.allSatisfy { $0.credentials?.usernameFragment == "KQ3x" && $0.setup == .actpass })
        #expect(offer.sections[0].iceOptions == ["ice2", "trickle"] && offer.bundles == [["0", "1"]])
        #expect(offer.sections[0].sources.map(\.cname) == ["oIWGrD"])
        #expect(try Offers.parse(offer.text) == offer)
    }

    @Test(
        "no prefix of an offer traps, nor a line left out, nor one said twice",
        arguments: ["chromium-simulcast", "firefox-simulcast", "gstreamer-play"])
    func truncation(name: String) throws {
        let text = Offers.load(name)
        #expect(!text.isEmpty)
        for length in stride(from: 0, to: text.count, by: 61) { try? check(Array(text[..<length])) }
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        for index in lines.indices.dropLast() {
            for count in [0, 2] {
                var changed = lines
                changed.replaceSubrange(index...index, with: repeatElement(lines[index], count: count))
                try? check(Array(changed.joined(separator: [0x0A])))
            }
        }
    }

    /// What is read of a changed text is written and reads the same.
    private func check(_ text: [UInt8]) throws {
        let description = try SessionDescription(parsing: text)
        #expect(try Offers.parse(description.text) == description)
    }

    @Test("lines may end with LF or CRLF, and the last with neither")
    func lineEnds() throws {
        let offer = try Offers.parse(Offers.small)
        #expect(try Offers.parse(Offers.small.split(separator: "\n").joined(separator: "\r\n")) == offer)
        #expect(try Offers.parse(Offers.small + "\r\n\n") == offer)
    }

    @Test("unknown lines are ignored", .rfc(8866, "5"))
    func unknown() throws {
        let more =
            "a=unknown\na=unknown:1\nb=AS:1\ni=x\nk=clear:1\na=rtcp-xr:rcvr-rtt=all\na=candidate:\na=candidate:1 1 x\n"
        #expect(try Offers.parse(Offers.small + more) == Offers.parse(Offers.small))
    }

    static let malformed: [(name: String, old: String, new: String, line: Int)] = [
        ("a payload type of 128", "SAVPF 111", "SAVPF 128", 10), ("of 999", "SAVPF 111", "SAVPF 999", 10),
        ("an rtpmap of 128", "rtpmap:111", "rtpmap:128", 14), ("a port of 70000", "m=audio 9", "m=audio 70000", 10),
        ("an fmtp without payload type", "a=fmtp:97 apt=96", "a=fmtp:", 21),
        ("an fmtp without parameters", "a=fmtp:97 apt=96", "a=fmtp:97", 21),
        ("an extmap of 0", "a=fmtp:97 apt=96", "a=extmap:0 urn:x", 21),
        ("an extmap of 256", "a=fmtp:97 apt=96", "a=extmap:256 urn:x", 21),
        ("an extmap without URI", "a=fmtp:97 apt=96", "a=extmap:1", 21),
        ("an extmap to nowhere", "a=fmtp:97 apt=96", "a=extmap:1/up urn:x", 21),
        ("two equal mids", "a=mid:v", "a=mid:a", 21), ("two mids", "a=rtpmap:96 VP8/90000", "a=mid:w", 19),
        ("a mid of 10 kB", "a=mid:v", "a=mid:" + String(repeating: "v", count: 10_000), 16),
        ("a mid of 65 bytes", "a=mid:v", "a=mid:" + String(repeating: "v", count: 65), 16),
        ("an empty mid", "a=mid:v", "a=mid:", 16), ("a bare CR", "a=mid:v", "a=mid:v\rx", 16),
        ("a NUL", "a=mid:v", "a=mid:\0", 16), ("a line without =", "a=mid:v", "a", 16),
        ("an empty line", "a=mid:v", "", 16), ("a rate of 0", "VP8/90000", "VP8/0", 19),
        ("a rate of 2^40", "VP8/90000", "VP8/1099511627776", 19), ("no rate", "VP8/90000", "VP8", 19),
        ("300 channels", "opus/48000/2", "opus/48000/300", 14),
        ("a short password", "ice-pwd:1234567890123456789012", "ice-pwd:123", 7),
        ("a fingerprint of 31 bytes", "AB:AB:AB", "AB:AB", 8), ("of words", "sha-256 AB", "sha-256 XY", 8),
        ("a setup that is none", "setup:actpass", "setup:both", 9), ("no version", "v=0", "v=1", 1),
        ("an origin of two words", "o=- 1 2 IN IP4 127.0.0.1", "o=- 1", 2), ("no origin", "o=-", "i=-", 1),
        ("an ssrc of 2^32", "a=fmtp:97 apt=96", "a=ssrc:4294967296 cname:x", 21),
        ("an ssrc line without", "a=fmtp:97 apt=96", "a=ssrc:", 21),
        ("an ssrc-group of one word", "a=fmtp:97 apt=96", "a=ssrc-group:FID", 21),
        ("an ssrc-group of 1000", "a=fmtp:97 apt=96", "a=ssrc-group:FID" + String(repeating: " 1", count: 1000), 21),
        ("a rid without direction", "a=fmtp:97 apt=96", "a=rid:q", 21),
        ("a rid with a space of its own", "a=fmtp:97 apt=96", "a=rid:q/ send", 21),
        ("a simulcast of nothing", "a=fmtp:97 apt=96", "a=simulcast:", 21),
        ("a simulcast to nowhere", "a=fmtp:97 apt=96", "a=simulcast:up q", 21),
        ("a simulcast said twice", "a=fmtp:97 apt=96", "a=simulcast:send q send h", 21),
        ("a stream of a simulcast without id", "a=fmtp:97 apt=96", "a=simulcast:send q;;h", 21),
        ("an m= of two words", "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "m=video 9", 15),
        ("a c= of one word", "a=fmtp:97 apt=96", "c=IN", 21),
        ("an msid of three", "a=fmtp:97 apt=96", "a=msid:a b c", 21),
        ("an rtcp-fb without value", "a=fmtp:97 apt=96", "a=rtcp-fb:96", 21),
    ]

    @Test("malformed lines are refused, with their number (fault class 14)", arguments: malformed)
    func refuses(name: String, old: String, new: String, line: Int) throws {
        let range = try #require(Offers.small.firstRange(of: old))
        let text = Offers.small.replacingCharacters(range, new)
        do {
            _ = try Offers.parse(text)
            Issue.record("\(name) is read")
        } catch .malformed(let at, let what) {
            #expect(at == line && !what.isEmpty)
        } catch {
            Issue.record("\(error)")
        }
    }

    static let many: [(name: String, line: @Sendable (Int) -> String)] = [
        ("rids", { "a=rid:r\($0) send" }), ("header extensions", { "a=extmap:\($0 % 250 + 1) urn:x" }),
        ("sources", { "a=ssrc:\($0) cname:x" }), ("groups of sources", { "a=ssrc-group:FID \($0) 1" }),
        ("candidates", { "a=candidate:\($0) 1 udp 1 192.0.2.1 9 typ host" }), ("streams", { "a=msid:s\($0)" }),
        ("fingerprints", { _ in "a=fingerprint:sha-256 " + Offers.fingerprintText }),
        ("sections", { _ in "m=audio 9 UDP/TLS/RTP/SAVPF 0" }),
    ]

    @Test("too many of one thing are refused (fault class 14)", arguments: many.indices)
    func refuses(index: Int) {
        let (name, line) = Self.many[index]
        let text = Offers.small + (0..<200).map { line($0) + "\n" }.joined()
        do {
            _ = try Offers.parse(text)
            Issue.record("200 \(name) are read")
        } catch .tooMany(let at, let what) {
            #expect(at > 21 && what == name)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("text without measure is refused (fault class 14)")
    func measure() {
        let lines = String(repeating: "a=x\n", count: 1001)
        #expect(throws: SDPError.tooManyLines(limit: 1000)) { try Offers.parse(lines) }
        let bytes = "v=0\na=" + String(repeating: "x", count: 1 << 20)
        #expect(throws: SDPError.tooLong(bytes: bytes.utf8.count, limit: 65_536)) { try Offers.parse(bytes) }
        #expect(throws: SDPError.self) { try Offers.parse("") }
        #expect(throws: SDPError.self) { try Offers.parse("v=0\na=" + String(repeating: "x", count: 9000)) }
        for error in [
            SDPError.tooLong(bytes: 1, limit: 0), .tooManyLines(limit: 1), .malformed(line: 1, "x"),
            .tooMany(line: 1, "x"),
        ] { #expect(!error.description.isEmpty) }
    }

    @Test("a data channel's section is read, and written", .rfc(8841, "4.1"))
    func dataChannel() throws {
        let text = Offers.small + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:d\na=sctp-port:5000\n"
        let offer = try Offers.parse(text)
        #expect(offer.sections[2].kind == .application && offer.sections[2].formats == ["webrtc-datachannel"])
        #expect(try Offers.parse(offer.text) == offer && offer.sections[2].kind.name == "application")
        let odd = try Offers.parse(Offers.small + "m=text 9/2 RTP/AVP 96\na=rid:q send pt=96,97;max-width=1;\n")
        #expect(odd.sections[2].kind == .other("text") && odd.sections[2].payloads.isEmpty)
        #expect(
            odd.sections[2].rids == [
                RestrictionIdentifier("q", isSent: true, payloadTypes: [96, 97], restrictions: "max-width=1")
            ])
        #expect(try Offers.parse(odd.text) == odd)
    }

    @Test("rtcp-fb of all payload types counts for each", .rfc(4585, "4.2"))
    func feedbackOfAll() throws {
        let lines = "a=rtcp-fb:* nack\na=rtcp-fb:* nack\na=rtcp-fb:96 nack\na=rtcp-fb:97  ccm  fir\n"
        let offer = try Offers.parse(Offers.small + lines)
        #expect(offer.sections[1].payloads.map(\.feedback) == [["nack"], ["ccm fir", "nack"]])
    }
}

extension String {
    func replacingCharacters(_ range: Range<Index>, _ new: String) -> String {
        self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
