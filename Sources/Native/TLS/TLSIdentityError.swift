/// Why a certificate and its key cannot serve. *Refuse to start*; on a reload keep the old ones.
public enum TLSIdentityError: Error, Equatable, Sendable {
    /// No certificate in PEM is in the file.
    case noCertificate
    /// No private key in PEM is in the file.
    case noKey
    case encryptedKey
    /// The key is not that of the first certificate.
    case mismatch
    /// Both in seconds since 1970.
    case expired(at: Int64, now: Int64)
    case notYetValid(from: Int64, now: Int64)
    /// OpenSSL takes neither: a key that is too short, an algorithm that is unknown.
    case unusable(reason: String)

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .noCertificate:
            "Give the certificate in PEM, the server's own first, then those that signed it (fullchain.pem)."
        case .noKey: "Give the private key in PEM (privkey.pem)."
        case .encryptedKey: "Take the password off: openssl pkey -in KEY -out PLAIN, and keep the file 0600."
        case .mismatch: "Give the key that the certificate was made with."
        case .expired: "Renew the certificate, or set the clock of this machine."
        case .notYetValid: "Set the clock of this machine, or wait."
        case .unusable: "Use a key of RSA with 2048 bits or more, or ECDSA P-256."
        }
    }
}
