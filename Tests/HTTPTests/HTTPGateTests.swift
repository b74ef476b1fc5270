import HTTP
import Spec
import Testing

@Suite("HTTP gate")
struct HTTPGateTests {
    private func admit(
        method: String = "POST", target: String = "/v1/rooms", version: String = "HTTP/1.1",
        _ fields: [(String, String)], isExact: Bool = true, byteCount: Int = 100
    ) throws(HTTPRefusal) -> HTTPGate.Admission {
        try HTTPGate(headerBytes: 1000, bodyBytes: 1000).admit(
            RequestHead(
                method: Array(method.utf8), target: Array(target.utf8), version: Array(version.utf8),
                fields: fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }, byteCount: byteCount, isExact: isExact))
    }

    static let framings: [(fields: [(String, String)], status: Int?)] = [
        ([("Host", "h")], nil), ([("Host", "h"), ("Content-Length", "5")], nil),
        ([("Host", "h"), ("Transfer-Encoding", "Chunked")], nil),
        ([("Host", "h"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked")], 400),
        ([("Host", "h"), ("Content-Length", "5"), ("content-length", "5")], 400),
        ([("Host", "h"), ("Content-Length", "5, 5")], 400), ([("Host", "h"), ("Content-Length", "+5")], 400),
        ([("Host", "h"), ("Content-Length", "-1")], 400), ([("Host", "h"), ("Content-Length", "")], 400),
        ([("Host", "h"), ("Content-Length", "0x5")], 400), ([("Host", "h"), ("Content-Length", "5 ")], 400),
        ([("Host", "h"), ("Content-Length", "1001")], 413),
        ([("Host", "h"), ("Content-Length", "9223372036854775807")], 413),
        ([("Host", "h"), ("Content-Length", "9999999999999999999")], 413),
        ([("Host", "h"), ("Content-Length", "99999999999999999999")], 400),
        ([("Host", "h"), ("Transfer-Encoding", "gzip, chunked")], 400),
        ([("Host", "h"), ("Transfer-Encoding", "identity")], 400),
        ([("Host", "h"), ("Transfer-Encoding", "chunked ")], 400),
        ([("Host", "h"), ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], 400),
        ([], 400), ([("Host", "a"), ("Host", "b")], 400), ([("Host", "h"), ("X y", "1")], 400),
        ([("Host", "h"), ("X\t", "1")], 400), ([("Host", "h"), ("", "1")], 400), ([("Host", "h"), ("X", "a\rb")], 400),
        ([("Host", "h"), ("X", "a\u{0}b")], 400), ([("Host", "h"), ("X", "a\u{7F}")], 400),
        ([("Host", "h"), ("X", "a\tb")], nil), ([("Host", "h"), ("X", "ä")], nil),
    ]

    @Test("lets one framing of the body pass", .rfc(9112, "6.3"), arguments: framings)
    func framing(fields: [(String, String)], status: Int?) {
        do throws(HTTPRefusal) {
            _ = try admit(fields)
            #expect(status == nil)
        } catch {
            #expect(error.status == status)
        }
    }

    @Test("refuses the rest of a head that is not exact, too long, or of another version")
    func head() {
        let host = [("Host", "h")]
        #expect(throws: HTTPRefusal.self) { try admit(host, isExact: false) }
        #expect(throws: HTTPRefusal.self) { try admit(host, byteCount: 1001) }
        #expect(throws: HTTPRefusal.self) { try admit(method: "GE T", host) }
        #expect(throws: HTTPRefusal.self) { try admit(method: "", host) }
        #expect(throws: HTTPRefusal.self) { try admit(version: "HTTP/2.0", host) }
        #expect(throws: HTTPRefusal.self) { try admit(version: "HTTP/1.0", host + [("Transfer-Encoding", "chunked")]) }
        #expect(throws: Never.self) { try admit(version: "HTTP/1.0", []) }
    }

    static let targets: [(target: String, segments: [String]?)] = [
        ("/", []), ("/v1/rooms", ["v1", "rooms"]), ("//v1//rooms/", ["v1", "rooms"]), ("/a%2Fb/c", ["a/b", "c"]),
        ("/%C5%BE", ["ž"]), ("/a%20b", ["a b"]), ("/a+b", ["a+b"]), ("/%2e%2e/x", ["..", "x"]), ("", nil), ("*", nil),
        ("http://h/x", nil), ("h:80", nil), ("/a b", nil), ("/%", nil), ("/%2", nil), ("/%zz", nil), ("/%00", nil),
        ("/%0d%0a", nil), ("/%ff", nil), ("/ä", nil), ("/a#b", nil), ("/a\\b", nil), ("/a\u{0}", nil), ("/<x>", nil),
        ("/%C0%80", nil), (String(repeating: "/a", count: 65), nil),
    ]

    @Test("takes targets in origin-form, decoded part by part", .rfc(9112, "3.2.1"), arguments: targets)
    func target(target: String, segments: [String]?) {
        #expect((try? RequestTarget(parsing: Array(target.utf8)))?.segments == segments)
    }

    @Test("reads the query")
    func query() throws {
        let target = try RequestTarget(parsing: Array("/x?a=1&b=%26+%3D&c&=d&&e=f=g?".utf8))
        #expect(target.query.map(\.name) == ["a", "b", "c", "", "e"])
        #expect(target.query.map(\.value) == ["1", "& =", "", "d", "f=g?"])
    }

    static let ranges: [(header: String?, length: Int64, range: ByteRange)] = [
        (nil, 10, .whole), ("bytes=0-", 10, .part(0..<10)), ("bytes=0-0", 10, .part(0..<1)),
        ("bytes=5-99", 10, .part(5..<10)),
        ("bytes=-3", 10, .part(7..<10)), ("bytes=-30", 10, .part(0..<10)), ("bytes=10-", 10, .unsatisfiable),
        ("bytes=-0", 10, .unsatisfiable), ("bytes=0-", 0, .unsatisfiable), ("bytes=-1", 0, .unsatisfiable),
        ("bytes=5-2", 10, .whole), ("bytes=0-1,3-4", 10, .whole), ("items=0-1", 10, .whole), ("bytes=", 10, .whole),
        ("bytes=-", 10, .whole), ("bytes=a-b", 10, .whole), ("BYTES=1-2", 10, .part(1..<3)),
        ("bytes=0-9223372036854775807", 10, .part(0..<10)), ("bytes=9223372036854775807-", 10, .unsatisfiable),
        ("bytes=0-99999999999999999999", 10, .part(0..<10)), ("bytes=-99999999999999999999", 10, .part(0..<10)),
        ("bytes=1--2", 10, .whole),
    ]

    @Test("ranges", .rfc(9110, "14.1.2"), arguments: ranges)
    func range(header: String?, length: Int64, range: ByteRange) {
        #expect(ByteRange(header, length: length) == range)
    }
}
