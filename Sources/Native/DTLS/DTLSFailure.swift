import CSSL

/// Why a handshake did not end well, or why what it made ended. *End this session.*
public enum DTLSFailure: Error, Equatable, Sendable {
    /// No handshake within ``DTLSSession/handshakeLimit``.
    case timedOut
    /// More bytes or datagrams than a handshake needs.
    case tooMuch
    /// The peer's certificate is not the one of its description: it is another (RFC 5763 section 5).
    case fingerprintMismatch
    /// The peer agrees to no protection profile of ours (RFC 5764 section 4.1.1).
    case noCommonProfile
    /// In OpenSSL's words, as `no shared cipher`.
    case protocolError(reason: String)
    /// OpenSSL could not do what never fails on a healthy machine.
    case libraryFailure(function: String)

    /// The oldest error that stands on this thread, in words; all are taken away.
    static func reason() -> String {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown" }
        return unsafe String(cString: text)
    }
}
