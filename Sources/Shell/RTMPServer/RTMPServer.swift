import Forwarding
import Glibc
public import Listening
import Log
public import MediaLoop
public import RTMP
public import TLS
public import Timing

/// The RTMP listener and its sessions. Lives on a loop, next to the rooms that the sessions publish into.
public final class RTMPServer {
    public struct Limits: Sendable {
        public var session: RTMPLimits
        public var sessions: Int
        public var sessionsPerAddress: Int
        /// Lets Flash Player's handshake be answered in kind.
        public var hmac: HMACSHA256?

        public init(
            session: RTMPLimits = RTMPLimits(), sessions: Int = 1000, sessionsPerAddress: Int = 256,
            hmac: HMACSHA256? = nil
        ) {
            self.hmac = hmac
            self.session = session
            self.sessions = sessions
            self.sessionsPerAddress = sessionsPerAddress
        }
    }

    /// What the listener has seen since it was made.
    public struct Statistics: Equatable, Sendable {
        /// Open now.
        public var connections = 0
        public var accepted = 0
        /// Closed at once, because there were too many.
        public var refused = 0
        /// From all publishers, headers of the protocol included.
        public var bytesReceived: UInt64 = 0
    }

    /// How often timeouts are looked at and progress is told.
    private static let tick = Duration.seconds(1)
    /// How often the sockets of publications are read. One wake-up for many messages costs a third of one for each, and an
    /// encoder holds back far more than this before it sends.
    static let readInterval = Duration.milliseconds(40)
    /// A handshake with RSA takes about a millisecond of the loop that media needs: a flood gets a quarter of it at most,
    /// and one network half of that, so that it shuts nobody else out.
    private static let handshakesPerSecond = 250
    private static let handshakesPerNetwork = handshakesPerSecond / 2

    let rooms: RoomHost
    let loop: EventLoop
    /// Of connections from here on.
    public var limits: Limits
    let onEvent: @Sendable (RTMPServerEvent) -> Void
    private let log = Logger("rtmp")
    private var listeners: [TCPListener] = []
    private var connections: [RTMPSessionNumber: RTMPConnection] = [:]
    /// Those that publish: read at each `readInterval`.
    private var publishing: [RTMPConnection] = []
    /// What TLS gives of one read, for all connections one after the other.
    var plaintext = [UInt8](repeating: 0, count: 16 << 10)
    /// The certificate of connections from here on; those that live keep theirs.
    private var tlsContext: TLSServerContext?
    /// Connections of each ``PeerNetwork``.
    private var perNetwork: [String: Int] = [:]
    private var lastNumber: UInt64 = 0
    private var counted = Statistics()
    /// Handshakes of TLS begun in this second, by network.
    private var handshakes: [String: Int] = [:]
    /// Connections that were refused since it was last told.
    private var refused = 0

    public init(
        rooms: RoomHost, loop: EventLoop, limits: Limits, onEvent: @escaping @Sendable (RTMPServerEvent) -> Void
    ) {
        self.rooms = rooms
        self.loop = loop
        self.limits = limits
        self.onEvent = onEvent
        loop.every(Self.tick) { [weak self] now in self?.advance(to: now) }
        loop.every(Self.readInterval, while: { [weak self] in self?.publishing.isEmpty == false }) { [weak self] now in
            self?.readPublications(at: now)
        }
    }

    /// - Returns: the port that was bound, for port 0.
    public func listen(host: String, port: UInt16) throws(ListenError) -> UInt16 {
        try listen(host: host, port: port, isSecure: false)
    }

    /// The same for RTMPS, with the certificate of ``use(_:)``.
    public func listenTLS(host: String, port: UInt16) throws(ListenError) -> UInt16 {
        try listen(host: host, port: port, isSecure: true)
    }

    private func listen(host: String, port: UInt16, isSecure: Bool) throws(ListenError) -> UInt16 {
        let listener = try TCPListener(host: host, port: port, loop: loop) { [unowned self] descriptor, remote, now in
            take(descriptor, from: remote, isSecure: isSecure, at: now)
        }
        listeners.append(listener)
        return listener.port
    }

    /// Sets the certificate of connections from here on.
    public func use(_ context: TLSServerContext) { tlsContext = context }

    /// Takes no more connections; those that are here go on.
    public func stopListening() {
        for listener in listeners { listener.close() }
        listeners = []
    }

    /// Lets a session that asked publish.
    public func accept(_ session: RTMPSessionNumber, as grant: PublishGrant) {
        guard let connection = connections[session] else { return }
        // Never opened here: the room may have been deleted since, and nobody would ever close it again.
        guard let room = rooms.room(grant.room) else { return reject(session, because: "The room was deleted.") }
        connection.accept(grant, into: room, at: Clocks.now())
        publishing.append(connection)
    }

    /// Answers `NetStream.Publish.BadName` with `reason` and ends the session.
    public func reject(_ session: RTMPSessionNumber, because reason: String) {
        connections[session]?.reject(reason, at: Clocks.now())
    }

    /// Ends a session: its key was taken over, its ingress was deleted.
    public func close(_ session: RTMPSessionNumber, because reason: String) {
        guard let connection = connections[session] else { return }
        connection.receive(at: Clocks.now())  // what came before it was closed counts
        connection.end(reason)
    }

    public var statistics: Statistics {
        var statistics = counted
        statistics.connections = connections.count
        return statistics
    }

    func count(received bytes: Int) { counted.bytesReceived &+= UInt64(clamping: bytes) }

    /// True when nobody is connected.
    var isIdle: Bool { connections.isEmpty && perNetwork.isEmpty }

    private func take(_ descriptor: Int32, from remote: String, isSecure: Bool, at now: Instant) {
        let network = PeerNetwork.of(remote)
        guard !isSecure || mayShakeHands(network), connections.count < limits.sessions,
            perNetwork[network, default: 0] < limits.sessionsPerAddress
        else {
            refused += 1
            counted.refused += 1
            Glibc.close(descriptor)
            return
        }
        let tls = isSecure ? tlsContext.flatMap { try? TLSServerSession($0) } : nil
        guard !isSecure || tls != nil else {
            log.error("connection refused: no memory for TLS", ["remote": remote])
            Glibc.close(descriptor)
            return
        }
        counted.accepted += 1
        if isSecure { handshakes[network, default: 0] += 1 }
        lastNumber += 1
        let number = RTMPSessionNumber(rawValue: lastNumber)
        perNetwork[network, default: 0] += 1
        connections[number] = RTMPConnection(
            number, descriptor: descriptor, remote: remote, tls: tls, server: self, at: now)
    }

    private func mayShakeHands(_ network: String) -> Bool {
        handshakes[network, default: 0] < Self.handshakesPerNetwork
            && handshakes.values.reduce(0, +) < Self.handshakesPerSecond
    }

    /// A connection has ended and is not to be used again.
    func forget(_ connection: RTMPConnection) {
        guard connections.removeValue(forKey: connection.number) != nil else { return }
        let network = PeerNetwork.of(connection.remote)
        let left = perNetwork[network, default: 1] - 1
        perNetwork[network] = left > 0 ? left : nil
    }

    /// Takes what publications have sent by now, ahead of the next turn: what had come before somebody asks for an end
    /// belongs to what ends.
    public func readPublications(at now: Instant) {
        for index in publishing.indices { publishing[index].receive(at: now) }
        publishing.removeAll { $0.isEnded }
    }

    private func advance(to now: Instant) {
        handshakes = [:]
        if refused > 0 {
            log.warning(
                "connections refused: too many from one address, or in all, or of TLS in a second",
                ["refused": refused, "sessions": connections.count])
            refused = 0
        }
        for connection in Array(connections.values) { connection.advance(to: now) }
    }
}
