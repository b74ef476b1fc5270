import HTTPServer
import JSON
import Service

extension Route {
    static let rooms: [Route] = [
        Route("POST", "/v1/rooms", .grant(.roomCreate), body: true) { service, request throws(ServiceError) in
            let wanted = try CreateRoom(request.body)
            let made = try await service.createRoom(
                wanted, caller: request.caller,
                answer: request.answer { record throws(ServiceError) in
                    try created(record, at: "/v1/rooms/\(record.id)")
                })
            return made.didChange
                ? try created(made.record, at: "/v1/rooms/\(made.record.id)") : try .json(200, made.record)
        },
        Route("GET", "/v1/rooms", .grant(.roomList)) { service, request throws(ServiceError) in
            try .json(200, try await service.rooms(try request.list(), caller: request.caller))
        },
        Route("GET", "/v1/rooms/{room}", .grant(.roomList)) { service, request throws(ServiceError) in
            try .json(200, try await service.room(request["room"], caller: request.caller))
        },
        Route("DELETE", "/v1/rooms/{room}", .grant(.roomCreate)) { service, request throws(ServiceError) in
            try await service.deleteRoom(request["room"], caller: request.caller)
            return .noContent
        },
        Route("GET", "/v1/rooms/{room}/participants", .grant(.roomList)) { service, request throws(ServiceError) in
            try .json(
                200, try await service.participants(of: request["room"], try request.list(), caller: request.caller))
        },
        Route("DELETE", "/v1/rooms/{room}/participants/{identity}", .grant(.roomAdmin)) {
            service, request throws(ServiceError) in
            try await service.removeParticipant(request["identity"], from: request["room"], caller: request.caller)
            return .noContent
        },
    ]

    static func created(_ record: some Encodable, at path: String) throws(ServiceError) -> HTTPResponse {
        var response = try HTTPResponse.json(201, record)
        response.headers["Location"] = path
        return response
    }
}

extension RouteRequest {
    func list() throws(ServiceError) -> ListQuery { try ListQuery(query: http.target.query) }

    /// Makes what the store keeps of the answer, from the record that the commit makes.
    func answer<Record>(
        _ respond: @escaping @Sendable (Record) throws(ServiceError) -> HTTPResponse
    ) -> Answer<Record>? {
        guard let idempotency else { return nil }
        return { record in (try? respond(record)).flatMap { idempotency.answer($0) } }
    }
}
