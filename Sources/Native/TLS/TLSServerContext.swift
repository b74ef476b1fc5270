import CSSL

/// What all connections with one certificate share: TLS 1.2 and 1.3 (RFC 5246, RFC 8446), forward secrecy only.
@safe
public final class TLSServerContext: @unchecked Sendable {  // unchecked: an SSL_CTX is set up here and then only read
    let pointer: OpaquePointer

    /// Ciphers of TLS 1.2: ephemeral keys and authenticated encryption (RFC 9325 section 4.2). 1.3 has no others.
    private static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"

    /// - Throws: ``TLSIdentityError`` if OpenSSL does not take the certificate or the key.
    public init(_ identity: TLSIdentity) throws(TLSIdentityError) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { throw .unusable(reason: "no memory") }
        unsafe pointer = unsafe context
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        unsafe SSL_CTX_set_options(context, Self.options)
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(SSL_MODE_RELEASE_BUFFERS), nil)
        guard unsafe SSL_CTX_set_cipher_list(context, Self.ciphers) == 1 else {
            throw .unusable(reason: TLSFailure.reason())
        }
        try use(identity)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_COMPRESSION, SSL_OP_CIPHER_SERVER_PREFERENCE: macros that Swift cannot see.
    private static let options: UInt64 = 1 << 30 | 1 << 17 | 1 << 22

    private func use(_ identity: TLSIdentity) throws(TLSIdentityError) {
        let certificates = unsafe PEM.certificates(in: identity.chain)
        defer { unsafe certificates.forEach { unsafe X509_free($0) } }
        guard let key = unsafe PEM.privateKey(in: identity.privateKey), let leaf = unsafe certificates.first else {
            throw .noKey
        }
        defer { unsafe EVP_PKEY_free(key) }
        guard let others = unsafe OPENSSL_sk_new_null() else { throw .unusable(reason: "no memory") }
        defer { unsafe OPENSSL_sk_free(others) }
        unsafe certificates.dropFirst().forEach { unsafe OPENSSL_sk_push(others, UnsafeRawPointer($0)) }
        guard unsafe SSL_CTX_use_cert_and_key(pointer, leaf, key, others, 1) == 1 else {
            throw .unusable(reason: TLSFailure.reason())
        }
    }
}
