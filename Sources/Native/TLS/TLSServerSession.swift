import Bytes
import CSSL

/// Why a connection's TLS ended. *End this session.*
public struct TLSFailure: Error, Equatable, Sendable {
    /// In OpenSSL's words, as `unsupported protocol`.
    public let reason: String

    /// The oldest error that stands on this thread, in words; all are taken away.
    static func reason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown" }
        return unsafe String(cString: text)
    }
}

/// The server's side of one TLS connection, without I/O: records from the peer go in, records for it come out.
///
/// After ``receive(_:)`` call ``read(into:)`` until it gives no bytes, then send what ``takeOutput(into:)`` has.
@safe
public final class TLSServerSession {  // a class, for its owner holds it as an optional and lends it to closures
    public enum ReadResult: Equatable, Sendable {
        /// So many bytes stand at the start of the buffer.
        case bytes(Int)
        /// Nothing until more comes.
        case wait
        /// The peer said that it sends no more (close_notify, RFC 8446 section 6.1).
        case closed
    }

    private let context: TLSServerContext
    private let tls: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Throws: ``TLSFailure`` without memory.
    public init(_ context: TLSServerContext) throws(TLSFailure) {
        guard let tls = unsafe SSL_new(context.pointer) else { throw TLSFailure(reason: TLSFailure.reason()) }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(tls)
            throw TLSFailure(reason: "no memory")
        }
        unsafe SSL_set_bio(tls, incoming, outgoing)  // which frees them with `tls`
        unsafe SSL_set_accept_state(tls)
        self.context = context
        unsafe self.tls = unsafe tls
        unsafe self.incoming = unsafe incoming
        unsafe self.outgoing = unsafe outgoing
    }

    deinit { unsafe SSL_free(tls) }

    /// Whether the handshake is done.
    public var isEstablished: Bool { unsafe SSL_is_init_finished(tls) == 1 }

    /// Takes bytes from the connection, cut anywhere.
    public func receive(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { buffer in
            _ = unsafe BIO_write(incoming, buffer.baseAddress, Int32(clamping: buffer.count))
        }
    }

    /// Moves the handshake on, and gives what the peer sent within it.
    /// - Throws: ``TLSFailure``: send what ``takeOutput(into:)`` has (an alert), and close.
    public func read(into buffer: inout [UInt8]) throws(TLSFailure) -> ReadResult {
        ERR_clear_error()
        let count = unsafe SSL_read(tls, &buffer, Int32(clamping: buffer.count))
        guard count <= 0 else { return .bytes(Int(count)) }
        switch unsafe SSL_get_error(tls, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wait
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: throw TLSFailure(reason: TLSFailure.reason())
        }
    }

    /// Encrypts `bytes` for the peer. Before the handshake is done nothing may be written.
    public func write(_ bytes: [UInt8]) throws(TLSFailure) {
        guard !bytes.isEmpty else { return }
        ERR_clear_error()
        let count = unsafe SSL_write(tls, bytes, Int32(clamping: bytes.count))
        guard count == Int32(clamping: bytes.count) else { throw TLSFailure(reason: TLSFailure.reason()) }
    }

    /// Says that nothing more is sent.
    public func close() {
        guard isEstablished else { return }
        unsafe SSL_shutdown(tls)
        ERR_clear_error()
    }

    /// Appends what is to be sent to the peer.
    public func takeOutput(into output: inout [UInt8]) {
        let pending = unsafe BIO_ctrl_pending(outgoing)
        guard pending > 0 else { return }
        var bytes = [UInt8](repeating: 0, count: pending)
        let count = unsafe BIO_read(outgoing, &bytes, Int32(clamping: pending))
        output.append(contentsOf: bytes.prefix(Int(max(0, count))))
    }
}
