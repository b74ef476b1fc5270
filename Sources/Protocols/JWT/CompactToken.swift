import JSON
public import Timing

/// A JSON Web Token in the compact serialisation, signed with HS256 (RFC 7515 section 3.1, RFC 7519, RFC 7518 section 3.2).
///
/// The HMAC is the caller's, so that this target stays free of C: SHA-256 of (key, message).
public enum CompactToken {
    /// Longer text is no token of ours.
    public static let maximumByteCount = 8192
    /// How far the clocks of signer and gateway may differ.
    public static let leeway: Duration = .seconds(5)

    /// Reads `text` and checks signature and times.
    /// - Parameters:
    ///   - secret: the secret of an API key; `nil` if there is no such key.
    ///   - signature: HMAC-SHA256 of a message under a secret.
    ///   - isEqual: a comparison that takes the same time wherever its arguments differ.
    /// - Throws: ``TokenError``.
    public static func verify(
        _ text: String, at now: WallTime, secret: (String) -> [UInt8]?,
        signature: (_ secret: [UInt8], _ message: [UInt8]) -> [UInt8]?, isEqual: ([UInt8], [UInt8]) -> Bool
    ) throws(TokenError) -> AccessToken {
        let parts = try Parts(text)
        let token = try AccessToken(claims: parts.claims)
        // A signature is computed for an unknown key too: the time taken does not tell whether a key exists.
        let known = secret(token.keyID)
        guard let expected = signature(known ?? [0], parts.message), isEqual(expected, parts.signature), known != nil
        else { throw .notValid }
        if now.nanoseconds >= (token.expiresAt + leeway).nanoseconds { throw .expired }
        if let start = token.notBefore, (now + leeway).nanoseconds < start.nanoseconds { throw .notYetValid }
        return token
    }

    /// The token as text, signed.
    /// - Returns: `nil` if `signature` gives none.
    public static func sign(
        _ token: AccessToken, secret: [UInt8], signature: (_ secret: [UInt8], _ message: [UInt8]) -> [UInt8]?
    ) -> String? {
        let header: JSONValue = ["alg": "HS256", "typ": "JWT"]
        let message = Base64URL.encode(header.bytes) + "." + Base64URL.encode(token.claims.bytes)
        guard let signature = signature(secret, Array(message.utf8)) else { return nil }
        return message + "." + Base64URL.encode(signature)
    }

    /// The three parts of a token, decoded; nothing of it is trusted yet.
    private struct Parts {
        var claims: JSONValue
        var message: [UInt8]
        var signature: [UInt8]

        init(_ text: String) throws(TokenError) {
            guard text.utf8.count <= CompactToken.maximumByteCount else {
                throw .malformed("it is longer than \(CompactToken.maximumByteCount) bytes")
            }
            let bytes = Array(text.utf8)
            let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 3 else { throw .malformed("it has not three parts with dots between them") }
            try Self.check(header: Self.json(parts[0], "header"))
            claims = try Self.json(parts[1], "payload")
            guard let signature = Base64URL.decode(parts[2]) else { throw .malformed("its signature is not base64url") }
            self.signature = signature
            message = Array(bytes[..<parts[1].endIndex])
        }

        private static func json(_ part: ArraySlice<UInt8>, _ name: String) throws(TokenError) -> JSONValue {
            guard let bytes = Base64URL.decode(part) else { throw .malformed("its \(name) is not base64url") }
            do {
                return try JSONValue(parsing: bytes)
            } catch {
                throw .malformed("its \(name) is not JSON")
            }
        }

        /// HS256 and nothing else: neither `none` nor a key of another kind (RFC 8725 section 3.1), and no extension that
        /// must be understood (RFC 7515 section 4.1.11).
        private static func check(header: JSONValue) throws(TokenError) {
            guard header["alg"] == "HS256" else { throw .malformed("its algorithm is not HS256") }
            guard header["crit"] == nil else { throw .malformed("its header demands an extension (`crit`)") }
            if let type = header["typ"], type.string?.lowercased() != "jwt" {
                throw .malformed("its type is not JWT")
            }
        }
    }
}
