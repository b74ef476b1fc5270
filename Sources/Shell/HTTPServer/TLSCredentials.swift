import CGnuTLS
import Synchronization
import TLS

/// A certificate and its key as GnuTLS, which stands beneath libmicrohttpd, wants them. It is lent to each handshake.
@safe
final class TLSCredentials: @unchecked Sendable {  // unchecked: written once, then only read by libmicrohttpd's thread
    /// TLS 1.2 and 1.3, forward secrecy and authenticated encryption only, as ``TLSServerContext`` has it for RTMPS.
    static let priorities =
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:-AES-128-CCM:-AES-256-CCM:%SERVER_PRECEDENCE"
    private static let longestChain = 16

    private let certificates: UnsafeMutablePointer<gnutls_pcert_st>
    private let count: UInt32
    private let key: gnutls_privkey_t

    init(_ identity: TLSIdentity) throws(HTTPServerError) {
        unsafe certificates = .allocate(capacity: Self.longestChain)
        var count = UInt32(Self.longestChain)
        let certificates = unsafe certificates
        let read = unsafe Self.withDatum(identity.chain) {
            unsafe gnutls_pcert_list_import_x509_raw(certificates, &count, $0, GNUTLS_X509_FMT_PEM, 0)
        }
        var key: gnutls_privkey_t?
        guard read == 0, unsafe gnutls_privkey_init(&key) == 0, let key = unsafe key else {
            unsafe certificates.deallocate()
            throw .badCertificate(reason: Self.words(read))
        }
        self.count = count
        unsafe self.key = unsafe key
        let code = unsafe Self.withDatum(identity.privateKey) {
            unsafe gnutls_privkey_import_x509_raw(key, $0, GNUTLS_X509_FMT_PEM, nil, 0)
        }
        guard code == 0 else { throw .badCertificate(reason: Self.words(code)) }
    }

    deinit {
        for index in 0..<Int(count) { unsafe gnutls_pcert_deinit(certificates + index) }
        unsafe certificates.deallocate()
        unsafe gnutls_privkey_deinit(key)
    }

    /// Lends them to a handshake; they must outlive it.
    func lend(
        _ chain: UnsafeMutablePointer<UnsafeMutablePointer<gnutls_pcert_st>?>, _ length: UnsafeMutablePointer<UInt32>,
        _ key: UnsafeMutablePointer<gnutls_privkey_t?>
    ) {
        unsafe chain.pointee = unsafe certificates
        unsafe length.pointee = count
        unsafe key.pointee = unsafe self.key
    }

    private static func withDatum(_ bytes: [UInt8], _ body: (UnsafePointer<gnutls_datum_t>) -> Int32) -> Int32 {
        var bytes = bytes
        return unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            var datum = unsafe gnutls_datum_t(data: buffer.baseAddress, size: UInt32(clamping: buffer.count))
            return unsafe body(&datum)
        }
    }

    private static func words(_ code: Int32) -> String {
        guard let text = unsafe gnutls_strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// Which certificate the connection on a socket shakes hands with. GnuTLS asks by a function without a context, and a
/// socket is all that it knows.
enum TLSConnections {
    private static let table = Mutex<[Int32: TLSCredentials]>([:])

    static func begin(_ descriptor: Int32, with credentials: TLSCredentials) {
        table.withLock { $0[descriptor] = credentials }
    }

    static func end(_ descriptor: Int32) { _ = table.withLock { $0.removeValue(forKey: descriptor) } }

    static func credentials(of descriptor: Int32) -> TLSCredentials? { table.withLock { $0[descriptor] } }

    /// For `MHD_OPTION_HTTPS_CERT_CALLBACK`.
    static let retrieve:
        @convention(c) (
            gnutls_session_t?, UnsafePointer<gnutls_datum_t>?, Int32, UnsafePointer<gnutls_pk_algorithm_t>?, Int32,
            UnsafeMutablePointer<UnsafeMutablePointer<gnutls_pcert_st>?>?, UnsafeMutablePointer<UInt32>?,
            UnsafeMutablePointer<gnutls_privkey_t?>?
        ) -> Int32 = { session, _, _, _, _, chain, length, key in
            guard let session = unsafe session, let chain = unsafe chain, let length = unsafe length,
                let key = unsafe key,
                let found = TLSConnections.credentials(of: unsafe gnutls_transport_get_int(session))
            else { return -1 }
            unsafe found.lend(chain, length, key)
            return 0
        }
}
