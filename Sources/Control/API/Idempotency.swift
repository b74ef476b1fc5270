import Crypto
import HTTPServer
import MediaLoop
import Service
import Store

/// An `Idempotency-Key` in use: the answer is kept for 24 h, in the transaction of the work where the work has one.
struct Idempotency: Sendable {
    enum Start: Sendable {
        /// Do the work.
        case fresh(Idempotency)
        /// It was done: this was the answer.
        case replay(HTTPResponse)
    }

    private let reservation: Reservation
    private let store: any Store

    /// - Throws: `idempotency_key_reused`, or `request_running`.
    static func begin(
        _ key: String, _ request: HTTPRequest, caller: Caller, store: any Store
    ) async throws(ServiceError) -> Start {
        guard 1...255 ~= key.utf8.count else {
            throw ServiceError(.badRequest, "The Idempotency-Key must have 1 to 255 bytes.")
        }
        let scope = IdempotencyScope(
            apiKey: caller.keyID, method: request.method, path: request.target.path, key: key)
        guard let hash = try? SHA256.digest(of: request.body) else {
            throw ServiceError(.internalError, "The body could not be hashed.")
        }
        let reservation = Reservation(scope: scope, bodyHash: hash, startedAt: Clocks.wall())
        let outcome: ReservationOutcome
        do throws(StoreError) {
            outcome = try await store.reserve(reservation)
        } catch {
            throw ServiceError(.unavailable, "\(error.message).", remedy: error.remedy, retryAfterSeconds: 30)
        }
        switch outcome {
        case .reserved: return .fresh(Idempotency(reservation: reservation, store: store))
        case .running(let other):
            guard other.bodyHash == hash else { throw reused }
            throw ServiceError(
                .requestRunning, "The first request with this key is not answered yet.", retryAfterSeconds: 1)
        case .answered(let answer):
            guard answer.bodyHash == hash else { throw reused }
            return .replay(replayed(answer))
        }
    }

    private static var reused: ServiceError {
        ServiceError(.idempotencyKeyReused, "The key was used with another body.")
    }

    private static func replayed(_ answer: IdempotentAnswer) -> HTTPResponse {
        var headers = HTTPHeaders()
        for (name, value) in answer.headers { headers[name] = value }
        headers["Idempotency-Replayed"] = "true"
        return HTTPResponse(status: answer.status, headers: headers, body: .bytes(answer.body))
    }

    /// The answer to store with the work.
    func answer(_ response: HTTPResponse) -> IdempotentAnswer? {
        var headers: [String: String] = [:]
        for field in response.headers.fields { headers[field.name] = field.value }
        let body: [UInt8] = if case .bytes(let bytes) = response.body { bytes } else { [] }
        return IdempotentAnswer(
            to: reservation, finishedAt: Clocks.wall(), status: response.status, headers: headers, body: body)
    }

    /// Keeps the answer of work that did not store it itself. A refusal is not kept: the request may be sent again.
    func end(with response: HTTPResponse) async {
        guard 200..<300 ~= response.status, let answer = answer(response) else {
            return await store.release(reservation)
        }
        do throws(StoreError) {
            _ = try await store.commit(Change(answer: answer))
        } catch {
            await store.release(reservation)  // `alreadyAnswered`: the work stored the answer
        }
    }
}
