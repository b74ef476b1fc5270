import API
import Config
import Crypto
import Foundation
import HTTPServer
import JSON
import JWT
import Log
import Service
import Spec
import Testing
import Timing

/// A service in a folder of its own behind the API, without a listener for HTTP and without workers: what is recorded
/// stays queued.
struct Gateway: Sendable {
    let api: API
    let service: Service
    /// Its recordings, where a test may lay files.
    let recordings: String

    static let secret = "an-api-secret-of-32-bytes-or-more"

    /// Runs `body` with a gateway whose keys are `key` (all rooms) and `acme` (the rooms `acme-*`).
    static func with(
        corsOrigins: [String] = [], _ body: @Sendable @escaping (Gateway) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        var configuration = Configuration()
        configuration.data = folder.path
        configuration.rtmp.host = "127.0.0.1"
        configuration.rtmp.port = 0
        configuration.http.corsOrigins = corsOrigins
        configuration.shutdown.wait = .zero
        configuration.limits.diskReserveBytes = 0
        configuration.keys = [
            APIKey(id: "key", secret: Secret(secret)), APIKey(id: "acme", secret: Secret(secret), rooms: "acme-*"),
        ]
        let service = try await Service(configuration, worker: folder.path + "/no-worker")
        let gateway = Gateway(
            api: API(service: service), service: service, recordings: folder.path + "/recordings")
        try await withThrowingTaskGroup { group in
            group.addTask { await service.run() }
            group.addTask { try await body(gateway) }
            defer { group.cancelAll() }
            while let _ = try await group.next() { break }
        }
        await service.drain { true }
    }

    /// A token of `key`; with every operator's grant unless `change` takes some.
    static func token(
        key: String = "key", secret: String = secret, lifetime: Duration = .seconds(60),
        _ change: (inout VideoGrants) -> Void = { _ in }
    ) -> String {
        var grants = VideoGrants.operations
        change(&grants)
        let now = WallTime(nanoseconds: Int64(Date().timeIntervalSince1970 * 1000) * 1_000_000)
        let token = AccessToken(keyID: key, grants: grants, expiresAt: now + lifetime)
        return CompactToken.sign(token, secret: Array(secret.utf8)) {
            try? SHA256.authenticationCode(of: $1, key: $0)
        } ?? ""
    }

    /// Asks for an egress until it has ended; gives up after some seconds.
    func waitUntilEnded(_ path: String) async throws {
        let hasEnded = try await eventually {
            let state = try await ask("GET", path).json["state"]?.string.flatMap { EgressState(rawValue: $0) }
            return state?.isFinal != false
        }
        #expect(hasEnded, "\(path) goes on")
    }

    func ask(
        _ method: String, _ target: String, _ body: String? = nil, token: String? = Gateway.token(),
        headers: [(String, String)] = []
    ) async throws -> Reply {
        var fields = HTTPHeaders()
        if let token { fields["Authorization"] = "Bearer \(token)" }
        if body != nil { fields["Content-Type"] = "application/json" }
        for (name, value) in headers { fields[name] = value.isEmpty ? nil : value }
        let request = HTTPRequest(
            method: method, target: try RequestTarget(parsing: Array(target.utf8)), headers: fields,
            body: Array((body ?? "").utf8))
        return Reply(await api.respond(to: request))
    }
}

/// An answer, its body read.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let bytes: [UInt8]
    /// Offset and count of a file, instead of its bytes.
    let part: Range<Int64>?

    init(_ response: HTTPResponse) {
        status = response.status
        headers = response.headers
        switch response.body {
        case .none: (bytes, part) = ([], nil)
        case .bytes(let bytes): (self.bytes, part) = (bytes, nil)
        case .file(_, let offset, let count): (bytes, part) = ([], offset..<offset + count)
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var json: JSONValue { (try? JSONValue(parsing: bytes)) ?? .null }
    var code: String? { json["code"]?.string }
}
