import HTTPServer
import JSON
import Service

extension Route {
    static let ingress: [Route] = [
        Route("POST", "/v1/ingress", .grant(.ingressAdmin), body: true) { service, request throws(ServiceError) in
            let wanted = try CreateIngress(request.body)
            let record = try await service.createIngress(
                wanted, caller: request.caller,
                answer: request.answer { record throws(ServiceError) in
                    try created(record, at: "/v1/ingress/\(record.id)")
                })
            return try created(record, at: "/v1/ingress/\(record.id)")
        },
        Route("GET", "/v1/ingress", .grant(.ingressAdmin)) { service, request throws(ServiceError) in
            try .json(200, try await service.ingresses(try request.list(), caller: request.caller))
        },
        Route("GET", "/v1/ingress/{id}", .grant(.ingressAdmin)) { service, request throws(ServiceError) in
            try .json(200, try await service.ingress(request["id"], caller: request.caller))
        },
        Route("PATCH", "/v1/ingress/{id}", .grant(.ingressAdmin), body: true) {
            service, request throws(ServiceError) in
            let patch = try PatchIngress(request.body)
            return try .json(200, try await service.updateIngress(request["id"], patch, caller: request.caller))
        },
        Route("DELETE", "/v1/ingress/{id}", .grant(.ingressAdmin)) { service, request throws(ServiceError) in
            try await service.deleteIngress(request["id"], caller: request.caller)
            return .noContent
        },
        Route("POST", "/v1/ingress/{id}/rotate-key", .grant(.ingressAdmin), body: true) {
            service, request throws(ServiceError) in
            let rotate = try RotateKey(request.body)
            return try .json(
                200, try await service.rotateKey(ofIngress: request["id"], rotate, caller: request.caller))
        },
    ]
}
