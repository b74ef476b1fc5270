import CSSL
import Spec
import TLS
import Testing

private func identity(
    _ certificate: String = TLSSamples.certificate, _ key: String = TLSSamples.key, at now: Int64 = TLSSamples.now
) throws(TLSIdentityError) -> TLSIdentity {
    try TLSIdentity(certificate: Array(certificate.utf8), key: Array(key.utf8), at: now)
}

@Suite("TLS identity", .rfc(7468, "5"))
struct TLSIdentityTests {
    @Test("reads certificate and key in any order, and writes both in one form")
    func reads() throws {
        let plain = try identity()
        #expect(plain.expiresAt == 4_948_872_373)
        #expect(String(decoding: plain.privateKey, as: UTF8.self).hasPrefix("-----BEGIN PRIVATE KEY-----"))
        let both = TLSSamples.key + "\n" + TLSSamples.certificate
        #expect(try identity(both, both) == plain)
        let chain = try identity(TLSSamples.certificate + "\n" + TLSSamples.certificate)
        #expect(String(decoding: chain.chain, as: UTF8.self).split(separator: "BEGIN CERTIFICATE").count == 3)
    }

    static let refused: [(certificate: String, key: String, now: Int64, error: TLSIdentityError)] = [
        ("", TLSSamples.key, TLSSamples.now, .noCertificate), ("text", TLSSamples.key, TLSSamples.now, .noCertificate),
        (TLSSamples.certificate, "", TLSSamples.now, .noKey),
        (TLSSamples.certificate, TLSSamples.certificate, TLSSamples.now, .noKey),
        (TLSSamples.certificate, TLSSamples.encryptedKey, TLSSamples.now, .encryptedKey),
        (TLSSamples.certificate, TLSSamples.otherKey, TLSSamples.now, .mismatch),
        (TLSSamples.weakCertificate, TLSSamples.key, TLSSamples.now, .mismatch),
        (TLSSamples.weakCertificate, TLSSamples.weakKey, TLSSamples.now, .unusable(reason: "ee key too small")),
        (
            TLSSamples.certificate, TLSSamples.key, 1_700_000_000,
            .notYetValid(from: 1_795_272_373, now: 1_700_000_000)
        ),
        (TLSSamples.certificate, TLSSamples.key, 5_000_000_000, .expired(at: 4_948_872_373, now: 5_000_000_000)),
    ]

    @Test("says what is wrong with a certificate or its key", arguments: refused)
    func refusals(certificate: String, key: String, now: Int64, error: TLSIdentityError) {
        #expect(throws: error) { try identity(certificate, key, at: now) }
        #expect(!error.remedy.isEmpty)
    }

    @Test("never traps on a text that is cut anywhere, and never takes it")
    func truncation() {
        for length in stride(from: 0, to: TLSSamples.certificate.count - 30, by: 7) {
            #expect(throws: TLSIdentityError.self) { try identity(String(TLSSamples.certificate.prefix(length))) }
        }
    }

    @Test("prints no key")
    func masked() throws {
        let identity = try identity()
        let secret = String(decoding: identity.privateKey, as: UTF8.self).split(separator: "\n")[1]
        #expect("\(identity)" == "TLSIdentity(***)")
        var dumped = ""
        dump(identity, to: &dumped)
        #expect(!dumped.contains(secret) && !"\(Optional(identity) as Any)".contains(secret))
    }
}

@Suite("TLS session", .rfc(8446, "4"))
struct TLSSessionTests {
    static let versions: [Int32] = [TLS1_2_VERSION, TLS1_3_VERSION]

    @Test("carries bytes both ways, cut anywhere", arguments: versions)
    func carries(version: Int32) throws {
        let server = try TLSServerSession(try TLSServerContext(try identity()))
        let client = try Client(version: version)
        #expect(try client.converse(with: server, piece: 1))
        #expect(server.isEstablished)
        client.write("hello")
        #expect(try client.converse(with: server, piece: 3))
        #expect(client.received(by: server) == "hello")
        try server.write(Array("world".utf8))
        #expect(try client.converse(with: server, piece: 2))
        #expect(client.read() == "world")
        server.close()
        #expect(try client.converse(with: server, piece: 100))
        #expect(client.isClosed)
    }

    @Test("refuses TLS 1.1 with an alert", .rfc(8996, "5"))
    func old() throws {
        let server = try TLSServerSession(try TLSServerContext(try identity()))
        let client = try Client(version: TLS1_1_VERSION)
        let failure = #expect(throws: TLSFailure.self) { try client.converse(with: server, piece: 100) }
        #expect(failure?.reason == "unsupported protocol")
        var alert: [UInt8] = []
        server.takeOutput(into: &alert)
        #expect(alert.prefix(1) == [21] && alert.last == 70)  // protocol_version
    }

    @Test("a connection keeps the certificate that it began with")
    func exchange() throws {
        let old = try TLSServerSession(try TLSServerContext(try identity()))
        #expect(try Client(version: TLS1_3_VERSION).converse(with: old, piece: 50))
        #expect(old.isEstablished)  // its context is gone from everywhere else
    }

    @Test(
        "garbage ends the session and never traps",
        arguments: [[0x47, 0x45, 0x54, 0x20], [3], [22, 3, 1, 0xFF, 0xFF]])
    func garbage(start: [UInt8]) throws {
        let server = try TLSServerSession(try TLSServerContext(try identity()))
        let bytes = start + (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        server.receive(bytes.span)
        var buffer = [UInt8](repeating: 0, count: 100)
        #expect(throws: TLSFailure.self) { try server.read(into: &buffer) }
        #expect(throws: TLSFailure.self) { try server.write([1]) }
    }
}

/// The other side, by OpenSSL too.
@safe
private final class Client {
    private let context: OpaquePointer
    private let tls: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private var plaintext: [UInt8] = []
    private var atServer: [UInt8] = []
    private(set) var isClosed = false

    init(version: Int32) throws {
        unsafe context = try unsafe #require(unsafe SSL_CTX_new(TLS_client_method()))
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        unsafe SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0")
        unsafe tls = try unsafe #require(unsafe SSL_new(context))
        unsafe incoming = try unsafe #require(unsafe BIO_new(BIO_s_mem()))
        unsafe outgoing = try unsafe #require(unsafe BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(tls, incoming, outgoing)
        unsafe SSL_set_connect_state(tls)
    }

    deinit {
        unsafe SSL_free(tls)
        unsafe SSL_CTX_free(context)
    }

    func write(_ text: String) { unsafe SSL_write(tls, text, Int32(text.utf8.count)) }

    func read() -> String { String(decoding: plaintext, as: UTF8.self) }

    func received(by server: TLSServerSession) -> String { String(decoding: atServer, as: UTF8.self) }

    /// Carries bytes both ways, `piece` at a time, until nobody has any. True once the handshake is done.
    func converse(with server: TLSServerSession, piece: Int) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe SSL_read(tls, &buffer, Int32(buffer.count))
            if count > 0 { plaintext += buffer.prefix(Int(count)) }
            isClosed = unsafe count <= 0 && SSL_get_error(tls, count) == SSL_ERROR_ZERO_RETURN
            var moved = false
            var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(outgoing))
            if !bytes.isEmpty, unsafe BIO_read(outgoing, &bytes, Int32(bytes.count)) > 0 {
                moved = true
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    let part = Array(bytes[start..<min(bytes.count, start + piece)])
                    server.receive(part.span)
                    while case .bytes(let count) = try server.read(into: &buffer) { atServer += buffer.prefix(count) }
                }
            }
            var answer: [UInt8] = []
            server.takeOutput(into: &answer)
            if !answer.isEmpty {
                moved = true
                unsafe BIO_write(incoming, answer, Int32(answer.count))
            }
            if !moved { return unsafe SSL_is_init_finished(tls) == 1 }
        }
    }
}
