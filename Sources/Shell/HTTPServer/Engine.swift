import CMicrohttpd
import CShimMicrohttpd
import Glibc
import Log
import Synchronization
import TLS

/// Owns the daemon of libmicrohttpd, and is what its callbacks reach.
@safe
final class Engine: @unchecked Sendable {  // unchecked: pointers are written once; the rest is in the mutex
    /// A whole request, and where its answer goes.
    struct Arrival: Sendable {
        let request: HTTPRequest
        let exchange: Exchange
    }

    @safe
    private struct Daemon: @unchecked Sendable {  // unchecked: libmicrohttpd stops a daemon from any thread
        let pointer: OpaquePointer
    }

    private struct State {
        var isDraining = false
        var daemon: Daemon?
        /// Requests that a handler has.
        var pending: [ObjectIdentifier: Exchange] = [:]
        /// Requests that a handler got and whose answer is not yet sent.
        var unfinished = 0
        /// Since when each connection has not had a whole request, by its socket.
        var receiving: [Int32: ContinuousClock.Instant] = [:]
        /// Those that were found abandoned a second ago.
        var abandoned: Set<Int32> = []
        /// Connections of TLS on which no request line has come.
        var greeting: Set<Int32> = []
        var gate: HTTPGate
        var crowd: Crowd
        /// The certificate of connections from here on; `nil`: plain HTTP.
        var credentials: TLSCredentials?
    }

    /// Comes when a connection has begun.
    let connections: AsyncStream<Void>
    private let connection: AsyncStream<Void>.Continuation
    private let limits: HTTPServer.Limits
    private let refusal: @Sendable (HTTPRefusal) -> HTTPResponse
    private let arrivals: AsyncStream<Arrival>.Continuation
    private let callbacks: UnsafeMutablePointer<shim_mhd_callbacks>
    private let state: Mutex<State>
    private let log = Logger("http")

    /// Takes over `descriptor`, which listens.
    init(
        listening descriptor: Int32, limits: HTTPServer.Limits, credentials: TLSCredentials?,
        refusal: @escaping @Sendable (HTTPRefusal) -> HTTPResponse, arrivals: AsyncStream<Arrival>.Continuation
    ) throws(HTTPServerError) {
        (connections, connection) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let gate = HTTPGate(headerBytes: limits.headerBytes, bodyBytes: limits.bodyBytes)
        let crowd = Crowd(limit: limits.connectionsPerAddress, isUncounted: limits.isUncounted)
        state = Mutex(State(gate: gate, crowd: crowd, credentials: credentials))
        self.limits = limits
        self.refusal = refusal
        self.arrivals = arrivals
        unsafe callbacks = .allocate(capacity: 1)
        var settings = unsafe shim_mhd_settings()
        unsafe settings.listen_socket = descriptor
        // Half of it is the read buffer, which grows into what the table of fields leaves.
        unsafe settings.connection_memory = max(4096, limits.headerBytes) * 2
        unsafe settings.connections = UInt32(clamping: limits.connections)
        unsafe settings.idle_seconds = UInt32(clamping: max(1, limits.idle.components.seconds))
        unsafe callbacks.initialize(to: Callbacks.make(for: self))
        guard let daemon = unsafe Self.start(&settings, callbacks, isSecure: credentials != nil) else {
            close(descriptor)
            throw .failed(call: "MHD_start_daemon", errno: errno)
        }
        let owned = unsafe Daemon(pointer: daemon)
        state.withLock { $0.daemon = owned }
    }

    private static func start(
        _ settings: inout shim_mhd_settings, _ callbacks: UnsafePointer<shim_mhd_callbacks>, isSecure: Bool
    ) -> OpaquePointer? {
        guard isSecure else { return unsafe shim_mhd_start(&settings, callbacks) }
        return unsafe TLSCredentials.priorities.withCString { priorities in
            unsafe settings.tls_priorities = unsafe priorities
            unsafe settings.tls_retrieve = unsafe unsafeBitCast(TLSConnections.retrieve, to: UnsafeRawPointer.self)
            return unsafe shim_mhd_start(&settings, callbacks)
        }
    }

    deinit { unsafe callbacks.deallocate() }

    /// Limits of bytes, and the certificate, of what comes from here on.
    func change(_ limits: HTTPServer.Limits?, _ credentials: TLSCredentials?) {
        state.withLock { state in
            if let limits {
                state.gate = HTTPGate(headerBytes: limits.headerBytes, bodyBytes: limits.bodyBytes)
                state.crowd.limit = limits.connectionsPerAddress
            }
            if let credentials, state.credentials != nil { state.credentials = credentials }
        }
    }

    // MARK: From tasks

    /// Gives the answer of a handler.
    func resolve(_ exchange: Exchange, _ response: HTTPResponse) {
        exchange.resolve(response)
        _ = state.withLock { $0.pending.removeValue(forKey: ObjectIdentifier(exchange)) }
    }

    var isBusy: Bool { state.withLock { $0.unfinished > 0 } }

    /// Stops to listen. What comes on open connections is refused from now on.
    func drain() {
        let daemon = state.withLock { state -> Daemon? in
            guard !state.isDraining else { return nil }
            state.isDraining = true
            return state.daemon
        }
        guard let daemon else { return }
        let listener = unsafe MHD_quiesce_daemon(daemon.pointer)
        if listener >= 0 { close(listener) }
    }

    /// Answers what is left with 503, closes all connections, and waits for libmicrohttpd's thread to end.
    func halt() {
        drain()
        let (daemon, pending) = state.withLock { state -> (Daemon?, [Exchange]) in
            defer {
                state.daemon = nil
                state.pending = [:]
            }
            return (state.daemon, Array(state.pending.values))
        }
        arrivals.finish()
        for exchange in pending { exchange.resolve(refusal(Self.stopping)) }
        if let daemon { unsafe MHD_stop_daemon(daemon.pointer) }
    }

    var hasConnections: Bool { state.withLock { !$0.receiving.isEmpty } }

    func endSlowRequests() {
        let now = ContinuousClock.now
        state.withLock { state in
            // Within the lock: a socket leaves the table before libmicrohttpd closes it.
            for (descriptor, since) in state.receiving {
                let limit = state.greeting.contains(descriptor) ? limits.handshake : limits.request
                if now - since > limit { shutdown(descriptor, Int32(SHUT_RDWR)) }
            }
            let abandoned = Self.abandoned(among: Array(state.receiving.keys))
            for descriptor in abandoned where state.abandoned.contains(descriptor) {
                shutdown(descriptor, Int32(SHUT_RDWR))
            }
            state.abandoned = abandoned
        }
    }

    /// Connections whose client sends no more, and has sent nothing that was not read. libmicrohttpd 0.9.75 does not see the
    /// end of a connection in the middle of a body, and would keep it for ``HTTPServer/Limits/idle``. Those that are so
    /// twice are not in the middle of being answered.
    private static func abandoned(among descriptors: [Int32]) -> Set<Int32> {
        let peerHungUp: Int16 = 0x2000  // POLLRDHUP: GNU, and in no module
        var polled = descriptors.map { pollfd(fd: $0, events: peerHungUp, revents: 0) }
        guard unsafe poll(&polled, nfds_t(polled.count), 0) > 0 else { return [] }
        var found: Set<Int32> = []
        for each in polled where each.revents & peerHungUp != 0 {
            var unread: Int32 = 0
            if unsafe ioctl(each.fd, UInt(FIONREAD), &unread) == 0, unread == 0 { found.insert(each.fd) }
        }
        return found
    }

    private static let stopping = HTTPRefusal(status: 503, detail: "The gateway is shutting down.")

    // MARK: From libmicrohttpd's thread

    /// Whether a connection from `address` is taken at all.
    func admits(_ address: String) -> Bool {
        let (isAdmitted, refused) = state.withLock { state in
            let isAdmitted = state.crowd.admits(address)
            return (isAdmitted, isAdmitted ? nil : state.crowd.refusalsToTell(at: .now))
        }
        if let refused {
            log.warning("connections refused: too many from one address", ["remote": address, "refused": refused])
        }
        return isAdmitted
    }

    func connectionBegan(_ descriptor: Int32, from address: String) {
        let credentials = state.withLock { state in
            state.receiving[descriptor] = .now
            state.crowd.add(descriptor, from: address)
            if state.credentials != nil { state.greeting.insert(descriptor) }
            return state.credentials
        }
        connection.yield()
        if let credentials { TLSConnections.begin(descriptor, with: credentials) }
    }

    func connectionEnded(_ descriptor: Int32) {
        let isSecure = state.withLock { state in
            state.receiving[descriptor] = nil
            state.greeting.remove(descriptor)
            state.crowd.remove(descriptor)
            return state.credentials != nil
        }
        if isSecure { TLSConnections.end(descriptor) }
    }

    /// A request line came: the handshake is long done.
    func lineCame(on descriptor: Int32) { _ = state.withLock { $0.greeting.remove(descriptor) } }

    func requestEnded(_ exchange: Exchange, on descriptor: Int32) {
        state.withLock { state in
            state.receiving[descriptor] = .now
            if exchange.isTaken { state.unfinished -= 1 }
        }
    }

    func logLine(_ line: String) { log.debug("libmicrohttpd: \(line)") }

    /// The handler's first call: the head is there, the body is not.
    func headCame(_ head: RequestHead, _ exchange: Exchange, on descriptor: Int32) -> HTTPResponse? {
        do throws(HTTPRefusal) {
            let (gate, isTooMany) = state.withLock { ($0.gate, $0.crowd.isOver(descriptor)) }
            if isTooMany { throw Crowd.refusal }
            exchange.bodyLimit = gate.bodyBytes
            exchange.stage = .body(try gate.admit(head))
            return nil
        } catch {
            exchange.stage = .done
            return refused(error)
        }
    }

    /// Some of the body came. False: drop the connection.
    func bodyCame(_ bytes: UnsafeRawBufferPointer, _ exchange: Exchange) -> Bool {
        if case .overflowing = exchange.stage {
            exchange.dropped += bytes.count
            return exchange.dropped <= 4 * exchange.bodyLimit + 1_048_576
        }
        guard exchange.body.count + bytes.count <= exchange.bodyLimit else {
            exchange.stage = .overflowing(HTTPGate(headerBytes: 0, bodyBytes: exchange.bodyLimit).tooLarge)
            exchange.body = []
            return true
        }
        unsafe exchange.body.append(contentsOf: bytes)
        return true
    }

    /// The request is whole, or its connection was resumed. Returns the answer, if it is there.
    func requestCame(_ exchange: Exchange, from remote: @autoclosure () -> String, on descriptor: Int32)
        -> HTTPResponse?
    {
        switch exchange.stage {
        case .line, .done: return nil
        case .waiting: return exchange.response
        case .overflowing(let refusal):
            exchange.stage = .done
            return refused(refusal)
        case .body(let admission):
            let request = HTTPRequest(
                method: admission.method, target: admission.target, headers: admission.headers, body: exchange.body,
                remote: remote())
            exchange.body = []
            exchange.stage = .waiting
            let isTaken = state.withLock { state in
                state.receiving[descriptor] = nil
                guard !state.isDraining else { return false }
                state.pending[ObjectIdentifier(exchange)] = exchange
                state.unfinished += 1
                return true
            }
            guard isTaken else { return refused(Self.stopping) }
            exchange.isTaken = true
            exchange.suspend()
            arrivals.yield(Arrival(request: request, exchange: exchange))
            return nil
        }
    }

    private func refused(_ refusal: HTTPRefusal) -> HTTPResponse {
        var response = self.refusal(refusal)
        response.headers["Connection"] = "close"
        return response
    }
}
