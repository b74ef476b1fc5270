import Config
import Crypto
import HTTPServer
import JWT
import Log
import MediaLoop
import Service

/// Who asks, by the Bearer token of a request (RFC 6750 section 2.1).
struct Authorization: Sendable {
    let keys: [APIKey]

    /// - Throws: `token_missing`, `token_malformed`, `token_expired`, or `token_invalid`, which does not tell an unknown key
    ///   from a bad signature.
    func caller(of request: HTTPRequest) throws(ServiceError) -> Caller {
        let fields = request.headers.values(of: "Authorization")
        guard let field = fields.first else {
            throw ServiceError(.tokenMissing, "The request has no Authorization header.")
        }
        let parts = field.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 1, parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw ServiceError(.tokenMalformed, "The Authorization header is not `Bearer TOKEN`.")
        }
        let token = try verify(String(parts[1]))
        let rooms = keys.first { $0.id == token.keyID }?.rooms
        return Caller(
            keyID: token.keyID, grants: token.grants, identity: token.identity, rooms: rooms.map { RoomPattern($0) })
    }

    private func verify(_ text: String) throws(ServiceError) -> AccessToken {
        do throws(TokenError) {
            return try CompactToken.verify(
                text, at: Clocks.wall(),
                secret: { id in keys.first { $0.id == id }.map { Array($0.secret.reveal().utf8) } },
                signature: { try? SHA256.authenticationCode(of: $1, key: $0) },
                isEqual: { ConstantTime.areEqual($0, $1) })
        } catch {
            switch error {
            case .malformed(let what): throw ServiceError(.tokenMalformed, "The token is malformed: \(what).")
            case .expired: throw ServiceError(.tokenExpired, "The token has expired.")
            case .notYetValid: throw ServiceError(.tokenInvalid, "The token is not valid yet.")
            case .notValid: throw ServiceError(.tokenInvalid, "The token is not valid.")
            }
        }
    }
}

/// What a route asks of a token.
enum Grant: String, Sendable {
    case roomCreate, roomList, roomAdmin, roomRecord, ingressAdmin

    func isHeld(by caller: Caller) -> Bool {
        switch self {
        case .roomCreate: caller.grants.roomCreate
        case .roomList: caller.grants.roomList || caller.grants.roomAdmin || caller.grants.roomCreate
        case .roomAdmin: caller.grants.roomAdmin || caller.grants.roomCreate
        case .roomRecord: caller.grants.roomRecord
        case .ingressAdmin: caller.grants.ingressAdmin
        }
    }
}
