import DTLS
import SRTP
import Timing

/// Two sessions and the network between them, in simulated time.
final class Association {
    struct End {
        var session: DTLSSession
        var keys: DTLSKeys?
        var failure: DTLSFailure?
        var isClosed = false
        var sent: [[UInt8]] = []
        var deadline: Instant?
    }

    var client: End
    var server: End
    var now = Instant(nanoseconds: 0)
    /// Whether the n-th datagram of all is lost.
    var isLost: (Int) -> Bool = { _ in false }
    private var count = 0

    static let ecdsa = Result { try DTLSIdentity(.ecdsa, at: 1_800_000_000) }
    static let rsa = Result { try DTLSIdentity(.rsa, at: 1_800_000_000) }

    /// - Parameter expected: what each end is told of the other; the truth if it is left out.
    init(
        client: DTLSIdentity, server: DTLSIdentity, clientExpects: [DTLSFingerprint]? = nil,
        serverExpects: [DTLSFingerprint]? = nil
    ) throws {
        self.client = End(
            session: try DTLSSession(client, .client, expecting: clientExpects ?? [server.fingerprint]))
        self.server = End(
            session: try DTLSSession(server, .server, expecting: serverExpects ?? [client.fingerprint]))
        self.client.session.addressProven()
        self.server.session.addressProven()
    }

    /// Runs until nothing more happens, or both ends are done.
    func run() {
        client.session.start(at: now)
        server.session.start(at: now)
        while true {
            let isQuiet = !carry(from: \.client, to: \.server) && !carry(from: \.server, to: \.client)
            if isQuiet, isDone || !wait() { return }
        }
    }

    var isDone: Bool {
        [client, server].allSatisfy { $0.keys != nil || $0.failure != nil || $0.isClosed }
    }

    /// - Returns: whether anything moved.
    func carry(
        from sender: ReferenceWritableKeyPath<Association, End>, to receiver: ReferenceWritableKeyPath<Association, End>
    ) -> Bool {
        var hasMoved = false
        while true {
            switch self[keyPath: sender].session.pollOutput() {
            case .send(let datagram):
                self[keyPath: sender].sent.append(datagram)
                count += 1
                if !isLost(count) { self[keyPath: receiver].session.receive(datagram.span, at: now) }
            case .established(let keys): self[keyPath: sender].keys = keys
            case .failed(let failure): self[keyPath: sender].failure = failure
            case .closed: self[keyPath: sender].isClosed = true
            case .wait(let deadline):
                self[keyPath: sender].deadline = deadline
                return hasMoved
            }
            hasMoved = true
        }
    }

    /// Goes to the next deadline.
    private func wait() -> Bool {
        guard let next = [client.deadline, server.deadline].compactMap({ $0 }).min() else { return false }
        now = max(now, next)
        client.session.advance(to: now)
        server.session.advance(to: now)
        return true
    }
}
