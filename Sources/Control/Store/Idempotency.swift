public import Timing

/// What an `Idempotency-Key` is unique within: the API key, the method and the path of the request.
public struct IdempotencyScope: Hashable, Sendable {
    let text: String

    public init(apiKey: String, method: String, path: String, key: String) {
        // A control byte stands in none of the four: the HTTP server refuses it.
        text = [apiKey, method, path, key].joined(separator: "\u{1F}")
    }

    init(text: String) { self.text = text }
}

/// A request in hand, not answered yet. It lives as long as the process: after a crash its key is free again, because the
/// answer is committed together with what the request did.
public struct Reservation: Equatable, Sendable {
    /// One that is older than this was forgotten by its owner.
    public static let limit: Duration = .seconds(300)

    public let scope: IdempotencyScope
    /// A digest of the request's body, to tell a repetition from another use of the key.
    public let bodyHash: [UInt8]
    public let startedAt: WallTime

    public init(scope: IdempotencyScope, bodyHash: [UInt8], startedAt: WallTime) {
        self.scope = scope
        self.bodyHash = bodyHash
        self.startedAt = startedAt
    }
}

/// A request's answer, kept to be given again.
public struct IdempotentAnswer: Equatable, Sendable {
    public static let lifetime: Duration = .seconds(24 * 3600)

    public let scope: IdempotencyScope
    public let bodyHash: [UInt8]
    public let startedAt: WallTime
    public let finishedAt: WallTime
    public let status: Int
    public let headers: [String: String]
    public let body: [UInt8]

    public init(
        to reservation: Reservation, finishedAt: WallTime, status: Int, headers: [String: String], body: [UInt8]
    ) {
        scope = reservation.scope
        bodyHash = reservation.bodyHash
        startedAt = reservation.startedAt
        self.finishedAt = finishedAt
        self.status = status
        self.headers = headers
        self.body = body
    }
}

public enum ReservationOutcome: Equatable, Sendable {
    /// The caller has it: do the work, then commit the answer or release the scope.
    case reserved
    /// Somebody else is at it.
    case running(Reservation)
    case answered(IdempotentAnswer)
}
