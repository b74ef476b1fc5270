import CMicrohttpd
import CShimMicrohttpd
import Listening
import Synchronization
public import TLS

/// An HTTP/1.1 server: one thread of libmicrohttpd reads and writes, tasks answer.
///
/// It listens from ``init(host:port:limits:refusal:)`` on; requests wait for ``run(_:)``. Every request has passed
/// ``HTTPGate``, is whole, and within ``Limits``.
public final class HTTPServer: Sendable {
    public struct Limits: Sendable {
        /// Bytes of request line and headers together: beyond, 431.
        public var headerBytes = 16_384
        /// Bytes of a body: beyond, 413.
        public var bodyBytes = 1_048_576
        /// More wait until one is closed.
        public var connections = 1000
        /// More are answered with 429, or closed.
        public var connectionsPerAddress = 100
        /// Addresses that ``connectionsPerAddress`` does not count: proxies, behind which many clients stand.
        public var isUncounted: @Sendable (String) -> Bool = { _ in false }
        /// A connection on which nothing moves for this long is closed.
        public var idle: Duration = .seconds(60)
        /// A request that is not whole this long after the one before, or after the connection began, ends it: a client
        /// that sends a byte now and then holds nothing.
        public var request: Duration = .seconds(90)
        /// A connection of TLS that has not shaken hands and begun a request by then is ended.
        public var handshake: Duration = .seconds(10)

        public init() {}
    }

    /// The port that it listens on; the one that the system chose, if 0 was asked for.
    public let port: UInt16
    private let engine: Engine
    private let requests: AsyncStream<Engine.Arrival>

    /// - Parameters:
    ///   - identity: makes it HTTPS, TLS 1.2 and 1.3.
    ///   - refusal: gives the answer to a request that no handler sees.
    /// - Throws: ``HTTPServerError``
    public init(
        host: String, port: UInt16, limits: Limits = Limits(), identity: TLSIdentity? = nil,
        refusal: @escaping @Sendable (HTTPRefusal) -> HTTPResponse = HTTPServer.plainRefusal
    ) throws(HTTPServerError) {
        let credentials: TLSCredentials? = if let identity { try TLSCredentials(identity) } else { nil }
        let socket = try Self.open(host: host, port: port)
        let (requests, arrivals) = AsyncStream<Engine.Arrival>.makeStream()
        engine = try Engine(
            listening: socket.descriptor, limits: limits, credentials: credentials, refusal: refusal,
            arrivals: arrivals)
        self.port = socket.port
        self.requests = requests
    }

    deinit { engine.halt() }

    private static func open(host: String, port: UInt16) throws(HTTPServerError) -> (descriptor: Int32, port: UInt16) {
        do {
            return try ListenSocket.open(host: host, port: port)
        } catch {
            throw .listen(error)
        }
    }

    /// Takes limits of bytes for requests, and a certificate for connections, from here on. Connections that are open keep
    /// their certificate; a server of plain HTTP stays one.
    /// - Throws: ``HTTPServerError``; then nothing has changed.
    public func change(limits: Limits?, identity: TLSIdentity?) throws(HTTPServerError) {
        let credentials: TLSCredentials? = if let identity { try TLSCredentials(identity) } else { nil }
        engine.change(limits, credentials)
    }

    /// Answers requests with `handler`, each in a task of its own, until ``stop(grace:)``; returns when all have ended.
    public func run(_ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch() }
            for await arrival in requests {
                group.addTask {
                    let response = await handler(arrival.request)
                    self.engine.resolve(arrival.exchange, response)
                }
            }
            group.cancelAll()  // the watch, and handlers that outlived the grace
        }
    }

    /// Takes no more connections, lets what is in hand finish for at most `grace`, then closes everything. Requests that
    /// come meanwhile, or take longer, get 503.
    public func stop(grace: Duration) async {
        engine.drain()
        let deadline = ContinuousClock.now + grace
        while engine.isBusy, ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { break }
        }
        engine.halt()
    }

    /// Ends connections whose request does not become whole, for as long as there are any.
    private func watch() async {
        for await _ in engine.connections {
            while engine.hasConnections {
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
                engine.endSlowRequests()
            }
        }
    }

    /// A refusal as one line of text.
    public static let plainRefusal: @Sendable (HTTPRefusal) -> HTTPResponse = { refusal in
        HTTPResponse(
            status: refusal.status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array((refusal.detail + "\n").utf8)))
    }
}
