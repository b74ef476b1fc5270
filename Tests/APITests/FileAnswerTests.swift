import Foundation
import HTTPServer
import JWT
import Service
import Spec
import Testing

@testable import API

@Suite("Files", .rfc(9110, "14"))
struct FileAnswerTests {
    /// Serves a file of ten bytes to a request with `headers`.
    private func ask(_ headers: HTTPHeaders, name: String = "film.mp4") throws -> Reply {
        let folder = try TemporaryFolder()
        let path = folder.path("film")
        try Data("0123456789".utf8).write(to: URL(filePath: path))
        var headers = headers
        if headers["If-None-Match"] == "SAME" { headers["If-None-Match"] = OpenFile(path: path)?.entityTag }
        if headers["If-Range"] == "SAME" { headers["If-Range"] = OpenFile(path: path)?.entityTag }
        let request = RouteRequest(
            http: HTTPRequest(method: "GET", target: try RequestTarget(parsing: Array("/f".utf8)), headers: headers),
            id: "RQ_1", caller: Caller(keyID: "key", grants: .init()), names: [:], body: .null)
        return Reply(
            try FileAnswer.response(ServedFile(path: path, name: name, contentType: "video/mp4"), to: request))
    }

    static let rows: [(headers: HTTPHeaders, status: Int, part: Range<Int64>?, range: String?)] = [
        ([:], 200, 0..<10, nil), (["Range": "bytes=2-4"], 206, 2..<5, "bytes 2-4/10"),
        (["Range": "bytes=-3"], 206, 7..<10, "bytes 7-9/10"), (["Range": "bytes=9-99"], 206, 9..<10, "bytes 9-9/10"),
        (["Range": "bytes=10-"], 416, nil, "bytes */10"), (["Range": "bytes=0-1,4-5"], 200, 0..<10, nil),
        (["Range": "bytes=2-4", "If-Range": "SAME"], 206, 2..<5, "bytes 2-4/10"),
        (["Range": "bytes=2-4", "If-Range": "\"old\""], 200, 0..<10, nil),
        (["Range": "bytes=2-4", "If-Range": "Sat, 21 Nov 2026 12:00:00 GMT"], 200, 0..<10, nil),
        (["If-None-Match": "SAME"], 304, nil, nil), (["If-None-Match": "*"], 304, nil, nil),
        (["If-None-Match": "\"old\""], 200, 0..<10, nil),
        (["If-None-Match": "SAME", "Range": "bytes=0-0"], 304, nil, nil),
    ]

    @Test("are sent whole, in part, or not at all", arguments: rows)
    func parts(headers: HTTPHeaders, status: Int, part: Range<Int64>?, range: String?) throws {
        let reply = try ask(headers)
        #expect(reply.status == status)
        #expect(reply.part == part)
        #expect(reply.headers["Content-Range"] == range)
        #expect(status == 416 || reply.headers["ETag"] != nil)
    }

    @Test("are named for the download, whatever their name holds", .rfc(6266, "4"))
    func disposition() throws {
        #expect(
            try ask([:], name: "fílm \"1\".mp4").headers["Content-Disposition"]
                == "attachment; filename=\"f_lm _1_.mp4\"; filename*=UTF-8''f%C3%ADlm%20%221%22.mp4")
        #expect(try ask([:], name: "a\r\nX: y").headers["Content-Disposition"]?.contains("\r") == false)
    }

    @Test("that are gone are 404")
    func gone() throws {
        let request = RouteRequest(
            http: HTTPRequest(method: "GET", target: try RequestTarget(parsing: Array("/f".utf8))), id: "RQ_1",
            caller: Caller(keyID: "key", grants: .init()), names: [:], body: .null)
        let error = #expect(throws: ServiceError.self) {
            try FileAnswer.response(ServedFile(path: "/nowhere", name: "x", contentType: "video/mp4"), to: request)
        }
        #expect(error?.code == .notFound)
    }
}
