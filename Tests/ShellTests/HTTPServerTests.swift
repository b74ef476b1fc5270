import Glibc
import HTTPServer
import Listening
import Spec
import Synchronization
import Testing

/// Runs a server on a free port of the loopback for the length of `body`.
private func withServer(
    limits: HTTPServer.Limits = HTTPServer.Limits(),
    handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = echo,
    _ body: (RawClient, HTTPServer) async throws -> Void
) async throws {
    let server = try HTTPServer(host: "127.0.0.1", port: 0, limits: limits)
    try await withThrowingTaskGroup { group in
        group.addTask { await server.run(handler) }
        do {
            try await body(RawClient(port: server.port), server)
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .seconds(1))
        try await group.waitForAll()
    }
}

private let echo: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
    HTTPResponse(
        status: 200, headers: ["X-Method": request.method, "X-Path": request.target.path, "X-Remote": request.remote],
        body: .bytes(request.body))
}

private func get(_ path: String = "/", _ headers: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\(headers)\r\n"
}

@Suite("HTTP server")
struct HTTPServerTests {
    @Test("answers any method with a whole body")
    func answers() async throws {
        try await withServer { client, _ in
            let reply = try #require(
                await client.send(
                    "PATCH /a//b?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"))
            #expect(reply.status == 200)
            #expect(reply.head.contains("X-Method: PATCH"))
            #expect(reply.head.contains("X-Path: /a/b"))
            #expect(reply.head.contains("X-Remote: 127.0.0.1"))
            #expect(reply.body == Array("abc".utf8))
        }
    }

    @Test("takes a chunked body, in pieces, and pipelined requests")
    func framing() async throws {
        try await withServer { client, _ in
            let chunked =
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
            let text = String(decoding: await client.exchange([chunked + get("/second")]), as: UTF8.self)
            #expect(text.contains("abcde") && text.contains("X-Path: /second"))
            let request = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nConnection: close\r\n\r\nabcdef"
            let pieces = stride(from: 0, to: request.count, by: 7).map { String(request.dropFirst($0).prefix(7)) }
            #expect(String(decoding: await client.exchange(pieces), as: UTF8.self).hasSuffix("abcdef"))
        }
    }

    @Test("says 100 Continue to who waits for it", .rfc(9110, "10.1.1"))
    func expect() async throws {
        try await withServer { client, _ in
            let head =
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
            let text = String(decoding: await client.exchange([head, "ok"]), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 100 Continue\r\n"))
            #expect(text.hasSuffix("ok"))
        }
    }

    @Test("sends no body with HEAD, and OPTIONS like any other")
    func head() async throws {
        try await withServer(handler: { _ in HTTPResponse(status: 200, body: .bytes([1, 2, 3])) }) { client, _ in
            let reply = try #require(await client.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
            #expect(reply.head.contains("Content-Length: 3"))
            #expect(reply.body.isEmpty)
            #expect(
                await client.send("OPTIONS /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")?.body
                    .count == 3)
        }
    }

    static let smuggled: [(request: String, status: Int)] = [
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u{0}b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n", 400), ("GET / HTTP/1.1\nHost: h\n\n", 400),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n", 400), ("GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400),
        ("GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET /a\u{0}b HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n", 413),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n", 413),
    ]

    @Test("refuses what another server could read in another way, and closes", .rfc(9112, "11.2"), arguments: smuggled)
    func smuggling(request: String, status: Int) async throws {
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 1000
        try await withServer(limits: limits) { client, _ in
            // A second request behind it must never be read as one.
            let reply = try #require(await client.send(request + get("/smuggled")))
            #expect(reply.status == status)
            #expect(reply.isLast)
            #expect(!String(decoding: reply.body, as: UTF8.self).contains("/smuggled"))
            #expect(await client.send(get())?.status == 200)
        }
    }

    @Test(
        "what a header says exactly passes",
        arguments: ["X:a\r\n", "X: \t a \t\r\n", "X:\r\n", "Cookie: a=b; c=d\r\n", "X: 1\r\nX: 2\r\n"])
    func exact(header: String) async throws {
        try await withServer { client, _ in
            #expect(await client.send(get("/a?b=c&d", header))?.status == 200)
        }
    }

    @Test("limits head and body; a chunked body too")
    func limits() async throws {
        var limits = HTTPServer.Limits()
        limits.bodyBytes = 1000
        limits.headerBytes = 4096
        try await withServer(limits: limits) { client, _ in
            let long = String(repeating: "x", count: 5000)
            #expect(await client.send(get("/", "X: \(long)\r\n"))?.status == 431)
            #expect(await client.send(get("/\(long)"))?.status == 431)
            let chunk = "3e8\r\n" + String(repeating: "b", count: 1000) + "\r\n"
            let request =
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n"
            #expect(await client.send(request)?.status == 413)
            #expect(await client.send(get())?.status == 200)
        }
    }

    @Test("survives clients that leave at every point of a request")
    func leaving() async throws {
        let (started, begin) = AsyncStream<String>.makeStream()
        let gone = Gate()
        let slow: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            begin.yield(request.target.path)
            if request.target.path == "/hold" { await Gate.untilCancelled() } else { await gone.wait() }
            return HTTPResponse(status: 200, body: .bytes(request.body))
        }
        try await withServer(handler: slow) { client, server in
            let request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"
            for length in stride(from: 0, through: request.count, by: 5) {
                _ = await client.exchange([String(request.prefix(length))], leaveEarly: true)
            }
            _ = await client.exchange([request], leaveEarly: true)
            for await _ in started.prefix(1) {}
            gone.open()  // an answer to nobody
            #expect(await client.send(get())?.status == 200)
            _ = await client.exchange([get("/hold")], leaveEarly: true)
            for await path in started where path == "/hold" { break }
            await server.stop(grace: .zero)  // while a connection is suspended
        }
    }

    @Test("answers 503 to what is in hand when it stops, and listens no more")
    func stop() async throws {
        let (started, begin) = AsyncStream<Void>.makeStream()
        try await withServer(
            handler: { _ in
                begin.yield()
                await Gate.untilCancelled()
                return HTTPResponse(status: 200)
            },
            { client, server in
                async let reply = client.send(get())
                for await _ in started.prefix(1) {}
                await server.stop(grace: .zero)
                let late = await client.send(get())
                #expect(late == nil)
                let first = await reply
                #expect(first == nil || first?.status == 503)
            })
    }

    @Test("names a port that is in use")
    func portInUse() async throws {
        try await withServer { _, server in
            let error = #expect(throws: HTTPServerError.self) { try HTTPServer(host: "127.0.0.1", port: server.port) }
            #expect(error == .listen(.portInUse(host: "127.0.0.1", port: server.port)))
            #expect(error?.description.contains("\(server.port)") == true)
            #expect(error?.remedy.contains("\(server.port)") == true)
        }
        #expect(throws: HTTPServerError.self) { try HTTPServer(host: "192.0.2.1", port: 0) }
        #expect(throws: HTTPServerError.self) { try HTTPServer(host: "no such host", port: 0) }
    }

    @Test("sends a part of a file, and only of a file")
    func files() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("film")
        let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_EXCL, 0o600)
        defer { close(descriptor) }
        _ = unsafe write(descriptor, "0123456789", 10)
        let file = try #require(OpenFile(path: path))
        #expect(file.byteCount == 10)
        try await withServer(handler: { _ in HTTPResponse(status: 206, body: .file(file, offset: 3, count: 4)) }) {
            client, _ in
            let reply = try #require(await client.send(get()))
            #expect(reply.status == 206)
            #expect(reply.body == Array("3456".utf8))
        }
        _ = unsafe write(descriptor, "x", 1)
        #expect(OpenFile(path: path)?.entityTag != file.entityTag)
        #expect(OpenFile(path: folder.path) == nil)
        #expect(OpenFile(path: path + "-none") == nil)
        let code = unsafe symlink(path, path + "-link")
        #expect(code == 0)
        #expect(OpenFile(path: path + "-link") == nil)
    }

    @Test("serves many connections at once")
    func many() async throws {
        try await withServer { client, _ in
            let replies = await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<50 { group.addTask { await client.send(get())?.status } }
                return await group.reduce(into: [Int?]()) { $0.append($1) }
            }
            #expect(replies.count == 50)
            #expect(replies.allSatisfy { $0 == 200 })
        }
    }
}
