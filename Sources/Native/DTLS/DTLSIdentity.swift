import CSSL

/// A key and a certificate that it signed itself, made at start and told by its fingerprint (RFC 8827 section 6.5), and what
/// all handshakes with it share: DTLS 1.2 only, forward secrecy and authenticated encryption only.
@safe
public final class DTLSIdentity: @unchecked Sendable {  // unchecked: an SSL_CTX is set up here and then only read
    public enum KeyType: Sendable {
        /// P-256: what every browser has.
        case ecdsa
        /// 2048 bits.
        case rsa
    }

    public let fingerprint: DTLSFingerprint
    let context: OpaquePointer

    /// Either kind of the peer's certificate (RFC 8827 section 6.5; GStreamer's is RSA), AEAD only.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
    private static let groups = "X25519:P-256:P-384"
    /// AEAD_AES_128_GCM is preferred (DESIGN section 6).
    private static let profiles = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
    /// SSL_OP_NO_RENEGOTIATION, NO_COMPRESSION, NO_TICKET, NO_QUERY_MTU: macros that Swift cannot see.
    private static let options: UInt64 = 1 << 30 | 1 << 17 | 1 << 14 | 1 << 12

    /// - Parameter now: seconds since 1970. The certificate is valid from a day before to a year after.
    /// - Throws: ``DTLSFailure/libraryFailure(function:)``: refuse to start.
    public init(_ type: KeyType = .ecdsa, at now: Int64) throws(DTLSFailure) {
        let certificate = try SelfSignedCertificate(type, at: now)
        guard let fingerprint = unsafe DTLSFingerprint(.sha256, certificate: certificate.certificate) else {
            throw .libraryFailure(function: "X509_digest")
        }
        guard let context = unsafe SSL_CTX_new(DTLS_method()) else { throw .libraryFailure(function: "SSL_CTX_new") }
        self.fingerprint = fingerprint
        unsafe self.context = unsafe context
        unsafe SSL_CTX_set_options(context, Self.options)
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        unsafe SSL_CTX_set_cert_verify_callback(context, { store, _ in unsafe DatagramChannel.verify(store) }, nil)
        let version = Int(DTLS1_2_VERSION)
        var groups = Self.groups.utf8CString.map { $0 }
        let isSet =
            unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, version, nil) == 1
            && SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, version, nil) == 1
            && SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, &groups) == 1
            && SSL_CTX_set_cipher_list(context, Self.ciphers) == 1
            && SSL_CTX_set_tlsext_use_srtp(context, Self.profiles) == 0
            && SSL_CTX_use_certificate(context, certificate.certificate) == 1
            && SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        guard isSet else { throw .libraryFailure(function: "SSL_CTX: " + DTLSFailure.reason()) }
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// A key and its certificate, until a context has its own references.
@safe
private final class SelfSignedCertificate {
    let key: OpaquePointer
    let certificate: OpaquePointer

    init(_ type: DTLSIdentity.KeyType, at now: Int64) throws(DTLSFailure) {
        guard let key = unsafe Self.makeKey(type) else { throw .libraryFailure(function: "EVP_PKEY_keygen") }
        guard let certificate = unsafe X509_new() else {
            unsafe EVP_PKEY_free(key)
            throw .libraryFailure(function: "X509_new")
        }
        unsafe self.key = unsafe key
        unsafe self.certificate = unsafe certificate
        guard fill(at: now) else { throw .libraryFailure(function: "X509_sign") }
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
    }

    private static func makeKey(_ type: DTLSIdentity.KeyType) -> OpaquePointer? {
        let kind = type == .ecdsa ? EVP_PKEY_EC : EVP_PKEY_RSA
        guard let context = unsafe EVP_PKEY_CTX_new_id(kind, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else { return nil }
        let isSet =
            type == .ecdsa
            ? unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)
            : unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
        var key: OpaquePointer?
        guard isSet == 1, unsafe EVP_PKEY_keygen(context, &key) == 1 else { return nil }
        return unsafe key
    }

    private func fill(at now: Int64) -> Bool {
        let day: Int64 = 86_400
        let name = unsafe X509_get_subject_name(certificate)
        let ascii: Int32 = 0x1001  // MBSTRING_ASC
        // The serial number is of the key's digest: as rare as the key.
        var digest = [UInt8](repeating: 0, count: 32)
        var count = UInt32(0)
        guard unsafe X509_set_pubkey(certificate, key) == 1,
            unsafe X509_pubkey_digest(certificate, EVP_sha256(), &digest, &count) == 1
        else { return false }
        let serial = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 1
        return unsafe X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(now - day)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(now + 365 * day)) != nil
            && X509_NAME_add_entry_by_txt(name, "CN", ascii, "WebRTC", -1, -1, 0) == 1
            && X509_set_issuer_name(certificate, name) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
    }
}
