import HTTPServer
import Testing

@testable import API

@Suite("Trusted proxies")
struct TrustedProxiesTests {
    static let rows: [(remote: String, forwarded: [String], client: String)] = [
        ("203.0.113.7", ["1.2.3.4"], "203.0.113.7"), ("10.1.2.3", [], "10.1.2.3"), ("10.1.2.3", ["1.2.3.4"], "1.2.3.4"),
        ("10.1.2.3", ["6.6.6.6, 1.2.3.4"], "1.2.3.4"), ("10.1.2.3", ["1.2.3.4, 10.9.9.9"], "1.2.3.4"),
        ("10.1.2.3", ["6.6.6.6", "1.2.3.4 ,::1"], "1.2.3.4"), ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("11.0.0.1", ["1.2.3.4"], "11.0.0.1"), ("10.1.2.3", [""], "10.1.2.3"),
        ("10.1.2.3", [String(repeating: "x", count: 46)], "10.1.2.3"),
    ]

    @Test("are believed, and nobody else", arguments: rows)
    func client(remote: String, forwarded: [String], client: String) throws {
        var headers = HTTPHeaders()
        for value in forwarded { headers.add("X-Forwarded-For", value) }
        let request = HTTPRequest(
            method: "GET", target: try RequestTarget(parsing: [0x2F]), headers: headers, remote: remote)
        #expect(TrustedProxies(["10.0.0.0/8", "::1"]).client(of: request) == client)
    }
}
