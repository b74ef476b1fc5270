import CMicrohttpd
import CShimMicrohttpd
import Glibc
import Log
import Synchronization

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
    }

    let gate: HTTPGate
    private let limits: HTTPServer.Limits
    private let refusal: @Sendable (HTTPRefusal) -> HTTPResponse
    private let arrivals: AsyncStream<Arrival>.Continuation
    private let callbacks: UnsafeMutablePointer<shim_mhd_callbacks>
    private let state = Mutex(State())
    private let log = Logger("http")

    /// Takes over `descriptor`, which listens.
    init(
        listening descriptor: Int32, limits: HTTPServer.Limits,
        refusal: @escaping @Sendable (HTTPRefusal) -> HTTPResponse, arrivals: AsyncStream<Arrival>.Continuation
    ) throws(HTTPServerError) {
        gate = HTTPGate(headerBytes: limits.headerBytes, bodyBytes: limits.bodyBytes)
        self.limits = limits
        self.refusal = refusal
        self.arrivals = arrivals
        unsafe callbacks = .allocate(capacity: 1)
        var settings = shim_mhd_settings()
        settings.listen_socket = descriptor
        // Half of it is the read buffer, which grows into what the table of fields leaves.
        settings.connection_memory = max(4096, limits.headerBytes) * 2
        settings.connections = UInt32(clamping: limits.connections)
        settings.connections_per_address = UInt32(clamping: limits.connectionsPerAddress)
        settings.idle_seconds = UInt32(clamping: max(1, limits.idle.components.seconds))
        unsafe callbacks.initialize(to: Callbacks.make(for: self))
        guard let daemon = unsafe shim_mhd_start(&settings, callbacks) else {
            close(descriptor)
            throw .failed(call: "MHD_start_daemon", errno: errno)
        }
        let owned = unsafe Daemon(pointer: daemon)
        state.withLock { $0.daemon = owned }
    }

    deinit { unsafe callbacks.deallocate() }

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

    func endSlowRequests() {
        let oldest = ContinuousClock.now - limits.request
        state.withLock { state in
            // Within the lock: a socket leaves the table before libmicrohttpd closes it.
            for (descriptor, since) in state.receiving where since < oldest { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    private static let stopping = HTTPRefusal(status: 503, detail: "The gateway is shutting down.")

    // MARK: From libmicrohttpd's thread

    func connectionBegan(_ descriptor: Int32) { state.withLock { $0.receiving[descriptor] = .now } }

    func connectionEnded(_ descriptor: Int32) { state.withLock { $0.receiving[descriptor] = nil } }

    func requestEnded(_ exchange: Exchange, on descriptor: Int32) {
        state.withLock { state in
            state.receiving[descriptor] = .now
            if exchange.isTaken { state.unfinished -= 1 }
        }
    }

    func logLine(_ line: String) { log.debug("libmicrohttpd: \(line)") }

    /// The handler's first call: the head is there, the body is not.
    func headCame(_ head: RequestHead, _ exchange: Exchange) -> HTTPResponse? {
        do throws(HTTPRefusal) {
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
            return exchange.dropped <= 4 * gate.bodyBytes + 1_048_576
        }
        guard exchange.body.count + bytes.count <= gate.bodyBytes else {
            exchange.stage = .overflowing(gate.tooLarge)
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
