/// Which way media flows, from the side that says it (RFC 8866 section 6.7).
public enum Direction: String, Sendable {
    case sendrecv, sendonly, recvonly, inactive

    public var sends: Bool { self == .sendrecv || self == .sendonly }
    public var receives: Bool { self == .sendrecv || self == .recvonly }
    /// The same from the other side.
    public var reversed: Direction {
        switch self {
        case .sendonly: .recvonly
        case .recvonly: .sendonly
        case .sendrecv, .inactive: self
        }
    }
}

/// Who begins DTLS (RFC 8842 section 5).
public enum Setup: String, Sendable {
    case actpass, active, passive, holdconn
}

/// A header extension and its id (RFC 8285 section 8).
public struct HeaderExtension: Equatable, Sendable {
    /// 1 to 255, or 4096 to 4351 for one that is offered beyond what fits.
    public var id: Int
    public var direction: Direction?
    public var uri: String

    public init(id: Int, direction: Direction? = nil, uri: String) {
        self.id = id
        self.direction = direction
        self.uri = uri
    }

    /// `3/recvonly urn:…`; attributes of the extension are left out.
    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard words.count >= 2, words[1].utf8.count <= 255 else {
            throw line.malformed("an extmap has an id and a URI")
        }
        let head = words[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        id = try line.number(head[0], in: 1...4351, "the id of an extension")
        guard id < 256 || id >= 4096 else { throw line.malformed("the id of an extension is out of range") }
        if head.count == 2 {
            guard let direction = Direction(rawValue: String(head[1])) else {
                throw line.malformed("the direction of an extension is none")
            }
            self.direction = direction
        }
        uri = String(words[1])
    }

    var line: String { "a=extmap:\(id)\(direction.map { "/\($0.rawValue)" } ?? "") \(uri)" }
}

/// The hash of a certificate (RFC 8122 section 5).
public struct CertificateFingerprint: Hashable, Sendable {
    /// In lower case, as `sha-256`.
    public var hash: String
    public var bytes: [UInt8]

    public init(hash: String, bytes: [UInt8]) {
        self.hash = hash.lowercased()
        self.bytes = bytes
    }

    init(_ value: Substring, _ line: SDPLine) throws(SDPError) {
        let words = value.words
        guard words.count == 2 else { throw line.malformed("a fingerprint has a hash and bytes") }
        hash = try line.token(words[0], limit: 16, "the hash of a fingerprint").lowercased()
        let parts = words[1].split(separator: ":", omittingEmptySubsequences: false)
        guard 1...64 ~= parts.count else { throw line.malformed("a fingerprint has 1 to 64 bytes") }
        bytes = []
        for part in parts {
            let digits = part.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x41...0x46 ~= $0 || 0x61...0x66 ~= $0 }
            guard part.utf8.count == 2, digits, let byte = UInt8(part, radix: 16) else {
                throw line.malformed("a byte of the fingerprint is no two digits")
            }
            bytes.append(byte)
        }
        guard Self.length(of: hash) ?? bytes.count == bytes.count else {
            throw line.malformed("the fingerprint has another length than its hash")
        }
    }

    /// Bytes of the hashes that are known here.
    public static func length(of hash: String) -> Int? {
        switch hash {
        case "sha-256": 32
        case "sha-384": 48
        case "sha-512": 64
        default: nil
        }
    }

    var line: String {
        let text = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        return "a=fingerprint:\(hash) \(text.joined(separator: ":"))"
    }
}
