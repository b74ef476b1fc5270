import HTTPServer
import JSON
import Spec
import Testing

@Suite("Requests that come at once")
struct ConcurrencyTests {
    @Test("add one output of an id, and leave one tape", arguments: ["tape", "mp4"])
    func outputs(type: String) async throws {
        try await Gateway.with { gateway in
            let body = #"{"room":"demo","createRoom":true,"outputs":[{"type":"mp4"}]}"#
            let path = try #require(try await gateway.ask("POST", "/v1/egress", body).headers["Location"])
            let replies = try await all(8) { _ in
                try await gateway.ask("POST", "\(path)/outputs", #"{"id":"more","type":"\#(type)"}"#)
            }
            #expect(replies.map(\.status).sorted() == [202] + Array(repeating: 409, count: 7))
            let outputs = try await gateway.ask("GET", path).json["outputs"]?.array ?? []
            #expect(outputs.map { $0["id"] } == ["mp4", "more"])
            let tapes = try await gateway.ask("GET", "/v1/tapes").json["items"]?.array
            #expect(tapes?.count == (type == "tape" ? 1 : 0))
        }
    }

    @Test("add no more outputs than an egress takes")
    func outputLimit() async throws {
        try await Gateway.with { gateway in
            let body = #"{"room":"demo","createRoom":true,"outputs":[{"type":"mp4"}]}"#
            let path = try #require(try await gateway.ask("POST", "/v1/egress", body).headers["Location"])
            let replies = try await all(20) { number in
                try await gateway.ask("POST", "\(path)/outputs", #"{"id":"n\#(number)","type":"mp4"}"#)
            }
            #expect(replies.count { $0.status == 202 } == 15)
            #expect(replies.count { $0.code == "conflict" } == 5)
        }
    }

    @Test("change an ingress each, or are refused: none takes back what another changed")
    func ingressPatches() async throws {
        try await Gateway.with { gateway in
            let made = try await gateway.ask("POST", "/v1/ingress", #"{"type":"rtmp","room":"demo"}"#)
            let path = try #require(made.headers["Location"])
            for round in 0..<20 {
                let patches = ["name", "participantName", "identity"].map { (field: $0, value: "\($0) \(round)") }
                let replies = try await all(patches.count + 1) { number in
                    guard number < patches.count else { return try await gateway.ask("POST", "\(path)/rotate-key") }
                    let (field, value) = patches[number]
                    return try await gateway.ask("PATCH", path, #"{"\#(field)":"\#(value)"}"#)
                }
                let record = try await gateway.ask("GET", path).json
                for (number, patch) in patches.enumerated() where replies[number].status == 200 {
                    #expect(record[patch.field]?.string == patch.value)
                }
                if replies[3].status == 200 { #expect(record["streamKey"] == replies[3].json["streamKey"]) }
                #expect(replies.allSatisfy { $0.status == 200 || $0.status == 409 })
            }
        }
    }

    @Test("name a room of another spelling, which is another room's name for people only")
    func spellings() async throws {
        try await Gateway.with { gateway in
            #expect(try await gateway.ask("POST", "/v1/rooms", #"{"name":"acm\u00e9-1"}"#).status == 201)
            for path in ["/v1/rooms", "/v1/ingress"] {
                let name = path == "/v1/rooms" ? #""name""# : #""type":"rtmp","room""#
                let reply = try await gateway.ask("POST", path, #"{\#(name):"acme\u0301-1"}"#)
                #expect(reply.code == "conflict")
            }
            let egress = #"{"room":"acme\u0301-1","outputs":[{"type":"mp4"}]}"#
            #expect(try await gateway.ask("POST", "/v1/egress", egress).status == 404)
            #expect(try await gateway.ask("GET", "/v1/rooms/acme%CC%81-1").status == 404)
            #expect(try await gateway.ask("GET", "/v1/rooms/acm%C3%A9-1").status == 200)
        }
    }
}

/// What `body` gives for 0, 1, …, all asked for at once; in their order.
private func all(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Reply
) async throws -> [Reply] {
    try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
        for number in 0..<count { group.addTask { (number, try await body(number)) } }
        var replies: [Int: Reply] = [:]
        for try await (number, reply) in group { replies[number] = reply }
        return (0..<count).compactMap { replies[$0] }
    }
}
