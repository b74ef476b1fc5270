import Config
import HTTPServer
import JSON
import Service

extension Route {
    static let egress: [Route] = [
        Route("POST", "/v1/egress", .grant(.roomRecord), body: true) { service, request throws(ServiceError) in
            let wanted = try CreateEgress(request.body)
            let record = try await service.createEgress(
                wanted, caller: request.caller,
                answer: request.answer { record throws(ServiceError) in
                    try created(record, at: "/v1/egress/\(record.id)")
                })
            return try created(record, at: "/v1/egress/\(record.id)")
        },
        Route("GET", "/v1/egress", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.egresses(try request.list(), caller: request.caller))
        },
        Route("GET", "/v1/egress/{id}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.egress(request["id"], caller: request.caller))
        },
        Route("PATCH", "/v1/egress/{id}", .grant(.roomRecord), body: true) { service, request throws(ServiceError) in
            let patch = try PatchEgress(request.body)
            return try .json(200, try await service.updateEgress(request["id"], patch, caller: request.caller))
        },
        Route("DELETE", "/v1/egress/{id}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try await service.deleteEgress(request["id"], caller: request.caller)
            return .noContent
        },
        Route("POST", "/v1/egress/{id}/stop", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            try verb(try await service.stopEgress(request["id"], caller: request.caller))
        },
        Route("POST", "/v1/egress/{id}/pause", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            try verb(try await service.pauseEgress(request["id"], caller: request.caller))
        },
        Route("POST", "/v1/egress/{id}/resume", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            try verb(try await service.resumeEgress(request["id"], caller: request.caller))
        },
        Route("POST", "/v1/egress/{id}/split", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            try verb(try await service.splitEgress(request["id"], caller: request.caller))
        },
        Route("POST", "/v1/egress/{id}/markers", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            let marker = try CreateMarker(request.body)
            return try verb(try await service.markEgress(request["id"], marker, caller: request.caller))
        },
        Route("POST", "/v1/egress/{id}/outputs", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            let output = try OutputRequest(request.body)
            return try .json(
                202, try await service.addOutput(output, toEgress: request["id"], caller: request.caller))
        },
        Route("DELETE", "/v1/egress/{id}/outputs/{output}", .grant(.roomRecord)) {
            service, request throws(ServiceError) in
            try .json(
                202,
                try await service.removeOutput(request["output"], fromEgress: request["id"], caller: request.caller))
        },
        Route("GET", "/v1/egress/{id}/outputs/{output}/file", .grant(.roomRecord)) {
            service, request throws(ServiceError) in
            let file = try await service.file(
                ofOutput: request["output"], egress: request["id"], caller: request.caller)
            return try FileAnswer.response(file, to: request)
        },
        Route("GET", "/v1/egress/{id}/files", .grant(.roomRecord)) { service, request throws(ServiceError) in
            let files = try await service.files(ofEgress: request["id"], caller: request.caller)
            return try .json(200, Page(items: files))
        },
        Route("GET", "/v1/egress/{id}/files/{path...}", .grant(.roomRecord)) { service, request throws(ServiceError) in
            let file = try await service.file(request["path"], ofEgress: request["id"], caller: request.caller)
            return try FileAnswer.response(file, to: request)
        },
        Route("POST", "/v1/egress/{id}/links", .grant(.roomRecord), body: true) {
            service, request throws(ServiceError) in
            let scheme = service.configuration.http.tls == nil ? "http" : "https"
            let http = service.configuration.http
            let host = request.http.headers["Host"] ?? "\(http.host):\(http.port)"
            let links = try await service.createLinks(
                toEgress: request["id"], try CreateLinks(request.body), base: "\(scheme)://\(host)",
                caller: request.caller)
            return try .json(201, links)
        },
        Route("GET", "/hls/{link}/{id}/{output}/{file}", .open) { service, request throws(ServiceError) in
            let file = try await service.linkedFile(
                request["file"], ofOutput: request["output"], egress: request["id"], link: request["link"])
            return try FileAnswer.response(file, to: request, isDownload: false)
        },
        Route("GET", "/v1/egress/{id}/manifest", .grant(.roomRecord)) { service, request throws(ServiceError) in
            try .json(200, try await service.manifest(ofEgress: request["id"], caller: request.caller))
        },
    ]

    /// 202 for what was set going, 200 for what was asked before.
    private static func verb(_ outcome: Outcome<EgressRecord>) throws(ServiceError) -> HTTPResponse {
        try .json(outcome.didChange ? 202 : 200, outcome.record)
    }
}
