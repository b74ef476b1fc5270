import FoundationEssentials
import HTTPServer
import JSON
import Service

/// A problem document (RFC 9457) as an answer.
enum Problem {
    static func response(
        _ error: ServiceError, to path: String, requestID: String, status: Int? = nil
    ) -> HTTPResponse {
        let status = status ?? error.code.status
        let document: JSONValue = .object([
            JSONMember("type", .string(error.code.problemType)), JSONMember("code", .string(error.code.rawValue)),
            JSONMember("title", .string(error.code.title)), JSONMember("status", .integer(Int64(status))),
            JSONMember("detail", .string(error.detail)), JSONMember("remedy", .string(error.remedy)),
            JSONMember("instance", .string(path)), JSONMember("requestId", .string(requestID)),
            JSONMember("errors", .array(error.errors.map(json))),
        ])
        var headers: HTTPHeaders = ["Content-Type": "application/problem+json"]
        if let seconds = error.retryAfterSeconds { headers["Retry-After"] = String(seconds) }
        if status == 401 { headers["WWW-Authenticate"] = challenge(for: error.code) }
        return HTTPResponse(status: status, headers: headers, body: .bytes(document.bytes))
    }

    private static func json(_ field: FieldError) -> JSONValue {
        [
            "pointer": .string(field.pointer), "code": .string(field.code), "detail": .string(field.detail),
            "remedy": .string(field.remedy),
        ]
    }

    /// RFC 6750 section 3: a request without a token gets no error code.
    private static func challenge(for code: ErrorCode) -> String {
        let realm = "Bearer realm=\"sluice\""
        guard code != .tokenMissing else { return realm }
        return realm + ", error=\"invalid_token\", error_description=\"\(code.title)\""
    }
}
