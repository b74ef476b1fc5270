import CSSL

/// The hash of a certificate, as a session description tells it (RFC 8122 section 5).
public struct DTLSFingerprint: Equatable, Sendable, CustomStringConvertible {
    /// In rising strength. Others, SHA-1 among them, are not believed.
    public enum HashFunction: String, CaseIterable, Sendable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        /// Bytes of a digest.
        var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    public let hashFunction: HashFunction
    public let digest: [UInt8]

    /// - Returns: `nil` if the digest has another length than the function makes.
    public init?(_ hashFunction: HashFunction, digest: [UInt8]) {
        guard digest.count == hashFunction.byteCount else { return nil }
        (self.hashFunction, self.digest) = (hashFunction, digest)
    }

    /// Reads the value of `a=fingerprint`, as `sha-256 4A:AD:…`; `nil` for another form or another function.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, let function = HashFunction(rawValue: words[0].lowercased()) else { return nil }
        let pairs = words[1].split(separator: ":", omittingEmptySubsequences: false)
        let bytes = pairs.compactMap { pair in
            pair.utf8.count == 2 && pair.allSatisfy(\.isHexDigit) ? UInt8(pair, radix: 16) : nil
        }
        guard bytes.count == pairs.count else { return nil }
        self.init(function, digest: bytes)
    }

    /// As in `a=fingerprint`.
    public var description: String {
        let pairs = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
        return hashFunction.rawValue + " " + pairs.joined(separator: ":")
    }

    /// Of a certificate.
    init?(_ hashFunction: HashFunction, certificate: OpaquePointer) {
        let kind =
            switch hashFunction {
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        var digest = [UInt8](repeating: 0, count: hashFunction.byteCount)
        var count = UInt32(digest.count)
        guard unsafe X509_digest(certificate, kind, &digest, &count) == 1, count == digest.count else { return nil }
        (self.hashFunction, self.digest) = (hashFunction, digest)
    }

    /// Whether the certificate is one of those that are told: by the strongest function that is, any of its values
    /// (RFC 8122 section 5).
    static func areMet(_ told: [DTLSFingerprint], by certificate: OpaquePointer) -> Bool {
        guard
            let strongest = HashFunction.allCases.last(where: { function in
                told.contains { $0.hashFunction == function }
            }),
            let own = unsafe DTLSFingerprint(strongest, certificate: certificate)
        else { return false }
        return told.contains(own)
    }
}
