import ICE

/// Reads the lines of one section, or those before the first, into a section. Unknown lines are ignored, as RFC 8866
/// section 5 says; known ones that are malformed end it.
struct SectionReader {
    enum Limit {
        static let extensions = 64
        static let rids = 16
        static let streams = 8
        static let sources = 64
        static let groups = 32
        static let candidates = 64
        static let fingerprints = 8
        static let options = 8
        static let mid = 64
    }

    private(set) var section: MediaSection
    private var payloads: PayloadTable?
    private var fragment: String?
    private var password: (text: String, line: SDPLine)?
    private var hasDirection = false
    private var hasOptions = false

    /// Takes the value of an `m=` line: `video 9 UDP/TLS/RTP/SAVPF 96 97`.
    init(_ line: SDPLine) throws(SDPError) {
        let words = line.value.words
        guard words.count >= 4 else { throw line.malformed("an m= has a kind, a port, a protocol and formats") }
        let kind = try line.token(words[0], limit: 32, "the kind")
        // `9/2` asks for two ports, which nobody here has; the number behind the slash is ignored.
        let port = words[1].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)[0]
        section = MediaSection(
            MediaSection.Kind(kind),
            port: UInt16(truncatingIfNeeded: try line.number(port, in: 0...65535, "the port")),
            transportProtocol: String(words[2].prefix(64)))
        if section.isRTP {
            payloads = try PayloadTable(words.dropFirst(3), line)
        } else {
            section.formats = words.dropFirst(3).prefix(16).map { String($0.prefix(64)) }
        }
    }

    /// What stands before the first section.
    init() { section = MediaSection(.other("session")) }

    mutating func take(_ line: SDPLine) throws(SDPError) {
        if line.type == "c" {
            guard line.value.words.count == 3, line.value.utf8.count <= 255 else {
                throw line.malformed("a c= has three words")
            }
            section.connection = line.value.words.joined(separator: " ")
        }
        guard line.type == "a" else { return }
        let (name, value) = line.attribute
        if try takeFlag(name) { return }
        if try takeTransport(name, value, line) { return }
        try takeMedia(name, value, line)
    }

    /// The section; what it does not say for itself it takes from before the first.
    func finished(_ session: MediaSection?) throws(SDPError) -> MediaSection {
        var section = section
        section.payloads = payloads?.known ?? []
        if let fragment, let password {
            guard let pair = ICECredentials(usernameFragment: fragment, password: password.text) else {
                throw password.line.malformed("ice-ufrag and ice-pwd do not follow RFC 8839 section 5.4")
            }
            section.credentials = pair
        }
        guard let session else { return section }
        if section.credentials == nil { section.credentials = session.credentials }
        if section.fingerprints.isEmpty { section.fingerprints = session.fingerprints }
        if section.setup == nil { section.setup = session.setup }
        if !hasOptions { section.iceOptions = session.iceOptions }
        if !hasDirection { section.direction = session.direction }
        if session.allowsMixedExtensions { section.allowsMixedExtensions = true }
        return section
    }

    private mutating func takeFlag(_ name: Substring) throws(SDPError) -> Bool {
        switch name {
        case "rtcp-mux": section.rtcpMux = true
        case "rtcp-mux-only": section.rtcpMuxOnly = true
        case "rtcp-rsize": section.rtcpReducedSize = true
        case "bundle-only": section.bundleOnly = true
        case "end-of-candidates": section.endOfCandidates = true
        case "extmap-allow-mixed": section.allowsMixedExtensions = true
        case "sendrecv", "sendonly", "recvonly", "inactive":
            section.direction = Direction(rawValue: String(name)) ?? section.direction
            hasDirection = true
        default: return false
        }
        return true
    }

    private mutating func takeTransport(
        _ name: Substring, _ value: Substring, _ line: SDPLine
    ) throws(SDPError) -> Bool {
        switch name {
        case "ice-ufrag": if fragment == nil { fragment = String(value) }
        case "ice-pwd": if password == nil { password = (String(value), line) }
        case "ice-options":
            hasOptions = true
            section.iceOptions = []
            // Deviation: OBS puts commas between them.
            for word in value.split(whereSeparator: { $0 == " " || $0 == "," }).prefix(Limit.options) {
                section.iceOptions.append(try line.token(word, limit: 32, "an ICE option"))
            }
        case "candidate":
            guard section.candidates.count < Limit.candidates else { throw line.tooMany("candidates") }
            if let candidate = ICECandidate(line.value) { section.candidates.append(candidate) }
        case "fingerprint":
            guard section.fingerprints.count < Limit.fingerprints else { throw line.tooMany("fingerprints") }
            section.fingerprints.append(try CertificateFingerprint(value, line))
        case "setup":
            guard let setup = Setup(rawValue: String(value)) else { throw line.malformed("the setup is none") }
            section.setup = setup
        default: return false
        }
        return true
    }

    private mutating func takeMedia(_ name: Substring, _ value: Substring, _ line: SDPLine) throws(SDPError) {
        switch name {
        case "mid":
            guard section.mid == nil else { throw line.malformed("the section has a mid already") }
            section.mid = try line.token(value, limit: Limit.mid, "the mid")
        case "rtpmap": try payloads?.map(value, line)
        case "fmtp": try payloads?.setParameters(value, line)
        case "rtcp-fb": try payloads?.addFeedback(value, line)
        case "extmap":
            guard section.extensions.count < Limit.extensions else { throw line.tooMany("header extensions") }
            let item = try HeaderExtension(value, line)
            guard !section.extensions.contains(where: { $0.id == item.id }) else {
                throw line.malformed("the id of the extension is taken")
            }
            section.extensions.append(item)
        case "rid":
            guard section.rids.count < Limit.rids else { throw line.tooMany("rids") }
            let rid = try RestrictionIdentifier(value, line)
            guard !section.rids.contains(where: { $0.id == rid.id }) else { throw line.malformed("the rid is taken") }
            section.rids.append(rid)
        case "simulcast":
            guard section.simulcast == nil else { throw line.malformed("the section has a simulcast already") }
            section.simulcast = try Simulcast(value, line)
        case "msid":
            guard section.streams.count < Limit.streams else { throw line.tooMany("streams") }
            section.streams.append(try MediaStreamID(value, line))
        case "ssrc": try takeSource(value, line)
        case "ssrc-group":
            guard section.sourceGroups.count < Limit.groups else { throw line.tooMany("groups of sources") }
            section.sourceGroups.append(try SourceGroup(value, line))
        default: break
        }
    }

    /// `123 cname:x`; other attributes of a source are left out, but make it known.
    private mutating func takeSource(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.split(separator: " ", maxSplits: 1)
        guard let first = words.first else { throw line.malformed("an ssrc line has an SSRC") }
        let ssrc = UInt32(truncatingIfNeeded: try line.number(first, in: 0...0xFFFF_FFFF, "the SSRC"))
        let cname = words.count == 2 && words[1].hasPrefix("cname:") ? String(words[1].dropFirst(6)) : nil
        guard cname?.utf8.count ?? 0 <= 255 else { throw line.malformed("the CNAME is too long") }
        if let index = section.sources.firstIndex(where: { $0.ssrc == ssrc }) {
            if section.sources[index].cname == nil { section.sources[index].cname = cname }
            return
        }
        guard section.sources.count < Limit.sources else { throw line.tooMany("sources") }
        section.sources.append(SourceDescription(ssrc, cname: cname))
    }
}
