import HTTPServer
import JSON
import Service

extension Route {
    static let tapes: [Route] = [
        Route("GET", "/v1/tapes", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.tapes(try request.list(), caller: request.caller))
        },
        Route("GET", "/v1/tapes/{id}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.tape(request["id"], caller: request.caller))
        },
        Route("DELETE", "/v1/tapes/{id}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try await service.deleteTape(request["id"], caller: request.caller)
            return .noContent
        },
    ]
}
