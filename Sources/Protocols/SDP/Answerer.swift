public import ICE
import STUN

/// Why an offer gets no answer. *Answer 422 (400 where the description is at fault) with the text.*
public enum OfferRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// No section that is not rejected.
    case nothingOffered
    /// The section's direction is not one for this use.
    case wrongDirection(mid: String, Direction)
    /// None of the section's codecs is known, or its kind or protocol is none that is forwarded.
    case unusable(mid: String)
    /// More sections of a kind than are allowed.
    case tooMany(kind: String, allowed: Int)
    case severalStreams
    /// The section is in no bundle with the first (RFC 9725 section 4.4.1).
    case notBundled(mid: String)
    case noRTCPMux(mid: String)
    case noCredentials
    /// No fingerprint with a hash that is known.
    case noFingerprint
    case setup(Setup)

    public var description: String {
        switch self {
        case .nothingOffered: "The offer has no section."
        case .wrongDirection(let mid, let direction): "Section \(mid) may not be \(direction.rawValue) here."
        case .unusable(let mid): "Section \(mid) has no codec that is forwarded."
        case .tooMany(let kind, let allowed): "The offer has more than \(allowed) \(kind) section."
        case .severalStreams: "The sections belong to more than one MediaStream."
        case .notBundled(let mid): "Section \(mid) is not in the BUNDLE group of the first."
        case .noRTCPMux(let mid): "Section \(mid) does not multiplex RTP and RTCP."
        case .noCredentials: "The offer has no ice-ufrag and ice-pwd."
        case .noFingerprint: "The offer has no certificate fingerprint by SHA-256, SHA-384 or SHA-512."
        case .setup(let setup): "The offer's setup is \(setup.rawValue); it must be actpass or active."
        }
    }
}

/// A track that an answer sends.
public struct OutgoingTrack: Equatable, Sendable {
    public var kind: MediaSection.Kind
    public var stream: MediaStreamID
    public var cname: String
    public var ssrc: UInt32
    /// Of its `rtx`, used if that is negotiated.
    public var retransmissionSSRC: UInt32?

    public init(
        _ kind: MediaSection.Kind, stream: MediaStreamID, cname: String, ssrc: UInt32, retransmissionSSRC: UInt32? = nil
    ) {
        self.kind = kind
        self.stream = stream
        self.cname = cname
        self.ssrc = ssrc
        self.retransmissionSSRC = retransmissionSSRC
    }
}

/// Answers offers by the rules of JSEP (RFC 8829 section 5.3) for a server that only receives (WHIP) or only sends (WHEP).
///
/// The answer is what was negotiated: read codecs, extensions and rids from its sections, and credentials and fingerprints
/// of the peer from the offer's ``SessionDescription/taggedSection``.
public struct Answerer: Sendable {
    public enum Use: Equatable, Sendable {
        case receive
        /// Tracks are given to the offer's sections of their kind, in order; a section without is inactive.
        case send([OutgoingTrack])
    }

    public var use: Use
    public var codecs = CodecCapability.forwarded
    /// URIs of header extensions that are understood.
    public var extensions: [String] = HeaderExtension.understood
    public var credentials: ICECredentials
    /// All of this side's (RFC 9725 section 4.3.2); the first is the default candidate.
    public var candidates: [ICECandidate]
    public var fingerprints: [CertificateFingerprint]
    public var sessionID: UInt64
    /// Sections of one kind; `nil` for any number.
    public var sectionsPerKind: Int? = 1
    /// Whether all sections must belong to one MediaStream.
    public var requiresOneStream = true
    /// Whether one unusable section refuses the offer (RFC 9725 section 4.4.3); else it is rejected with port 0.
    public var refusesUnusable = true
    /// Whether an offer that is passive is answered by active.
    public var mayBeActive = false

    public init(
        _ use: Use, credentials: ICECredentials, candidates: [ICECandidate], fingerprints: [CertificateFingerprint],
        sessionID: UInt64
    ) {
        self.use = use
        self.credentials = credentials
        self.candidates = candidates
        self.fingerprints = fingerprints
        self.sessionID = sessionID & 0x7FFF_FFFF_FFFF_FFFF  // RFC 8829 section 5.2.1: 63 bits
    }

    /// - Throws: ``OfferRefusal``.
    public func answer(_ offer: SessionDescription) throws(OfferRefusal) -> SessionDescription {
        guard let tagged = offer.taggedSection else { throw .nothingOffered }
        let setup = try setup(tagged)
        guard tagged.credentials != nil else { throw .noCredentials }
        guard tagged.fingerprints.contains(where: { CertificateFingerprint.length(of: $0.hash) != nil }) else {
            throw .noFingerprint
        }
        try checkBundle(offer)
        try checkStreams(offer)
        var tracks: [OutgoingTrack] = []
        if case .send(let all) = use { tracks = all }
        var counts: [MediaSection.Kind: Int] = [:]
        var answer = SessionDescription(sessionID: sessionID)
        answer.isICELite = true
        for offered in offer.sections {
            var section = try self.section(offered, &tracks)
            if !section.isRejected {
                counts[section.kind, default: 0] += 1
                if let allowed = sectionsPerKind, counts[section.kind, default: 0] > allowed {
                    throw .tooMany(kind: section.kind.name, allowed: allowed)
                }
                section.setup = setup
                addTransport(&section, isFirst: !answer.sections.contains { !$0.isRejected })
            }
            answer.sections.append(section)
        }
        let mids = answer.sections.filter { !$0.isRejected }.compactMap(\.mid)
        guard answer.sections.contains(where: { !$0.isRejected }) else { throw .nothingOffered }
        if !offer.bundles.isEmpty { answer.bundles = [mids] }
        return answer
    }

    /// RFC 8842 section 5.3. Deviation from RFC 8829 section 5.3.1, which prefers active: WHIP clients expect passive.
    private func setup(_ tagged: MediaSection) throws(OfferRefusal) -> Setup {
        switch tagged.setup ?? .actpass {
        case .actpass, .active: return .passive
        case .passive where mayBeActive: return .active
        case .passive: throw .setup(.passive)
        case .holdconn: throw .setup(.holdconn)
        }
    }

    /// One transport for all sections, and RTCP on it.
    private func checkBundle(_ offer: SessionDescription) throws(OfferRefusal) {
        let active = offer.sections.filter { !$0.isRejected }
        let bundle = Set(offer.bundles.first ?? [])
        for section in active {
            if active.count > 1 || !bundle.isEmpty {
                guard let mid = section.mid, bundle.contains(mid) else { throw .notBundled(mid: name(section)) }
            }
            guard section.rtcpMux || !section.isRTP else { throw .noRTCPMux(mid: name(section)) }
        }
    }

    private func checkStreams(_ offer: SessionDescription) throws(OfferRefusal) {
        guard requiresOneStream, use == .receive else { return }
        let streams = Set(offer.sections.filter { !$0.isRejected }.flatMap(\.streams).map(\.stream))
        guard streams.count <= 1 else { throw .severalStreams }
    }

    private func name(_ section: MediaSection) -> String { section.mid ?? section.kind.name }

    /// The answer to one section, without its transport.
    private func section(
        _ offered: MediaSection, _ tracks: inout [OutgoingTrack]
    ) throws(OfferRefusal) -> MediaSection {
        var answer = MediaSection(offered.kind, transportProtocol: offered.transportProtocol)
        answer.mid = offered.mid
        answer.payloads = codecs.accept(offered, receiving: use == .receive)
        let hasCodec = answer.payloads.contains { !$0.isNamed("rtx") && !$0.isNamed("red") }
        let isUsable = hasCodec && offered.transportProtocol == MediaSection.rtpProtocol
        guard !offered.isRejected, isUsable else {
            if !offered.isRejected, refusesUnusable { throw .unusable(mid: name(offered)) }
            return rejected(offered)
        }
        answer.direction = try direction(offered, tracks)
        answer.rtcpMux = true
        answer.rtcpMuxOnly = true
        answer.rtcpReducedSize = offered.rtcpReducedSize
        answer.allowsMixedExtensions = offered.allowsMixedExtensions
        answer.extensions = extensions(offered)
        switch use {
        case .receive: addLayers(&answer, offered)
        case .send:
            guard answer.direction == .sendonly, let index = tracks.firstIndex(where: { $0.kind == offered.kind })
            else {
                break
            }
            addTrack(&answer, tracks.remove(at: index))
        }
        return answer
    }

    /// RFC 8829 section 5.3.1: port 0, the offer's formats, and no place in the bundle.
    private func rejected(_ offered: MediaSection) -> MediaSection {
        var answer = MediaSection(offered.kind, port: 0, transportProtocol: offered.transportProtocol)
        answer.mid = offered.mid
        answer.payloads = offered.payloads
        answer.formats = offered.formats
        answer.direction = .inactive
        return answer
    }

    private func direction(
        _ offered: MediaSection, _ tracks: [OutgoingTrack]
    ) throws(OfferRefusal) -> Direction {
        let isWanted = use == .receive ? offered.direction.sends : offered.direction.receives
        guard isWanted else { throw .wrongDirection(mid: name(offered), offered.direction) }
        if use == .receive { return .recvonly }
        return tracks.contains { $0.kind == offered.kind } ? .sendonly : .inactive
    }

    /// Those that are understood and flow our way, with the offer's ids (RFC 8285 section 7).
    private func extensions(_ offered: MediaSection) -> [HeaderExtension] {
        let unwanted: Direction = use == .receive ? .recvonly : .sendonly
        let largest = offered.allowsMixedExtensions ? 255 : 14
        return offered.extensions.compactMap { item in
            // 15 is the id that ends a header of one byte (section 4.2).
            guard extensions.contains(item.uri), item.direction != unwanted, item.direction != .inactive,
                item.id <= largest, item.id != 15
            else { return nil }
            return HeaderExtension(id: item.id, direction: item.direction?.reversed, uri: item.uri)
        }
    }

    /// The sent rids, received (RFC 8853 section 5.3.2); one that no accepted codec has is left out.
    private func addLayers(_ answer: inout MediaSection, _ offered: MediaSection) {
        let accepted = Set(answer.payloads.map(\.payloadType))
        answer.rids = offered.rids.filter(\.isSent).compactMap { rid in
            let types = rid.payloadTypes.filter { accepted.contains($0) }
            guard rid.payloadTypes.isEmpty || !types.isEmpty else { return nil }
            return RestrictionIdentifier(
                rid.id, isSent: false, payloadTypes: types, restrictions: rid.restrictions)
        }
        let known = Set(answer.rids.map(\.id))
        let streams = (offered.simulcast?.send ?? []).map { stream in
            stream.filter { known.contains($0.rid) }.map { Simulcast.Alternative($0.rid) }
        }
        let received = streams.filter { !$0.isEmpty }
        if !received.isEmpty { answer.simulcast = Simulcast(receive: received) }
    }

    private func addTrack(_ answer: inout MediaSection, _ track: OutgoingTrack) {
        answer.streams = [track.stream]
        answer.sources = [SourceDescription(track.ssrc, cname: track.cname)]
        guard let ssrc = track.retransmissionSSRC, answer.payloads.contains(where: { $0.isNamed("rtx") }) else {
            return
        }
        answer.sources.append(SourceDescription(ssrc, cname: track.cname))
        answer.sourceGroups = [SourceGroup("FID", [track.ssrc, ssrc])]
    }

    /// Deviation from RFC 9143 section 7.1.3: each section repeats credentials, fingerprints and setup, as browsers do and
    /// as older peers need. Candidates stand in the first alone.
    private func addTransport(_ section: inout MediaSection, isFirst: Bool) {
        section.credentials = credentials
        section.iceOptions = ["trickle", "ice2"]
        section.fingerprints = fingerprints
        let first = candidates.first { $0.transport == .udp && $0.address != nil }
        if let address = first?.address {
            section.port = address.port
            section.connection = "IN \(address.ip.isV4 ? "IP4" : "IP6") \(address.ip)"
        }
        guard isFirst else { return }
        section.candidates = candidates
        section.endOfCandidates = true
    }
}

extension HeaderExtension {
    public static let mid = "urn:ietf:params:rtp-hdrext:sdes:mid"
    public static let rtpStreamID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
    public static let repairedRTPStreamID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
    public static let absoluteSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    public static let transportSequenceNumber =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
    public static let audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
    public static let videoOrientation = "urn:3gpp:video-orientation"
    public static let playoutDelay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    public static let dependencyDescriptor =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

    /// What the forwarding core reads or passes on.
    public static let understood = [
        mid, rtpStreamID, repairedRTPStreamID, absoluteSendTime, transportSequenceNumber, audioLevel, videoOrientation,
        playoutDelay,
    ]
}
