import HTTPServer
import JSON
import Service

/// One request on its way to a route: who asks, what the path names, and the body once it was read.
struct RouteRequest: Sendable {
    var http: HTTPRequest
    /// What the answer's `X-Request-Id` and a problem's `requestId` say.
    var id: String
    var caller: Caller
    /// What stands in the place of the pattern's names.
    var names: [String: String]
    var body: JSONValue
    /// What the face itself counts, for `/metrics`.
    var traffic = HTTPTraffic()
    /// Stores the answer with the work, when the request has an idempotency key.
    var idempotency: Idempotency?

    subscript(name: String) -> String { names[name] ?? "" }
}

/// One method of one path: what it asks of the caller, and what it does.
struct Route: Sendable {
    enum Access: Sendable {
        case open
        case grant(Grant)
    }

    let method: String
    /// As `/v1/egress/{id}`; `{path...}` takes the rest.
    let path: String
    let access: Access
    /// A JSON body is read, and an idempotency key honoured.
    var takesBody: Bool
    let run: @Sendable (Service, RouteRequest) async throws(ServiceError) -> HTTPResponse

    init(
        _ method: String, _ path: String, _ access: Access, body: Bool = false,
        _ run: @escaping @Sendable (Service, RouteRequest) async throws(ServiceError) -> HTTPResponse
    ) {
        self.method = method
        self.path = path
        self.access = access
        takesBody = body
        self.run = run
    }

    /// The names of the path, if `segments` match it.
    func match(_ segments: [String]) -> [String: String]? {
        let pattern = path.split(separator: "/")
        var names: [String: String] = [:]
        for (index, part) in pattern.enumerated() {
            if part == "{path...}" {
                guard index < segments.count else { return nil }
                names["path"] = segments[index...].joined(separator: "/")
                return names
            }
            guard index < segments.count else { return nil }
            if part.hasPrefix("{") {
                names[String(part.dropFirst().dropLast())] = segments[index]
            } else if part != segments[index] {
                return nil
            }
        }
        return pattern.count == segments.count ? names : nil
    }
}

extension HTTPResponse {
    static func json(_ status: Int, _ value: some Encodable) throws(ServiceError) -> HTTPResponse {
        do {
            let bytes = try JSONValue(encoding: value).bytes
            return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
        } catch {
            throw ServiceError(.internalError, "A record cannot be shown: \(error)")
        }
    }

    static var noContent: HTTPResponse { HTTPResponse(status: 204) }
}
