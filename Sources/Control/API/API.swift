import Config
public import HTTPServer
import JSON
import JWT
import Jobs
import Listening
import Log
import MediaLoop
public import Service
import Timing

/// The REST face of the service (API.md): parses, authorises, formats; each route calls one function of ``Service``.
public struct API: Sendable {
    private let service: Service
    private let flood: FloodGuard
    private let proxies: TrustedProxies
    private let traffic = HTTPTraffic()
    private let log = Logger("http")

    public init(service: Service) {
        self.service = service
        proxies = TrustedProxies(service.configuration.http.trustedProxies)
        flood = FloodGuard()
    }

    /// The answer to a request that never came so far: what the server itself refuses.
    public static let refusal: @Sendable (HTTPRefusal) -> HTTPResponse = { refusal in
        let code: ErrorCode =
            switch refusal.status {
            case 413: .bodyTooLarge
            case 429: .tooManyRequests
            case 431: .headersTooLarge
            case 503: .unavailable
            default: .badRequest
            }
        let error = ServiceError(
            code, refusal.detail, retryAfterSeconds: [429, 503].contains(refusal.status) ? 1 : nil)
        let requestID = newRequestID()
        return finished(Problem.response(error, to: "", requestID: requestID, status: refusal.status), requestID)
    }

    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        let requestID = Self.newRequestID()
        return await LogContext.$request.withValue(requestID) { await respond(to: request, as: requestID) }
    }

    private func respond(to request: HTTPRequest, as requestID: String) async -> HTTPResponse {
        let began = Clocks.now()
        let found = matches(request)
        var response: HTTPResponse
        do throws(ServiceError) {
            response = try await route(request, found, requestID)
        } catch {
            if error.code == .internalError {
                log.error(error.detail, ["path": Self.loggedPath(of: found)])
            }
            response = Problem.response(error, to: request.target.path, requestID: requestID)
            if error.code == .methodNotAllowed { response.headers["Allow"] = Self.allowed(found) }
        }
        allow(request.headers["Origin"], in: &response)
        note(request, found, response.status, after: Clocks.now() - began)
        return Self.finished(response, requestID)
    }

    /// The access line, and the figures. What only looks, and finds, is told at `debug`.
    private func note(_ request: HTTPRequest, _ found: [Match], _ status: Int, after time: Duration) {
        traffic.note(route: found.first?.route.path, method: request.method, status: status, after: time)
        let fields: KeyValuePairs<String, any CustomStringConvertible> = [
            "method": request.method, "path": Self.loggedPath(of: found), "status": status,
            "ms": Int((time.inSeconds * 1000).rounded()), "remote": proxies.client(of: request),
        ]
        let isLook = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS"
        if status >= 500, status != 501 {
            log.warning("request", fields)
        } else if isLook && status < 400 {
            log.debug("request", fields)
        } else {
            log.info("request", fields)
        }
    }

    /// The path as the route has it, with ids filled in; never what may be a secret (a session, a signed link, a key), and
    /// nothing of a path that no route has: an encoder that is set up wrongly puts its key there.
    static func loggedPath(of found: [(route: Route, names: [String: String])]) -> String {
        guard let (route, names) = found.first else { return "none" }
        return "/"
            + route.path.split(separator: "/").map { part in
                guard part.hasPrefix("{") else { return String(part) }
                let name = part.dropFirst().dropLast()
                return shownNames.contains(String(name)) ? names[String(name)] ?? String(part) : String(part)
            }.joined(separator: "/")
    }

    private static let shownNames: Set<String> = ["id", "room", "identity", "track", "output", "name"]

    private func route(
        _ request: HTTPRequest, _ found: [Match], _ requestID: String
    ) async throws(ServiceError) -> HTTPResponse {
        let method = request.method == "HEAD" ? "GET" : request.method
        guard !found.isEmpty else {
            throw ServiceError(.notFound, "There is nothing at \(request.target.path).")
        }
        if method == "OPTIONS" { return HTTPResponse(status: 204, headers: ["Allow": Self.allowed(found)]) }
        guard let (route, names) = found.first(where: { $0.route.method == method }) else {
            throw ServiceError(.methodNotAllowed, "\(request.method) is not a method of \(request.target.path).")
        }
        var caller = Caller(keyID: "", grants: .init())
        if case .grant(let grant) = route.access {
            caller = try Authorization(keys: service.configuration.keys).caller(of: request)
            guard grant.isHeld(by: caller) else {
                throw ServiceError(.permissionDenied, "The token has no grant `\(grant.rawValue)`.")
            }
        }
        if method == "POST" {
            let rate = service.configuration.limits.postsPerSecondPerAddress
            let network = PeerNetwork.of(proxies.client(of: request))
            try flood.admit(network, postsPerSecond: rate, at: Clocks.now())
        }
        let body = route.takesBody ? try Self.body(of: request) : .null
        return try await run(
            route,
            RouteRequest(
                http: request, id: requestID, caller: caller, names: names, body: body, traffic: traffic))
    }

    private func run(_ route: Route, _ request: RouteRequest) async throws(ServiceError) -> HTTPResponse {
        guard route.method == "POST", let key = request.http.headers["Idempotency-Key"] else {
            return try await route.run(service, request)
        }
        switch try await Idempotency.begin(key, request.http, caller: request.caller, store: service.store) {
        case .replay(let response): return response
        case .fresh(let idempotency):
            var request = request
            request.idempotency = idempotency
            let response: HTTPResponse
            do throws(ServiceError) {
                response = try await route.run(service, request)
            } catch {
                await idempotency.end(with: HTTPResponse(status: error.code.status))
                throw error
            }
            await idempotency.end(with: response)
            return response
        }
    }

    /// The body as JSON; an empty one is an empty object, so that verbs need none.
    private static func body(of request: HTTPRequest) throws(ServiceError) -> JSONValue {
        guard !request.body.isEmpty else { return .object([]) }
        let type = request.headers["Content-Type"]?.lowercased() ?? ""
        let media = type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        guard media == "application/json" || media == "application/merge-patch+json" else {
            throw ServiceError(.unsupportedMediaType, "The body is `\(type.prefix(64))`, not application/json.")
        }
        do throws(JSONError) {
            return try JSONValue(parsing: request.body)
        } catch {
            throw ServiceError(.invalidJSON, "The body is not JSON: \(error).")
        }
    }

    private typealias Match = (route: Route, names: [String: String])

    /// The routes at a path, each with what stands in the place of its names.
    private func matches(_ request: HTTPRequest) -> [Match] {
        Route.all.compactMap { route in route.match(request.target.segments).map { (route, $0) } }
    }

    private static func allowed(_ found: [Match]) -> String {
        let methods = Set(found.map(\.route.method)).union(["OPTIONS"])
        return (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted().joined(separator: ", ")
    }

    /// Lets a page of an origin that the configuration names read the answer (Fetch, CORS protocol).
    private func allow(_ origin: String?, in response: inout HTTPResponse) {
        let origins = service.configuration.http.corsOrigins
        guard !origins.isEmpty else { return }
        // On every answer: a segment that was fetched without an origin is not to be used for one that names one.
        response.headers["Vary"] = "Origin"
        guard let origin, origins.contains(origin) || origins.contains("*") else { return }
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] =
            "Location, ETag, X-Request-Id, Idempotency-Replayed, Accept-Ranges, Content-Range, Content-Length"
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, Range"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PATCH, DELETE, OPTIONS"
        response.headers["Access-Control-Max-Age"] = "600"
    }

    private static func finished(_ response: HTTPResponse, _ requestID: String) -> HTTPResponse {
        var response = response
        response.headers["X-Request-Id"] = requestID
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.headers["Cache-Control"] == nil { response.headers["Cache-Control"] = "no-store" }
        return response
    }

    private static func newRequestID() -> String {
        var generator = SystemRandomNumberGenerator()
        return "RQ_" + Identifier.text(length: 12, using: &generator)
    }
}
