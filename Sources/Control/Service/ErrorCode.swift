/// Every cause that a client, a job, an output or the command line can name. The text of a case is its `code` in JSON.
public enum ErrorCode: String, Codable, Sendable, CaseIterable {
    // What a request can do wrong.
    case invalidJSON = "invalid_json"
    case badRequest = "bad_request"
    case tokenMissing = "token_missing"
    case tokenMalformed = "token_malformed"
    case tokenExpired = "token_expired"
    case tokenInvalid = "token_invalid"
    case permissionDenied = "permission_denied"
    case linkInvalid = "link_invalid"
    case linkExpired = "link_expired"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case conflict = "conflict"
    case requestRunning = "request_running"
    case stillRunning = "still_running"
    case alreadyEnded = "already_ended"
    case deleted = "deleted"
    case bodyTooLarge = "body_too_large"
    case unsupportedMediaType = "unsupported_media_type"
    case rangeNotSatisfiable = "range_not_satisfiable"
    case invalidRequest = "invalid_request"
    case idempotencyKeyReused = "idempotency_key_reused"
    case tooManyRequests = "too_many_requests"
    case headersTooLarge = "headers_too_large"
    case configurationInvalid = "configuration_invalid"
    // What the gateway cannot do.
    case internalError = "internal_error"
    case notSupported = "not_supported"
    case unavailable = "unavailable"
    case draining = "draining"
    // Why a job or an output ended or struggles.
    case noMedia = "no_media"
    case sourceGone = "source_gone"
    case roomClosed = "room_closed"
    case workerCrashed = "worker_crashed"
    case workerLost = "worker_lost"
    case diskFull = "disk_full"
    case storageFailed = "storage_failed"
    case codecNotSupported = "codec_not_supported"
    case destinationUnreachable = "destination_unreachable"
    case destinationRefused = "destination_refused"
    case destinationStalled = "destination_stalled"
    case destinationDropped = "destination_dropped"

    /// The status of an HTTP answer whose problem it is.
    public var status: Int { facts.status }
    /// A short name for people, the same for each occurrence (RFC 9457 section 3.1.3).
    public var title: String { facts.title }
    /// What the reader can do about it, when the place that throws knows nothing better.
    public var remedy: String { facts.remedy }
    /// The code of the same cause in Twirp's error table.
    public var twirpCode: String { facts.twirp }
    /// The problem document's type (RFC 9457 section 3.1.1).
    public var problemType: String { "urn:sluice:problem:\(rawValue)" }

    private typealias Facts = (status: Int, twirp: String, title: String, remedy: String)

    private var facts: Facts {
        switch self {
        case .invalidJSON: (400, "malformed", "The body is not JSON", "Send one JSON object in UTF-8.")
        case .badRequest: (400, "malformed", "The request is malformed", "Check the request line and the headers.")
        case .tokenMissing, .tokenMalformed, .tokenExpired, .tokenInvalid, .permissionDenied, .linkInvalid,
            .linkExpired:
            accessFacts
        case .notFound: (404, "not_found", "No such resource", "Check the id; a list shows what exists.")
        case .methodNotAllowed:
            (405, "bad_route", "The resource does not know this method", "Use a method that the Allow header names.")
        case .conflict, .requestRunning, .stillRunning, .alreadyEnded, .deleted: conflictFacts
        case .bodyTooLarge:
            (413, "malformed", "The body is too large", "Send less, or raise limits in the configuration.")
        case .unsupportedMediaType:
            (415, "malformed", "The body's media type is not supported", "Send Content-Type: application/json.")
        case .rangeNotSatisfiable:
            (416, "out_of_range", "The range lies outside the file", "Ask within the length that Content-Range names.")
        case .invalidRequest: (422, "invalid_argument", "The request is not valid", "Correct the fields under errors.")
        case .idempotencyKeyReused:
            (
                422, "invalid_argument", "The Idempotency-Key belongs to another request",
                "Use a new key for a new request."
            )
        case .tooManyRequests:
            (429, "resource_exhausted", "Too many requests", "Wait as Retry-After says, then try again.")
        case .headersTooLarge: (431, "malformed", "The headers are too large", "Send fewer or shorter headers.")
        case .configurationInvalid:
            (
                422, "failed_precondition", "The configuration is not valid",
                "Correct what the detail names (`sluice config check` tells the same), and reload again."
            )
        case .internalError, .notSupported, .unavailable, .draining: serverFacts
        case .noMedia, .sourceGone, .roomClosed, .workerCrashed, .workerLost, .diskFull, .storageFailed,
            .codecNotSupported:
            jobFacts
        case .destinationUnreachable, .destinationRefused, .destinationStalled, .destinationDropped: destinationFacts
        }
    }

    private var accessFacts: Facts {
        switch self {
        case .tokenMissing:
            (401, "unauthenticated", "No token", "Send Authorization: Bearer TOKEN; `sluice token` makes one.")
        case .tokenMalformed:
            (
                401, "unauthenticated", "The token is malformed",
                "Send a JWT signed with HS256; `sluice token` makes one."
            )
        case .tokenExpired: (401, "unauthenticated", "The token has expired", "Make a new one with `sluice token`.")
        case .tokenInvalid:
            (401, "unauthenticated", "The token is not valid", "Sign with a key and secret of the configuration.")
        case .linkInvalid:
            (
                403, "permission_denied", "The link is not valid",
                "Copy the whole address, or make a new one with POST /v1/egress/{id}/links."
            )
        case .linkExpired:
            (
                403, "permission_denied", "The link has expired",
                "Make a new one with POST /v1/egress/{id}/links."
            )
        default:
            (403, "permission_denied", "The token does not allow this", "Use a token with the grant named in detail.")
        }
    }

    private var conflictFacts: Facts {
        switch self {
        case .requestRunning:
            (
                409, "aborted", "The first request with this key still runs",
                "Wait as Retry-After says, then send it again."
            )
        case .stillRunning:
            (409, "failed_precondition", "It is still running", "Stop it first, and wait until it ended.")
        case .alreadyEnded: (409, "failed_precondition", "It has ended", "Start a new one.")
        case .deleted: (409, "failed_precondition", "It was deleted", "Its files are gone; only its record is kept.")
        default: (409, "already_exists", "It conflicts with what exists", "Choose another name or key.")
        }
    }

    private var serverFacts: Facts {
        switch self {
        case .notSupported:
            (501, "unimplemented", "Not supported by this version", "Leave it out, or use what the detail names.")
        case .unavailable: (503, "unavailable", "Not available now", "Try again as Retry-After says; see /readyz.")
        case .draining: (503, "unavailable", "The gateway is shutting down", "Try again as Retry-After says.")
        default: (500, "internal", "Internal error", "Report it with the requestId; the log has the cause.")
        }
    }

    private var jobFacts: Facts {
        switch self {
        case .noMedia:
            (409, "failed_precondition", "No media came", "Publish into the room first, or raise start.waitSeconds.")
        case .sourceGone:
            (409, "aborted", "The source did not come back", "Check the encoder and its network.")
        case .roomClosed: (409, "aborted", "The room was deleted", "Create the room and start again.")
        case .workerCrashed:
            (
                500, "internal", "Workers crashed on this job",
                "Report it with the log of the workers; the files so far are kept."
            )
        case .workerLost: (503, "unavailable", "The worker was lost", "Nothing: the job goes on in another worker.")
        case .diskFull: (507, "resource_exhausted", "The disk is full", "Free space, or lower limits.disk_reserve.")
        case .storageFailed:
            (500, "internal", "A file could not be written", "Check the folder of recordings, its owner and its disk.")
        default:
            (
                422, "invalid_argument", "The output cannot hold this codec",
                "Publish H.264 and AAC, or choose another output."
            )
        }
    }

    private var destinationFacts: Facts {
        switch self {
        case .destinationUnreachable:
            (502, "unavailable", "The destination cannot be reached", "Check the address, and that its port is open.")
        case .destinationRefused:
            (502, "permission_denied", "The destination refused", "Check the address and the stream key.")
        case .destinationStalled:
            (
                502, "unavailable", "The destination takes no data",
                "Look at its status page, or push to its backup address."
            )
        default:
            (502, "unavailable", "The destination dropped the connection", "Nothing: the output tries again by itself.")
        }
    }
}

/// One thing wrong with one field of a request.
public struct FieldError: Codable, Equatable, Sendable {
    /// A JSON pointer as URI fragment (`#/outputs/0/type`), or `?name` for a query parameter.
    public var pointer: String
    /// `unknown_field`, `missing`, `wrong_type`, `out_of_range`, `not_allowed`, `not_supported`, …
    public var code: String
    public var detail: String
    public var remedy: String

    public init(pointer: String, code: String, detail: String, remedy: String) {
        self.pointer = pointer
        self.code = code
        self.detail = detail
        self.remedy = remedy
    }
}

/// Why an operation did not happen, in words for the client. *Answered as a problem document (RFC 9457).*
public struct ServiceError: Error, Equatable, Sendable {
    public var code: ErrorCode
    public var detail: String
    public var remedy: String
    /// One entry a field, for `invalid_request` and `not_supported`.
    public var errors: [FieldError]
    /// For 409, 429 and 503: when another try makes sense, in whole seconds.
    public var retryAfterSeconds: Int?

    public init(
        _ code: ErrorCode, _ detail: String, remedy: String? = nil, errors: [FieldError] = [],
        retryAfterSeconds: Int? = nil
    ) {
        self.code = code
        self.detail = detail
        self.remedy = remedy ?? code.remedy
        self.errors = errors
        self.retryAfterSeconds = retryAfterSeconds
    }
}
