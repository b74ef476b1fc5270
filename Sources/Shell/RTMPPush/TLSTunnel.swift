import CSSL
import Glibc
import Threads

/// TLS for a push, beneath librtmp: the library speaks plain RTMP into one end of a socket pair, and a thread carries it
/// over OpenSSL. librtmp's own TLS names no host and checks no certificate, and would give the stream key to anybody.
@safe
final class TLSTunnel: @unchecked Sendable {  // unchecked: handed whole to its one thread
    private static let bufferBytes = 32 << 10

    private let context: OpaquePointer
    private let tls: OpaquePointer
    private let descriptor: Int32
    private var plain: Int32 = -1
    private var outgoing = Pending(capacity: TLSTunnel.bufferBytes)
    private var incoming = Pending(capacity: TLSTunnel.bufferBytes)
    private var wantsWrite = false

    private struct Pending {
        var bytes: [UInt8]
        var range = 0..<0
        init(capacity: Int) { bytes = [UInt8](repeating: 0, count: capacity) }
    }

    private enum Step {
        case moved, blocked, ended
    }

    /// Shakes hands over `descriptor`, a connected and blocking TCP socket that is the tunnel's from here on.
    /// - Returns: the plain end, blocking, the caller's to close.
    static func open(over descriptor: Int32, host: String) throws(PushFailure) -> Int32 {
        let tunnel = try TLSTunnel(over: descriptor, host: host)
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0 else {
            throw .unreachable(host: host, reason: unsafe String(cString: strerror(errno)))
        }
        tunnel.plain = pair[1]
        for number in [pair[1], descriptor] { _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) }
        NamedThread.start("tls") { tunnel.run() }
        return pair[0]
    }

    private init(over descriptor: Int32, host: String) throws(PushFailure) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()), let tls = unsafe SSL_new(context) else {
            close(descriptor)
            throw .unreachable(host: host, reason: "no memory for TLS")
        }
        self.descriptor = descriptor
        unsafe self.context = context
        unsafe self.tls = tls
        unsafe SSL_ctrl(tls, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        guard unsafe SSL_CTX_set_default_verify_paths(context) == 1, unsafe SSL_set_fd(tls, descriptor) == 1 else {
            throw .unreachable(host: host, reason: "TLS could not be set up")
        }
        unsafe SSL_set_verify(tls, SSL_VERIFY_PEER, nil)
        unsafe SSL_ctrl(
            tls, SSL_CTRL_MODE, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER), nil)
        try name(host)
        guard unsafe SSL_connect(tls) == 1 else { throw .unreachable(host: host, reason: handshakeFailure) }
    }

    deinit {
        unsafe SSL_free(tls)
        unsafe SSL_CTX_free(context)
        close(descriptor)
        if plain >= 0 { close(plain) }
    }

    /// Whose certificate it must be; a host that is no address is named to the server too.
    private func name(_ host: String) throws(PushFailure) {
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1 { return }
        var text = Array(host.utf8CString)
        let isNamed = unsafe text.withUnsafeMutableBytes { buffer in
            unsafe SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), buffer.baseAddress) == 1
        }
        guard isNamed, unsafe SSL_set1_host(tls, host) == 1 else {
            throw .unreachable(host: host, reason: "its name cannot be used with TLS")
        }
    }

    private var handshakeFailure: String {
        let code = unsafe SSL_get_verify_result(tls)
        guard code != Int(X509_V_OK), let text = unsafe X509_verify_cert_error_string(code) else {
            return "the TLS handshake failed"
        }
        return unsafe "its certificate is not trusted (\(String(cString: text)))"
    }

    /// Carries bytes both ways until an end closes; what the plain end wrote before is delivered.
    private func run() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGPIPE)  // OpenSSL writes without asking that a broken connection be an error
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        while true {
            let steps = [readPlain(), writeTLS(), readTLS(), writePlain()]
            if steps.contains(.ended) { break }
            if !steps.contains(.moved) { wait() }
        }
        unsafe SSL_shutdown(tls)
    }

    private func wait() {
        let plainEvents = (outgoing.range.isEmpty ? POLLIN : 0) | (incoming.range.isEmpty ? 0 : POLLOUT)
        let events = (incoming.range.isEmpty ? POLLIN : 0) | (wantsWrite ? POLLOUT : 0)
        // An end that is not waited for is left out: poll would tell of its hang-up again and again.
        var waiting = [
            pollfd(fd: plainEvents == 0 ? -1 : plain, events: Int16(plainEvents), revents: 0),
            pollfd(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0),
        ]
        unsafe poll(&waiting, 2, 1000)
    }

    private func readPlain() -> Step {
        guard outgoing.range.isEmpty else { return .blocked }
        let count = unsafe recv(plain, &outgoing.bytes, outgoing.bytes.count, 0)
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) ? .blocked : .ended }
        outgoing.range = 0..<count
        return .moved
    }

    private func writePlain() -> Step {
        guard !incoming.range.isEmpty else { return .blocked }
        let range = incoming.range
        let count = unsafe incoming.bytes.withUnsafeBytes { buffer in
            unsafe send(plain, buffer.baseAddress?.advanced(by: range.lowerBound), range.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return errno == EAGAIN || errno == EINTR ? .blocked : .ended }
        incoming.range = range.lowerBound + count..<range.upperBound
        return .moved
    }

    private func writeTLS() -> Step {
        guard !outgoing.range.isEmpty else { return .blocked }
        let range = outgoing.range
        ERR_clear_error()
        let count = unsafe outgoing.bytes.withUnsafeBytes { buffer in
            unsafe SSL_write(tls, buffer.baseAddress?.advanced(by: range.lowerBound), Int32(range.count))
        }
        guard count > 0 else { return step(of: count) }
        wantsWrite = false
        outgoing.range = range.lowerBound + Int(count)..<range.upperBound
        return .moved
    }

    private func readTLS() -> Step {
        guard incoming.range.isEmpty else { return .blocked }
        ERR_clear_error()
        let count = unsafe SSL_read(tls, &incoming.bytes, Int32(incoming.bytes.count))
        guard count > 0 else { return step(of: count) }
        incoming.range = 0..<Int(count)
        return .moved
    }

    private func step(of result: Int32) -> Step {
        switch unsafe SSL_get_error(tls, result) {
        case SSL_ERROR_WANT_WRITE:
            wantsWrite = true
            return .blocked
        case SSL_ERROR_WANT_READ: return .blocked
        default: return .ended
        }
    }
}
