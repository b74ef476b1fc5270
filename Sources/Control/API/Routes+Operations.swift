import HTTPServer
import JSON
import Service

extension Route {
    static let operations: [Route] = [
        Route("GET", "/v1/jobs", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.jobs(try request.list(), caller: request.caller))
        },
        Route("GET", "/v1/jobs/{id}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.job(request["id"], caller: request.caller))
        },
        Route("GET", "/v1/workers", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, Page(items: try await service.workers(caller: request.caller)))
        },
        Route("GET", "/v1/pipelines", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, Page(items: try await service.pipelines(caller: request.caller)))
        },
        Route("GET", "/v1/pipelines/{name}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.pipeline(request["name"], caller: request.caller))
        },
        Route("POST", "/v1/reload", .grant(.roomCreate)) { service, request throws(ServiceError) in
            try .json(200, try await service.reload(caller: request.caller))
        },
        Route("POST", "/v1/drain", .grant(.roomCreate), body: true) { service, request throws(ServiceError) in
            try .json(202, try await service.requestDrain(caller: request.caller))
        },
        Route("GET", "/healthz", .open) { service, _ throws(ServiceError) in
            let checks = service.liveness()
            return try .json(checks.allSatisfy(\.ok) ? 200 : 503, Readiness(checks: checks))
        },
        Route("GET", "/readyz", .open) { service, _ throws(ServiceError) in
            let readiness = await service.readiness()
            return try .json(readiness.ready ? 200 : 503, readiness)
        },
        Route("GET", "/metrics", .open) { service, request throws(ServiceError) in
            MetricsText.response(await service.metrics() + request.traffic.families)
        },
        Route("GET", "/v1/openapi.json", .open) { _, _ throws(ServiceError) in
            HTTPResponse(
                status: 200, headers: ["Content-Type": "application/json"], body: .bytes(try Document.json()))
        },
        Route("GET", "/", .open) { _, request throws(ServiceError) in
            guard request.http.headers["Accept"]?.contains("text/html") == true else {
                return HTTPResponse(
                    status: 200, headers: ["Content-Type": "text/plain; charset=utf-8"],
                    body: .bytes(Array("OK\n".utf8)))
            }
            return HTTPResponse(
                status: 200, headers: ["Content-Type": "text/html; charset=utf-8"],
                body: .bytes(Array(HomePage.html.utf8)))
        },
    ]

    /// What API.md names and a later version builds: 501 for those who may ask for it.
    static let later: [Route] = [
        ("POST", "/v1/compositions", Grant.roomRecord),
        ("GET", "/v1/compositions", .roomRecord), ("GET", "/v1/compositions/{id}", .roomRecord),
        ("GET", "/v1/events", .roomRecord),
        ("POST", "/v1/rooms/{room}/whip", .roomList), ("POST", "/v1/rooms/{room}/whep", .roomList),
        ("POST", "/v1/rooms/{room}/participants/{identity}/tracks/{track}/mute", .roomAdmin),
    ].map { method, path, grant in
        Route(method, path, .grant(grant)) { _, _ throws(ServiceError) in
            throw ServiceError(.notSupported, "This version does not have \(method) \(path).")
        }
    }

    static let all = rooms + ingress + egress + tapes + operations + later
}
