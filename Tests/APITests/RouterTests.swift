import HTTPServer
import JSON
import Spec
import Testing

@testable import API

@Suite("Router")
struct RouterTests {
    static let rows: [(method: String, target: String, body: String?, status: Int, code: String?)] = [
        ("GET", "/", nil, 200, nil), ("GET", "/healthz", nil, 200, nil), ("HEAD", "/healthz", nil, 200, nil),
        ("GET", "//v1//rooms", nil, 200, nil), ("GET", "/v1/rooms?limit=0", nil, 422, "invalid_request"),
        ("GET", "/v1/nothing", nil, 404, "not_found"), ("GET", "/rtc", nil, 404, "not_found"),
        ("GET", "/rtc/validate", nil, 404, "not_found"),
        ("POST", "/twirp/livekit.Egress/ListEgress", "{}", 404, "not_found"),
        ("POST", "/whip/v1", "{}", 404, "not_found"), ("GET", "/agent", nil, 404, "not_found"),
        ("GET", "/settings/x", nil, 404, "not_found"), ("GET", "/v1/rooms/none", nil, 404, "not_found"),
        ("GET", "/v1/egress/EG_none", nil, 404, "not_found"),
        ("POST", "/v1/egress/EG_none/links", nil, 404, "not_found"),
        ("GET", "/hls/public/EG_none/live/index.m3u8", nil, 404, "not_found"),
        ("GET", "/hls/AAAA/EG_none/live/index.m3u8", nil, 403, "link_invalid"),
        ("GET", "/v1/ingress/IN_none", nil, 404, "not_found"),
        ("GET", "/v1/jobs/JB_none", nil, 404, "not_found"), ("POST", "/v1/egress/EG_none/stop", nil, 404, "not_found"),
        ("GET", "/v1/egress/EG_none/files/..%2f..%2fetc%2fpasswd", nil, 404, "not_found"),
        ("PUT", "/v1/rooms", nil, 405, "method_not_allowed"), ("DELETE", "/healthz", nil, 405, "method_not_allowed"),
        ("POST", "/v1/rooms", "{", 400, "invalid_json"), ("POST", "/v1/rooms", "", 422, "invalid_request"),
        ("POST", "/v1/rooms", "[]", 422, "invalid_request"),
        ("POST", "/v1/egress", #"{"room":"x","outputs":[{"type":"webm"}]}"#, 501, "not_supported"),
        ("POST", "/v1/egress", #"{"room":"nowhere","outputs":[{"type":"mp4"}]}"#, 404, "not_found"),
        ("POST", "/v1/compositions", "{}", 501, "not_supported"), ("GET", "/v1/tapes", nil, 200, nil),
        ("GET", "/v1/tapes/TP_none", nil, 404, "not_found"), ("DELETE", "/v1/tapes/TP_none", nil, 404, "not_found"),
        ("GET", "/v1/tapes?cursor=x", nil, 422, "invalid_request"),
        ("POST", "/v1/egress/EG_x/pause", nil, 404, "not_found"), ("GET", "/v1/events", nil, 501, "not_supported"),
    ]

    @Test("answers each path as the API says, errors as problem documents", .rfc(9457, "3"))
    func rows() async throws {
        try await Gateway.with { gateway in
            for (method, target, body, status, code) in Self.rows {
                let reply = try await gateway.ask(method, target, body)
                #expect(reply.status == status, "\(method) \(target)")
                #expect(reply.code == code || code == nil, "\(method) \(target)")
                let id = reply.headers["X-Request-Id"]
                #expect(id?.isEmpty == false)
                #expect(reply.headers["X-Content-Type-Options"] == "nosniff")
                guard code != nil else { continue }
                #expect(reply.headers["Content-Type"] == "application/problem+json")
                #expect(reply.json["requestId"]?.string == id)
                #expect(reply.json["status"] == .integer(Int64(status)))
                for name in ["type", "title", "detail", "remedy", "instance"] {
                    #expect(reply.json[name]?.string?.isEmpty == false, "\(method) \(target): \(name)")
                }
            }
        }
    }

    @Test("names the methods of a resource", .rfc(9110, "15.5.6"))
    func allow() async throws {
        try await Gateway.with { gateway in
            let reply = try await gateway.ask("PUT", "/v1/egress/EG_x", token: nil)
            #expect(reply.status == 405)
            #expect(reply.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH")
            let options = try await gateway.ask("OPTIONS", "/v1/rooms", token: nil)
            #expect(options.status == 204)
            #expect(options.headers["Allow"] == "GET, HEAD, OPTIONS, POST")
        }
    }

    @Test("takes JSON bodies only")
    func mediaTypes() async throws {
        try await Gateway.with { gateway in
            for type in [
                "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                "multipart/form-data; boundary=x",
            ] {
                let reply = try await gateway.ask(
                    "POST", "/v1/rooms", #"{"name":"x"}"#, headers: [("Content-Type", type)])
                #expect(reply.status == 415)
            }
            let charset = [("Content-Type", "Application/JSON; charset=utf-8")]
            #expect(try await gateway.ask("POST", "/v1/rooms", #"{"name":"x"}"#, headers: charset).status == 201)
        }
    }

    @Test("lets origins of the configuration read the answers, and no others")
    func cors() async throws {
        try await Gateway.with(corsOrigins: ["https://app.example"]) { gateway in
            let good = try await gateway.ask("GET", "/v1/rooms", headers: [("Origin", "https://app.example")])
            #expect(good.headers["Access-Control-Allow-Origin"] == "https://app.example")
            #expect(good.headers["Vary"] == "Origin")
            let bad = try await gateway.ask("GET", "/v1/rooms", headers: [("Origin", "https://evil.example")])
            #expect(bad.headers["Access-Control-Allow-Origin"] == nil)
            let none = try await gateway.ask("GET", "/v1/rooms")
            #expect(none.headers["Access-Control-Allow-Origin"] == nil && none.headers["Vary"] == "Origin")
            let preflight = try await gateway.ask(
                "OPTIONS", "/v1/egress", token: nil, headers: [("Origin", "https://app.example")])
            #expect(preflight.status == 204)
            #expect(preflight.headers["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
        }
    }

    @Test("gives a page to a browser, OK to a probe")
    func home() async throws {
        try await Gateway.with { gateway in
            #expect(try await gateway.ask("GET", "/", token: nil).text == "OK\n")
            let page = try await gateway.ask("GET", "/", token: nil, headers: [("Accept", "text/html,*/*")])
            #expect(page.text.contains("<h1>Sluice</h1>"))
        }
    }

    @Test("says what keeps the gateway from being ready")
    func readiness() async throws {
        try await Gateway.with { gateway in
            let reply = try await gateway.ask("GET", "/readyz", token: nil)
            #expect(reply.status == 503)  // it has no worker
            #expect(reply.json["ready"] == false)
            let checks = reply.json["checks"]?.array ?? []
            #expect(checks.first { $0["name"] == "workers" }?["ok"] == false)
            #expect(checks.first { $0["name"] == "store" }?["ok"] == true)
        }
    }

    @Test("what the server refuses is a problem document too")
    func refusal() {
        for status in [400, 413, 431, 503, 505] {
            let reply = Reply(API.refusal(HTTPRefusal(status: status, detail: "It is so.")))
            #expect(reply.status == status)
            #expect(reply.json["status"] == .integer(Int64(status)))
            #expect(reply.json["requestId"]?.string == reply.headers["X-Request-Id"])
        }
    }
}

@Suite("OpenAPI document")
struct DescriptionTests {
    @Test("describes every route, and no other")
    func routes() throws {
        let document = try JSONValue(parsing: try Document.json())
        guard case .object(let paths)? = document["paths"] else { return #expect(Bool(false), "no paths") }
        var described: Set<String> = []
        var ids: Set<String> = []
        for path in paths {
            guard case .object(let members) = path.value else { continue }
            for operation in members where operation.name != "parameters" {
                described.insert("\(operation.name.uppercased()) \(path.name)")
                let isNew = ids.insert(operation.value["operationId"]?.string ?? "").inserted
                #expect(isNew, "\(path.name) has another's operationId")
                #expect(operation.value["summary"]?.string?.isEmpty == false)
            }
        }
        let routes = Set(Route.all.map { "\($0.method) \($0.path.replacing("{path...}", with: "{path}"))" })
        #expect(described == routes)
    }

    @Test("refers only to what it holds")
    func references() throws {
        let document = try JSONValue(parsing: try Document.json())
        var count = 0
        func check(_ value: JSONValue) {
            switch value {
            case .object(let members):
                for member in members {
                    if member.name == "$ref", let target = member.value.string {
                        count += 1
                        let found = target.split(separator: "/").dropFirst().reduce(Optional(document)) {
                            $0?[String($1)]
                        }
                        #expect(found != nil, "\(target)")
                    }
                    check(member.value)
                }
            case .array(let elements): for element in elements { check(element) }
            default: break
            }
        }
        check(document)
        #expect(count > 100)
    }

    @Test("has each field of each record", arguments: RecordSamples.all)
    func records(name: String, json: JSONValue) throws {
        let schema = try JSONValue(parsing: try Document.json())["components"]?["schemas"]?[name]
        guard case .object(let properties)? = schema?["properties"], case .object(let members) = json else {
            return #expect(Bool(false), "no schema \(name)")
        }
        #expect(properties.map(\.name) == members.map(\.name))
        #expect(schema?["required"]?.array?.compactMap(\.string) == members.map(\.name))
    }
}
