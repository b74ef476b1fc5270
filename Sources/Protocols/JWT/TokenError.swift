/// Why a token was refused. *Answer 401.* The first three may be told to a client, the last one only as "not valid".
public enum TokenError: Error, Equatable, Sendable {
    /// Not a compact JWS with HS256 and a claims set; the words say what is wrong, and repeat nothing of the token.
    case malformed(String)
    case expired
    case notYetValid
    /// The key is unknown or the signature is not its: one case, so that nobody can probe for keys.
    case notValid
}
