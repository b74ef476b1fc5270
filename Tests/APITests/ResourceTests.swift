import Foundation
import HTTPServer
import JSON
import Spec
import Testing

@Suite("Resources")
struct ResourceTests {
    @Test("a room is made once; the second POST gives the first")
    func rooms() async throws {
        try await Gateway.with { gateway in
            let made = try await gateway.ask("POST", "/v1/rooms", #"{"name":"demo","labels":{"a":"1"}}"#)
            #expect(made.status == 201)
            let location = try #require(made.headers["Location"])
            #expect(try await gateway.ask("GET", location).json["id"] == made.json["id"])
            let again = try await gateway.ask("POST", "/v1/rooms", #"{"name":"demo"}"#)
            #expect(again.status == 200)
            #expect(again.json["id"] == made.json["id"])
            #expect(try await gateway.ask("GET", "/v1/rooms/demo/participants").json["items"] == [])
            #expect(try await gateway.ask("DELETE", "/v1/rooms/demo").status == 204)
            #expect(try await gateway.ask("GET", "/v1/rooms/demo").status == 404)
        }
    }

    @Test("a list is cut into pages that miss and repeat nothing while entries come")
    func pages() async throws {
        try await Gateway.with { gateway in
            for number in 0..<7 {
                let body = #"{"type":"rtmp","room":"demo","name":"n\#(number)","labels":{"odd":"\#(number % 2)"}}"#
                #expect(try await gateway.ask("POST", "/v1/ingress", body).status == 201)
            }
            var names: [String] = []
            var path = "/v1/ingress?limit=3"
            for round in 0..<3 {
                let page = try await gateway.ask("GET", path)
                names += page.json["items"]?.array?.compactMap { $0["name"]?.string } ?? []
                if round == 0 {
                    _ = try await gateway.ask("POST", "/v1/ingress", #"{"type":"rtmp","room":"demo","name":"late"}"#)
                }
                guard let cursor = page.json["nextCursor"]?.string else { break }
                path = "/v1/ingress?limit=3&cursor=\(cursor)"
            }
            #expect(names == ["n6", "n5", "n4", "n3", "n2", "n1", "n0"])
            let odd = try await gateway.ask("GET", "/v1/ingress?label.odd=1")
            #expect(odd.json["items"]?.array?.compactMap { $0["name"]?.string } == ["n5", "n3", "n1"])
            #expect(try await gateway.ask("GET", "/v1/ingress?room=other").json["items"] == [])
        }
    }

    @Test("an ingress shows its key to POST and GET of one, and *** in lists")
    func keys() async throws {
        try await Gateway.with { gateway in
            let made = try await gateway.ask(
                "POST", "/v1/ingress", #"{"type":"rtmp","room":"demo","streamKey":"planted-stream-key"}"#)
            let id = made.json["id"]?.string ?? ""
            #expect(made.json["publish"]?["rtmp"]?["streamKey"] == "planted-stream-key")
            #expect(try await gateway.ask("GET", "/v1/ingress/\(id)").json["streamKey"] == "planted-stream-key")
            #expect(try await !gateway.ask("GET", "/v1/ingress").text.contains("planted-stream-key"))
            let taken = try await gateway.ask(
                "POST", "/v1/ingress", #"{"type":"rtmp","room":"demo","streamKey":"planted-stream-key"}"#)
            #expect(taken.status == 409)
            #expect(!taken.text.contains("planted-stream-key"))
            let patched = try await gateway.ask("PATCH", "/v1/ingress/\(id)", #"{"enabled":false,"name":"x"}"#)
            #expect(patched.status == 200)
            #expect(patched.json["enabled"] == false)
            let rotated = try await gateway.ask("POST", "/v1/ingress/\(id)/rotate-key")
            #expect(rotated.status == 200)
            #expect(rotated.json["streamKey"] != made.json["streamKey"])
            #expect(try await gateway.ask("DELETE", "/v1/ingress/\(id)").status == 204)
            #expect(try await gateway.ask("GET", "/v1/ingress/\(id)").status == 404)
        }
    }

    @Test("an egress goes its way: made, shown, patched, stopped twice, deleted")
    func egress() async throws {
        try await Gateway.with { gateway in
            let body = """
                {"room":"demo","createRoom":true,"outputs":[{"id":"film","type":"mp4"},
                {"id":"yt","type":"rtmp","url":"rtmp://127.0.0.1:9/live/planted-key"}],"labels":{"order":"4711"}}
                """
            let made = try await gateway.ask("POST", "/v1/egress", body)
            #expect(made.status == 201)
            let path = try #require(made.headers["Location"])
            #expect(made.json["outputs"]?.array?.count == 2)
            #expect(!made.text.contains("planted-key"))
            #expect(try await gateway.ask("GET", path).json["labels"] == ["order": "4711"])
            #expect(try await gateway.ask("GET", path + "/outputs/film/file").status == 404)
            #expect(try await gateway.ask("GET", path + "/files").json["items"] == [])
            #expect(try await gateway.ask("GET", path + "/manifest").status == 200)
            #expect(try await gateway.ask("DELETE", path).status == 409)
            let patched = try await gateway.ask("PATCH", path, #"{"labels":{"order":null,"x":"y"}}"#)
            #expect(patched.json["labels"] == ["x": "y"])
            #expect(try await gateway.ask("POST", path + "/outputs", #"{"id":"film","type":"mp4"}"#).status == 409)
            let stopped = try await gateway.ask("POST", path + "/stop")
            #expect(stopped.status == 202)
            try await gateway.waitUntilEnded(path)
            let state = try await gateway.ask("GET", path).json["state"]
            #expect(state == "aborted" || state == "failed")  // failed: it was with a worker that could not start
            #expect(try await gateway.ask("POST", path + "/stop").status == 200)
            #expect(try await gateway.ask("POST", path + "/outputs", #"{"type":"mp4"}"#).status == 409)
            let deleted = try await gateway.ask("DELETE", path)
            #expect(deleted.status == 204, "\(deleted.text)")
            #expect(try await gateway.ask("GET", "/v1/jobs").json["items"]?.array?.count == 1)
            for list in ["/v1/workers", "/v1/pipelines"] { #expect(try await gateway.ask("GET", list).status == 200) }
        }
    }
}

@Suite("Idempotency keys")
struct IdempotencyTests {
    @Test("fifty requests at once with one key make one egress")
    func fifty() async throws {
        try await Gateway.with { gateway in
            let body = #"{"room":"demo","createRoom":true,"outputs":[{"type":"mp4"}]}"#
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await gateway.ask("POST", "/v1/egress", body, headers: [("Idempotency-Key", "one")])
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 || $0.code == "request_running" })
            #expect(replies.filter { $0.status == 409 }.allSatisfy { $0.headers["Retry-After"] != nil })
            #expect(replies.filter { $0.status == 201 && $0.headers["Idempotency-Replayed"] == nil }.count == 1)
            #expect(try await gateway.ask("GET", "/v1/egress").json["items"]?.array?.count == 1)
        }
    }

    @Test("gives the first answer again, refuses another body, and forgets what was refused")
    func reuse() async throws {
        try await Gateway.with { gateway in
            let key = [("Idempotency-Key", "k1")]
            let first = try await gateway.ask("POST", "/v1/rooms", #"{"name":"demo"}"#, headers: key)
            let second = try await gateway.ask("POST", "/v1/rooms", #"{"name":"demo"}"#, headers: key)
            #expect(first.status == 201 && second.status == 201)
            #expect(first.bytes == second.bytes)
            #expect(second.headers["Idempotency-Replayed"] == "true")
            #expect(second.headers["Location"] == first.headers["Location"])
            let other = try await gateway.ask("POST", "/v1/rooms", #"{"name":"other"}"#, headers: key)
            #expect(other.status == 422)
            #expect(other.code == "idempotency_key_reused")
            // The scope is key and path: another API key, another path, is another request.
            let acme = try await gateway.ask(
                "POST", "/v1/rooms", #"{"name":"acme-1"}"#, token: Gateway.token(key: "acme"), headers: key)
            #expect(acme.status == 201)
            let wrong = [("Idempotency-Key", "k2")]
            #expect(try await gateway.ask("POST", "/v1/rooms", #"{"nam":"x"}"#, headers: wrong).status == 422)
            #expect(try await gateway.ask("POST", "/v1/rooms", #"{"name":"x"}"#, headers: wrong).status == 201)
            let long = [("Idempotency-Key", String(repeating: "k", count: 256))]
            #expect(try await gateway.ask("POST", "/v1/rooms", #"{"name":"y"}"#, headers: long).status == 400)
        }
    }
}
