public import STUN

/// A candidate, and its attribute in SDP (RFC 8445 section 5.1, RFC 8839 section 5.1, RFC 6544 section 4.5).
public struct ICECandidate: Hashable, Sendable {
    public enum Transport: Hashable, Sendable {
        case udp
        /// The one kind of ICE-TCP that a server on a public address offers, and the kinds that peers have.
        case tcp(TCPType)
        /// A transport that is not known here: such a candidate is skipped.
        case other(String)
    }

    public enum TCPType: String, Hashable, Sendable {
        case active, passive
        case simultaneousOpen = "so"
    }

    public enum Kind: Hashable, Sendable {
        case host, serverReflexive, peerReflexive, relayed
        case other(String)
    }

    public enum Host: Hashable, Sendable {
        case address(IPAddress)
        /// A name: of a browser that hides its addresses (`.local`), or to be looked up. Never looked up here.
        case name(String)
    }

    public struct Extension: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Longer text is no candidate.
    public static let maximumByteCount = 1024

    /// 1 to 32 ice-chars: equal for candidates of one kind, base and server.
    public var foundation: String
    /// 1 for RTP, and for all where RTCP is multiplexed.
    public var component: Int
    public var transport: Transport
    public var priority: UInt32
    public var host: Host
    public var port: UInt16
    public var kind: Kind
    /// `raddr` and `rport`, as they came.
    public var relatedAddress: String?
    public var relatedPort: UInt16?
    /// What follows, in its order: `generation`, `ufrag`, `network-cost` and others.
    public var extensions: [Extension]

    /// A host candidate of a server: all that one on a public address has.
    /// - Parameter localPreference: orders candidates of one transport, higher is better.
    public init(host address: TransportAddress, transport: Transport, localPreference: UInt16) {
        let isUDP = transport == .udp
        foundation = (isUDP ? "u" : "t") + (address.ip.isV4 ? "4" : "6")
        component = 1
        self.transport = transport
        // RFC 6544 section 4.2: TCP stands behind UDP, by the direction's share of the local preference.
        priority = Self.priority(typePreference: isUDP ? 126 : 90, localPreference: localPreference, component: 1)
        host = .address(address.ip)
        port = address.port
        kind = .host
        relatedAddress = nil
        relatedPort = nil
        extensions = []
    }

    /// The formula of RFC 8445 section 5.1.2.1.
    public static func priority(typePreference: UInt32, localPreference: UInt16, component: UInt32) -> UInt32 {
        min(typePreference, 126) << 24 | UInt32(localPreference) << 8 | (256 - min(max(component, 1), 256)) & 0xFF
    }

    /// Its address, if it is one and not a name.
    public var address: TransportAddress? {
        if case .address(let ip) = host { TransportAddress(ip, port: port) } else { nil }
    }
}

extension ICECandidate {
    /// Reads the text after `a=`, as `candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host`.
    /// - Returns: `nil` for a text that is no candidate: skip it. An unknown transport or type is one.
    public init?(_ text: String) {
        guard text.utf8.count <= Self.maximumByteCount, text.hasPrefix("candidate:") else { return nil }
        let words = text.dropFirst(10).split(separator: " ").map(String.init)
        guard words.count >= 8, 1...32 ~= words[0].utf8.count, words[0].utf8.allSatisfy(Self.isICECharacter),
            let component = Self.number(words[1]), 1...256 ~= component,
            let priority = Self.number(words[3]).flatMap({ UInt32(exactly: $0) }),
            let port = Self.number(words[5]).flatMap({ UInt16(exactly: $0) }), words[6].lowercased() == "typ"
        else { return nil }
        foundation = words[0]
        self.component = component
        self.priority = priority
        host = IPAddress(words[4]).map { .address($0) } ?? .name(words[4])
        self.port = port
        kind = Kind(words[7])
        var rest: [Extension] = []
        for index in stride(from: 8, to: words.count - 1, by: 2) {
            rest.append(Extension(words[index], words[index + 1]))
        }
        relatedAddress = Self.take("raddr", from: &rest)
        relatedPort = Self.take("rport", from: &rest).flatMap(Self.number).flatMap { UInt16(exactly: $0) }
        switch words[2].lowercased() {
        case "udp": transport = .udp
        case "tcp":
            guard let type = Self.take("tcptype", from: &rest).flatMap({ TCPType(rawValue: $0.lowercased()) }) else {
                return nil
            }
            transport = .tcp(type)
        default: transport = .other(words[2])
        }
        extensions = rest
    }

    /// The text after `a=`.
    public var text: String {
        let address =
            switch host {
            case .address(let ip): ip.description
            case .name(let name): name
            }
        var words = ["candidate:\(foundation)", "\(component)", transport.name, "\(priority)", address, "\(port)"]
        words += ["typ", kind.name]
        if let relatedAddress { words += ["raddr", relatedAddress] }
        if let relatedPort { words += ["rport", "\(relatedPort)"] }
        if case .tcp(let type) = transport { words += ["tcptype", type.rawValue] }
        for item in extensions { words += [item.name, item.value] }
        return words.joined(separator: " ")
    }

    private static func take(_ name: String, from extensions: inout [Extension]) -> String? {
        guard let index = extensions.firstIndex(where: { $0.name == name }) else { return nil }
        return extensions.remove(at: index).value
    }

    /// Digits only, at most ten.
    private static func number(_ text: String) -> Int? {
        guard 1...10 ~= text.utf8.count, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int(text)
    }

    private static func isICECharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        // Deviation: GStreamer's older agents put more into a foundation.
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}

extension ICECandidate.Transport {
    fileprivate var name: String {
        switch self {
        case .udp: "udp"
        case .tcp: "tcp"
        case .other(let name): name
        }
    }
}

extension ICECandidate.Kind {
    fileprivate init(_ name: String) {
        switch name.lowercased() {
        case "host": self = .host
        case "srflx": self = .serverReflexive
        case "prflx": self = .peerReflexive
        case "relay": self = .relayed
        default: self = .other(name)
        }
    }

    fileprivate var name: String {
        switch self {
        case .host: "host"
        case .serverReflexive: "srflx"
        case .peerReflexive: "prflx"
        case .relayed: "relay"
        case .other(let name): name
        }
    }
}
