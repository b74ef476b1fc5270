import Bytes
import CSSL

/// A server's certificate chain and private key, read, checked, and brought into one form. Prints no key.
public struct TLSIdentity: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// PEM, the server's own certificate first.
    public let chain: [UInt8]
    /// PEM of PKCS #8 (RFC 5958), without a password.
    public let privateKey: [UInt8]
    /// When the server's certificate ends, in seconds since 1970.
    public let expiresAt: Int64

    /// Reads PEM texts (RFC 7468); each may hold what belongs to the other, as one file for both.
    /// - Parameter now: seconds since 1970.
    /// - Throws: ``TLSIdentityError``
    public init(certificate: [UInt8], key: [UInt8], at now: Int64) throws(TLSIdentityError) {
        let read = try Parts(certificate: certificate, key: key)
        expiresAt = try read.checkTimes(at: now)
        chain = try read.chainPEM()
        privateKey = try read.keyPEM()
        _ = try TLSServerContext(self)  // what OpenSSL would refuse at the first connection, it refuses now
    }

    public var description: String { "TLSIdentity(***)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The parsed objects, until they are written out.
@safe
private final class Parts {
    private let key: OpaquePointer
    private let certificates: [OpaquePointer]

    init(certificate: [UInt8], key: [UInt8]) throws(TLSIdentityError) {
        unsafe certificates = unsafe PEM.certificates(in: certificate)
        guard let leaf = unsafe certificates.first else { throw .noCertificate }
        guard let parsed = unsafe PEM.privateKey(in: key) else {
            unsafe certificates.forEach { unsafe X509_free($0) }
            throw PEM.isEncrypted(key) ? .encryptedKey : .noKey
        }
        unsafe self.key = unsafe parsed
        guard unsafe X509_check_private_key(leaf, parsed) == 1 else { throw .mismatch }
    }

    deinit {
        unsafe certificates.forEach { unsafe X509_free($0) }
        unsafe EVP_PKEY_free(key)
    }

    /// - Returns: the end of the certificate's time.
    func checkTimes(at now: Int64) throws(TLSIdentityError) -> Int64 {
        guard let leaf = unsafe certificates.first, let from = unsafe seconds(X509_get0_notBefore(leaf)),
            let until = unsafe seconds(X509_get0_notAfter(leaf))
        else { throw .unusable(reason: "its times cannot be read") }
        guard from <= now else { throw .notYetValid(from: from, now: now) }
        guard now < until else { throw .expired(at: until, now: now) }
        return until
    }

    /// Seconds since 1970.
    private func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        guard let time = unsafe time, let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
        defer { unsafe ASN1_TIME_free(epoch) }
        var (days, seconds) = (Int32(0), Int32(0))
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    func chainPEM() throws(TLSIdentityError) -> [UInt8] {
        try unsafe PEM.written { bio in
            unsafe certificates.allSatisfy { unsafe PEM_write_bio_X509(bio, $0) == 1 }
        }
    }

    func keyPEM() throws(TLSIdentityError) -> [UInt8] {
        try unsafe PEM.written { bio in unsafe PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 }
    }
}
