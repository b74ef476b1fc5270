import CSSL

/// What OpenSSL reads from and writes to in one handshake: a BIO that keeps the bounds of datagrams, a timer that never
/// runs, and the judge of the peer's certificate. C keeps a reference to it, so it is a class.
@safe
final class DatagramChannel {
    /// What was received and not read. OpenSSL reads one datagram at a time.
    var incoming: [UInt8]?
    /// The datagrams of the flight that was written.
    var outgoing: [[UInt8]] = []
    /// The same flight again, with record numbers of its own, as often as it may be sent.
    private(set) var retransmissions: [[[UInt8]]] = []
    /// Counts flights that wait for an answer.
    private(set) var flight = 0
    private(set) var isMismatch = false
    private var isRetransmitting = false
    private let fingerprints: [DTLSFingerprint]

    /// Retransmissions of one flight that are made.
    static let retransmissionCount = 7

    init(_ fingerprints: [DTLSFingerprint]) { self.fingerprints = fingerprints }

    /// What is written from now on is new.
    func endStep(isWaiting: Bool) {
        isRetransmitting = false
        if !isWaiting { retransmissions = [] }
    }

    func takeRetransmission() -> [[UInt8]]? { retransmissions.isEmpty ? nil : retransmissions.removeFirst() }

    private func write(_ datagram: [UInt8]) {
        if isRetransmitting, let last = retransmissions.indices.last {
            retransmissions[last].append(datagram)
        } else {
            outgoing.append(datagram)
        }
    }

    // MARK: The timer

    /// OpenSSL's timer reads the system's clock; ours is told the time. So OpenSSL's is due at once after each flight, as
    /// often as we want to retransmit, and what it writes is kept until our time comes; then it is due in an hour.
    private func nextTimeout(after microseconds: UInt32) -> UInt32 {
        let (now, never): (UInt32, UInt32) = (1, 3_600_000_000)
        if microseconds == 0 {  // a flight begins
            flight += 1
            retransmissions = []
            isRetransmitting = false
            return now
        }
        isRetransmitting = true
        retransmissions.append([])
        return retransmissions.count < Self.retransmissionCount ? now : never
    }

    // MARK: What C calls

    /// Written once, before its first use.
    nonisolated(unsafe) private static let method: OpaquePointer? = {  // only read after it was made
        guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams") else {
            return nil
        }
        unsafe BIO_meth_set_create(method) { bio in
            unsafe BIO_set_init(bio, 1)
            return 1
        }
        unsafe BIO_meth_set_write(method) { bio, bytes, count in
            guard let bytes = unsafe bytes, count > 0 else { return 0 }
            let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: Int(count))
            unsafe DatagramChannel.of(BIO_get_data(bio))?.write([UInt8](buffer))
            return count
        }
        unsafe BIO_meth_set_read(method) { bio, bytes, capacity in
            unsafe BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
            guard let bytes = unsafe bytes, let datagram = unsafe DatagramChannel.of(BIO_get_data(bio))?.incoming.take()
            else {
                unsafe BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
                return -1
            }
            let count = min(datagram.count, Int(max(0, capacity)))
            unsafe UnsafeMutableRawBufferPointer(start: bytes, count: count).copyBytes(from: datagram[..<count])
            return Int32(clamping: count)
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: 1
            case BIO_CTRL_DGRAM_QUERY_MTU, BIO_CTRL_DGRAM_GET_FALLBACK_MTU: DTLSSession.mtu
            default: 0
            }
        }
        return unsafe method
    }()

    /// Gives `ssl` its BIO, its timer and its judge; it must not outlive the channel.
    func attach(to ssl: OpaquePointer) -> Bool {
        let opaque = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let method = unsafe Self.method, let bio = unsafe BIO_new(method) else { return false }
        unsafe BIO_set_data(bio, opaque)
        unsafe SSL_set_bio(ssl, bio, bio)  // which frees it with `ssl`
        unsafe DTLS_set_timer_cb(ssl) { ssl, microseconds in
            unsafe DatagramChannel.of(SSL_get_ex_data(ssl, 0))?.nextTimeout(after: microseconds) ?? 1_000_000
        }
        return unsafe SSL_set_ex_data(ssl, 0, opaque) == 1
    }

    private static func of(_ opaque: UnsafeMutableRawPointer?) -> DatagramChannel? {
        guard let opaque = unsafe opaque else { return nil }
        return unsafe Unmanaged<DatagramChannel>.fromOpaque(opaque).takeUnretainedValue()
    }

    /// Called for the peer's chain, in place of a check against authorities: the fingerprint is what counts.
    static func verify(_ store: OpaquePointer?) -> Int32 {
        guard let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let channel = unsafe of(SSL_get_ex_data(OpaquePointer(ssl), 0)),
            let certificate = unsafe X509_STORE_CTX_get0_cert(store)
        else { return 0 }
        if unsafe channel.isExpected(certificate) { return 1 }
        channel.isMismatch = true
        unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
        return 0
    }

    func isExpected(_ certificate: OpaquePointer) -> Bool {
        unsafe DTLSFingerprint.areMet(fingerprints, by: certificate)
    }
}
