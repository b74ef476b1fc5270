import Testing

@testable import API

@Suite("Access lines")
struct AccessLineTests {
    static let rows: [(segments: [String], path: String)] = [
        (["v1", "egress", "EG_1"], "/v1/egress/EG_1"),
        (["v1", "rooms", "demo", "participants", "alice"], "/v1/rooms/demo/participants/alice"),
        (["v1", "egress", "EG_1", "files", "a", "b.mp4"], "/v1/egress/EG_1/files/{path...}"),
        (["whip", "k", "a-stream-key"], "none"), (["live", "a-stream-key"], "none"), ([], "/"),
    ]

    @Test("show the path of a route with its ids, and nothing of a path that may hold a key", arguments: rows)
    func path(segments: [String], path: String) {
        let found = Route.all.compactMap { route in route.match(segments).map { (route: route, names: $0) } }
        #expect(API.loggedPath(of: found) == path)
    }
}
