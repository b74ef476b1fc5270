import JSON
import FoundationEssentials
import HTTPTransfer
import MediaLoop
import Service

/// A gateway, seen from the command line: JSON in, records out, problems in words.
struct Gateway: ~Copyable {
    private let credentials: Credentials
    private var client: HTTPClient

    init(_ invocation: Invocation) throws(CommandError) {
        let credentials = try Credentials(invocation)
        client = try Self.connectionless()
        self.credentials = credentials
    }

    private static func connectionless() throws(CommandError) -> HTTPClient {
        do throws(TransferError) {
            return try HTTPClient()
        } catch {
            throw CommandError(error)
        }
    }

    /// The whole answer to a request that succeeded.
    mutating func bytes(
        _ method: String, _ path: String, body: JSONValue? = nil, idempotencyKey: String? = nil
    ) throws(CommandError) -> [UInt8] {
        let response: HTTPResponse
        do throws(TransferError) {
            response = try client.send(try request(method, path, body: body, idempotencyKey: idempotencyKey))
        } catch {
            throw Self.failure(error, credentials.url)
        }
        guard (200..<300).contains(response.status) else { throw Self.failure(response) }
        return response.body
    }

    /// The record that a request answers with.
    mutating func record<Record: Decodable>(
        _ type: Record.Type, _ method: String, _ path: String, body: JSONValue? = nil, idempotencyKey: String? = nil
    ) throws(CommandError) -> Record {
        try Self.decode(type, try bytes(method, path, body: body, idempotencyKey: idempotencyKey))
    }

    /// All items of a list, newest first.
    mutating func items<Item: Decodable>(_ type: Item.Type, _ path: String, limit: Int) throws(CommandError) -> [Item] {
        var items: [Item] = []
        var cursor: String?
        repeat {
            let size = min(200, limit - items.count)
            let query = (path.contains("?") ? "&" : "?") + "limit=\(size)" + (cursor.map { "&cursor=\($0)" } ?? "")
            let page = try record(Page<Item>.self, "GET", path + query)
            items += page.items
            cursor = page.nextCursor
        } while cursor != nil && items.count < limit
        return items
    }

    /// Writes the file at `path` of the API to `file`.
    mutating func download(
        _ path: String, to file: String, onProgress: @escaping (TransferProgress) -> Bool
    ) throws(CommandError) {
        let response: HTTPResponse
        do throws(TransferError) {
            var request = try request("GET", path)
            request.timeout = nil
            response = try client.download(request, to: file, onProgress: onProgress)
        } catch {
            throw Self.failure(error, credentials.url)
        }
        guard response.status == 200 else { throw Self.failure(response) }
    }

    private func request(
        _ method: String, _ path: String, body: JSONValue? = nil, idempotencyKey: String? = nil
    ) throws(TransferError) -> HTTPRequest {
        let token: String
        do throws(CommandError) {
            token = try credentials.bearer(now: Clocks.wall())
        } catch {
            throw .failed(url: credentials.url, words: error.message)
        }
        var headers = [HTTPField("Authorization", "Bearer " + token), HTTPField("Accept", "application/json")]
        if body != nil { headers.append(HTTPField("Content-Type", "application/json")) }
        if let idempotencyKey { headers.append(HTTPField("Idempotency-Key", idempotencyKey)) }
        return HTTPRequest(method, credentials.url + path, headers: headers, body: body?.bytes)
    }

    static func decode<Record: Decodable>(_ type: Record.Type, _ bytes: [UInt8]) throws(CommandError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw .failed(
                "the gateway's answer is not what this version expects", remedy: "Use the `sluice` of its version.")
        }
    }

    private static func failure(_ error: TransferError, _ url: String) -> CommandError {
        if case .refused = error { return CommandError(TransferError.refused(url: url)) }
        return CommandError(error)
    }

    /// The words of a problem document (RFC 9457), field by field.
    static func failure(_ response: HTTPResponse) -> CommandError {
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(response.body)) else {
            return .failed("the gateway answered \(response.status)", remedy: "Is there a Sluice at this URL?")
        }
        let fields = (problem.errors ?? []).map { field in
            "\n  \(field.pointer): \(field.detail)" + (field.remedy.isEmpty ? "" : " \(field.remedy)")
        }
        return .failed((problem.detail ?? problem.title ?? "refused") + fields.joined(), remedy: problem.remedy)
    }

    private struct Problem: Decodable {
        var title: String?
        var detail: String?
        var remedy: String?
        var errors: [FieldError]?
    }
}
