public import ICE

/// One `m=` section (RFC 8866 section 5.14) with what of it WebRTC gives a meaning (RFC 8829 section 5.2.1).
///
/// ICE and DTLS attributes that stand before the first section are taken over by each section without its own.
public struct MediaSection: Equatable, Sendable {
    public enum Kind: Hashable, Sendable {
        case audio, video, application
        case other(String)
    }

    public static let rtpProtocol = "UDP/TLS/RTP/SAVPF"

    public var kind: Kind
    /// 0 in a section that is rejected, and in one that is `bundle-only` (RFC 9143 section 6).
    public var port: UInt16
    public var transportProtocol: String
    /// The address of `c=`, as `IN IP4 0.0.0.0`.
    public var connection = "IN IP4 0.0.0.0"
    public var mid: String?
    public var direction = Direction.sendrecv
    /// In the order of preference of `m=`; those without a name are left out.
    public var payloads: [PayloadFormat] = []
    /// What `m=` names if the protocol is not RTP.
    public var formats: [String] = []
    public var extensions: [HeaderExtension] = []
    /// `extmap-allow-mixed`: headers of one and of two bytes in one stream (RFC 8285 section 6).
    public var allowsMixedExtensions = false
    public var rids: [RestrictionIdentifier] = []
    public var simulcast: Simulcast?
    public var streams: [MediaStreamID] = []
    public var sources: [SourceDescription] = []
    public var sourceGroups: [SourceGroup] = []
    public var credentials: ICECredentials?
    public var iceOptions: [String] = []
    /// Those that could be read; others are skipped in silence (RFC 8839 section 5.1).
    public var candidates: [ICECandidate] = []
    public var endOfCandidates = false
    public var fingerprints: [CertificateFingerprint] = []
    public var setup: Setup?
    public var rtcpMux = false
    public var rtcpMuxOnly = false
    public var rtcpReducedSize = false
    public var bundleOnly = false

    public init(_ kind: Kind, port: UInt16 = 9, transportProtocol: String = rtpProtocol) {
        self.kind = kind
        self.port = port
        self.transportProtocol = transportProtocol
    }

    /// Whether the section carries RTP.
    public var isRTP: Bool { Self.isRTP(transportProtocol) }

    static func isRTP(_ transportProtocol: String) -> Bool { transportProtocol.contains("RTP/") }

    /// Whether its side does not want it: port 0, and not for being bundled only.
    public var isRejected: Bool { port == 0 && !bundleOnly }
}

extension MediaSection.Kind {
    init(_ name: some StringProtocol) {
        switch name {
        case "audio": self = .audio
        case "video": self = .video
        case "application": self = .application
        default: self = .other(String(name))
        }
    }

    public var name: String {
        switch self {
        case .audio: "audio"
        case .video: "video"
        case .application: "application"
        case .other(let name): name
        }
    }
}

extension MediaSection {
    /// The lines of the section, without their ends.
    var lines: [String] {
        let types = isRTP ? payloads.map { "\($0.payloadType)" } : formats
        // `m=` needs a format: 19 is a payload type that means nothing (RFC 3551 section 6).
        let named = types.isEmpty ? [isRTP ? "19" : "webrtc-datachannel"] : types
        var lines = ["m=\(kind.name) \(port) \(transportProtocol) \(named.joined(separator: " "))"]
        lines.append("c=\(connection)")
        if let mid { lines.append("a=mid:\(mid)") }
        lines += transportLines
        lines += extensions.map(\.line)
        if allowsMixedExtensions { lines.append("a=extmap-allow-mixed") }
        lines.append("a=\(direction.rawValue)")
        lines += streams.map(\.line)
        if rtcpMux { lines.append("a=rtcp-mux") }
        if rtcpMuxOnly { lines.append("a=rtcp-mux-only") }
        if rtcpReducedSize { lines.append("a=rtcp-rsize") }
        if bundleOnly { lines.append("a=bundle-only") }
        lines += payloads.flatMap(\.lines)
        lines += rids.map(\.line)
        if let simulcast { lines.append(simulcast.line) }
        lines += sourceGroups.map(\.line)
        lines += sources.map(\.line)
        return lines
    }

    private var transportLines: [String] {
        var lines: [String] = []
        if let credentials {
            lines += ["a=ice-ufrag:\(credentials.usernameFragment)", "a=ice-pwd:\(credentials.password)"]
        }
        if !iceOptions.isEmpty { lines.append("a=ice-options:\(iceOptions.joined(separator: " "))") }
        lines += fingerprints.map(\.line)
        if let setup { lines.append("a=setup:\(setup.rawValue)") }
        lines += candidates.map { "a=\($0.text)" }
        if endOfCandidates { lines.append("a=end-of-candidates") }
        return lines
    }
}
