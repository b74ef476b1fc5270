import CSSL
public import Timing

/// One DTLS 1.2 association for SRTP, in either role, without I/O (RFC 6347, RFC 5763, RFC 5764).
///
/// Feed it datagrams from the address that ICE has checked and no other; after **every** input drain ``pollOutput()`` until
/// it says `wait`. Nothing is exported before the peer proved that it has the key of the certificate that was told.
@safe
public final class DTLSSession {  // a class, for its owner holds it as an optional
    public enum Role: Sendable {
        /// `a=setup:active`: sends the ClientHello.
        case client
        /// `a=setup:passive`.
        case server
    }

    public enum Output: Sendable {
        /// One datagram to the peer.
        case send([UInt8])
        /// The handshake is done: what follows may be protected.
        case established(DTLSKeys)
        /// Nothing more comes but datagrams to send (an alert), and `wait`.
        case failed(DTLSFailure)
        /// The peer said that it ends the association (close_notify).
        case closed
        case wait(deadline: Instant?)
    }

    /// Bytes of the largest datagram that we send.
    public static let mtu = 1200
    /// A handshake that is not done by then is over.
    public static let handshakeLimit: Duration = .seconds(10)
    /// Until a flight is sent again; doubled each time. Deviation: RFC 6347 section 4.2.4.1 says a second, which is long for
    /// a call; a flight that is sent too early costs a kilobyte.
    public static let firstTimeout: Duration = .milliseconds(100)
    /// What a peer may send within a handshake.
    public static let maxHandshakeBytes = 65_536
    public static let maxHandshakeDatagrams = 256

    private enum State {
        case idle
        case handshaking(since: Instant)
        case established, ended
    }

    private struct Flight {
        var number: Int
        var deadline: Instant
        var timeout: Duration
    }

    private let identity: DTLSIdentity
    private let role: Role
    private let channel: DatagramChannel
    private let ssl: OpaquePointer
    private var state = State.idle
    private var flight: Flight?
    private var outputs: [Output] = []
    private var isAddressProven = false
    private var receivedBytes = 0
    private var receivedDatagrams = 0
    private var sentBytes = 0

    /// - Parameter fingerprints: of the peer's description; without one that we know, the handshake fails.
    /// - Throws: ``DTLSFailure/libraryFailure(function:)``
    public init(_ identity: DTLSIdentity, _ role: Role, expecting fingerprints: [DTLSFingerprint]) throws(DTLSFailure) {
        guard let ssl = unsafe SSL_new(identity.context) else { throw .libraryFailure(function: "SSL_new") }
        (self.identity, self.role) = (identity, role)
        channel = DatagramChannel(fingerprints)
        unsafe self.ssl = unsafe ssl
        guard unsafe channel.attach(to: ssl) else { throw .libraryFailure(function: "BIO_new") }
        unsafe SSL_ctrl(ssl, DTLS_CTRL_SET_LINK_MTU, Self.mtu, nil)
        if role == .client { unsafe SSL_set_connect_state(ssl) } else { unsafe SSL_set_accept_state(ssl) }
    }

    deinit { unsafe SSL_free(ssl) }

    // MARK: Inputs

    /// Begins: as a client with the ClientHello, as a server by waiting for it. From now on the limit of time counts.
    public func start(at now: Instant) {
        guard case .idle = state else { return }
        state = .handshaking(since: now)
        if role == .client { step(at: now) }
    }

    /// The peer's address received what we sent there (an ICE check succeeded). Until then no more goes to it than came.
    public func addressProven() { isAddressProven = true }

    /// Takes one datagram from the peer (``RTP``'s `MultiplexedProtocol` tells which are DTLS).
    public func receive(_ datagram: Span<UInt8>, at now: Instant) {
        start(at: now)
        receivedBytes += datagram.count
        receivedDatagrams += 1
        if case .ended = state { return }
        if case .handshaking = state {
            guard receivedBytes <= Self.maxHandshakeBytes, receivedDatagrams <= Self.maxHandshakeDatagrams else {
                return fail(.tooMuch)
            }
        }
        channel.incoming = datagram.indices.map { datagram[$0] }
        step(at: now)
        channel.incoming = nil
    }

    /// Moves time forward. Early or repeated calls are harmless.
    public func advance(to now: Instant) {
        guard case .handshaking(let since) = state else { return }
        if now >= since + Self.handshakeLimit { return fail(.timedOut) }
        guard let due = flight, now >= due.deadline else { return }
        guard let datagrams = channel.takeRetransmission() else {
            flight = nil
            return
        }
        outputs += datagrams.map { .send($0) }
        flight = Flight(number: due.number, deadline: now + due.timeout * 2, timeout: due.timeout * 2)
    }

    /// Ends the association: the peer is told, if it was established.
    public func close() {
        if case .established = state {
            unsafe SSL_shutdown(ssl)
            ERR_clear_error()
            takeOutgoing()
        }
        state = .ended
    }

    // MARK: Outputs

    /// The next thing to do, oldest first. Call until it returns `wait`.
    public func pollOutput() -> Output {
        guard let next = outputs.first else { return .wait(deadline: deadline) }
        if case .send(let datagram) = next {
            guard isAddressProven || sentBytes + datagram.count <= receivedBytes else {
                return .wait(deadline: deadline)
            }
            sentBytes += datagram.count
        }
        return outputs.removeFirst()
    }

    private var deadline: Instant? {
        guard case .handshaking(let since) = state else { return nil }
        return min(since + Self.handshakeLimit, flight?.deadline ?? since + Self.handshakeLimit)
    }

    // MARK: OpenSSL

    private func step(at now: Instant) {
        ERR_clear_error()
        switch state {
        case .handshaking:
            let code = unsafe SSL_do_handshake(ssl)
            let error = unsafe SSL_get_error(ssl, code)
            channel.endStep(isWaiting: isWaiting)
            takeOutgoing()
            schedule(at: now)
            if code == 1 { return finish() }
            if error != SSL_ERROR_WANT_READ { fail(failure()) }
        case .established:
            read()
        case .idle, .ended:
            break
        }
    }

    /// Whether the flight that was written last waits for an answer. The time that OpenSSL says is left means nothing here.
    private var isWaiting: Bool {
        var timeval = (0, 0)
        return unsafe SSL_ctrl(ssl, DTLS_CTRL_GET_TIMEOUT, 0, &timeval) == 1
    }

    private func schedule(at now: Instant) {
        guard channel.flight != flight?.number else { return }
        flight = Flight(number: channel.flight, deadline: now + Self.firstTimeout, timeout: Self.firstTimeout)
    }

    /// After the handshake: a Finished that was lost is answered again, an alert is heard, data are dropped.
    private func read() {
        var scratch = InlineArray<2048, UInt8>(repeating: 0)
        while true {
            var view = scratch.mutableSpan
            let count = unsafe view.withUnsafeMutableBytes { unsafe SSL_read(ssl, $0.baseAddress, Int32($0.count)) }
            if count > 0 { continue }
            let error = unsafe SSL_get_error(ssl, count)
            channel.endStep(isWaiting: false)
            takeOutgoing()
            switch error {
            case SSL_ERROR_WANT_READ: return
            case SSL_ERROR_ZERO_RETURN:
                state = .ended
                outputs.append(.closed)
                return
            default: return fail(failure())
            }
        }
    }

    private func takeOutgoing() {
        outputs += channel.outgoing.map { .send($0) }
        channel.outgoing = []
    }

    private func failure() -> DTLSFailure {
        let reason = DTLSFailure.reason()
        return channel.isMismatch ? .fingerprintMismatch : .protocolError(reason: reason)
    }

    private func fail(_ failure: DTLSFailure) {
        state = .ended
        flight = nil
        outputs.append(.failed(failure))
    }

    /// The handshake is done. The certificate was judged when it came; it is looked at again before any key is.
    private func finish() {
        flight = nil
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return fail(.fingerprintMismatch) }
        defer { unsafe X509_free(certificate) }
        guard unsafe channel.isExpected(certificate) else { return fail(.fingerprintMismatch) }
        guard let profile = unsafe SSL_get_selected_srtp_profile(ssl) else { return fail(.noCommonProfile) }
        let number = UInt16(truncatingIfNeeded: unsafe profile.pointee.id)
        let (keyLength, saltLength) = (16, number == 0x0007 ? 12 : 14)
        var material = [UInt8](repeating: 0, count: 2 * (keyLength + saltLength))
        let label = "EXTRACTOR-dtls_srtp"
        guard
            unsafe SSL_export_keying_material(ssl, &material, material.count, label, label.utf8.count, nil, 0, 0) == 1
        else { return fail(.libraryFailure(function: "SSL_export_keying_material")) }
        state = .established
        outputs.append(
            .established(DTLSKeys(profile: number, material, keyLength: keyLength, saltLength: saltLength, role)))
    }
}
