import HTTPServer
import JSON
import JWT
import Service
import Spec
import Testing

@Suite("Authorization", .rfc(6750, "3"))
struct AuthorizationTests {
    static let refused: [(header: String, code: String)] = [
        ("", "token_missing"), ("Basic a2V5OnNlY3JldA==", "token_malformed"), ("Bearer", "token_malformed"),
        ("Bearer x", "token_malformed"), ("Bearer a.b.c", "token_malformed"), ("Bearer a b", "token_malformed"),
        ("Bearer \(Gateway.token(lifetime: .seconds(-10)))", "token_expired"),
        ("Bearer \(Gateway.token(secret: "another secret"))", "token_invalid"),
        ("Bearer \(Gateway.token(key: "nobody"))", "token_invalid"),
    ]

    @Test("tells what is wrong with a token, but not whether its key exists")
    func refusals() async throws {
        try await Gateway.with { gateway in
            for (header, code) in Self.refused {
                let reply = try await gateway.ask("GET", "/v1/rooms", token: nil, headers: [("Authorization", header)])
                #expect(reply.status == 401)
                #expect(reply.code == code)
                #expect(reply.headers["WWW-Authenticate"]?.hasPrefix("Bearer realm=") == true)
            }
            let texts = try await [Gateway.token(secret: "x"), Gateway.token(key: "nobody")].asyncMap {
                try await gateway.ask("GET", "/v1/rooms", token: $0).json["detail"]
            }
            #expect(texts[0] == texts[1])
            let scheme = try await gateway.ask(
                "GET", "/v1/rooms", token: nil, headers: [("Authorization", "bearer  \(Gateway.token())")])
            #expect(scheme.status == 200)
        }
    }

    static let grants: [(method: String, path: String, grant: String)] = [
        ("POST", "/v1/rooms", "roomCreate"), ("DELETE", "/v1/rooms/x", "roomCreate"), ("GET", "/v1/rooms", "roomList"),
        ("DELETE", "/v1/rooms/x/participants/y", "roomAdmin"), ("GET", "/v1/egress", "roomRecord"),
        ("POST", "/v1/egress", "roomRecord"), ("POST", "/v1/ingress", "ingressAdmin"),
        ("GET", "/v1/jobs", "roomRecord"),
    ]

    @Test("names the grant that a token lacks")
    func missingGrants() async throws {
        try await Gateway.with { gateway in
            let bare = Gateway.token { $0 = .init() }
            for (method, path, grant) in Self.grants {
                let reply = try await gateway.ask(method, path, method == "POST" ? "{}" : nil, token: bare)
                #expect(reply.status == 403)
                #expect(reply.json["detail"]?.string?.contains("`\(grant)`") == true)
            }
        }
    }

    @Test("a key that is limited to rooms, or a token to one, sees only theirs")
    func rooms() async throws {
        try await Gateway.with { gateway in
            for room in ["acme-1", "other"] {
                #expect(try await gateway.ask("POST", "/v1/rooms", #"{"name":"\#(room)"}"#).status == 201)
            }
            let key = Gateway.token(key: "acme")
            let token = Gateway.token { $0.room = "acme-1" }
            for limited in [key, token] {
                let list = try await gateway.ask("GET", "/v1/rooms", token: limited)
                #expect(list.json["items"]?.array?.compactMap { $0["name"]?.string } == ["acme-1"])
                #expect(try await gateway.ask("GET", "/v1/rooms/other", token: limited).status == 404)
                #expect(try await gateway.ask("DELETE", "/v1/rooms/other", token: limited).status == 404)
                let egress = #"{"room":"other","outputs":[{"type":"mp4"}]}"#
                #expect(try await gateway.ask("POST", "/v1/egress", egress, token: limited).status == 404)
                let ingress = #"{"type":"rtmp","room":"other"}"#
                #expect(try await gateway.ask("POST", "/v1/ingress", ingress, token: limited).status == 404)
            }
            // Resources of other rooms do not exist either.
            let made = try await gateway.ask("POST", "/v1/egress", #"{"room":"other","outputs":[{"type":"mp4"}]}"#)
            let ingress = try await gateway.ask("POST", "/v1/ingress", #"{"type":"rtmp","room":"other"}"#)
            let paths = [
                "/v1/egress/\(made.json["id"]?.string ?? "")", "/v1/ingress/\(ingress.json["id"]?.string ?? "")",
            ]
            for path in paths {
                #expect(try await gateway.ask("GET", path).status == 200)
                #expect(try await gateway.ask("GET", path, token: key).status == 404)
                #expect(try await gateway.ask("DELETE", path, token: key).status == 404)
            }
            for list in ["/v1/egress", "/v1/ingress", "/v1/jobs"] {
                #expect(try await gateway.ask("GET", list, token: key).json["items"] == [])
            }
        }
    }
}

extension Array {
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
