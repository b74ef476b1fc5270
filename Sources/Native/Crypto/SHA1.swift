import COpenSSL

/// The HMAC with SHA-1 (RFC 2104), by OpenSSL: for STUN, which has no other that all peers know. Not for what is new.
public enum SHA1 {
    /// Bytes of a code.
    public static let byteCount = 20

    /// The HMAC of `message` under `key`, which may have any length.
    /// - Throws: ``CryptoError`` when OpenSSL has no memory, or was built without SHA-1.
    public static func authenticationCode(of message: [UInt8], key: [UInt8]) throws(CryptoError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        var count = UInt32(byteCount)
        // An empty Swift array may give no pointer, which HMAC() would read as "the key of the last call".
        let padded = key.isEmpty ? [0] : key
        let done = unsafe HMAC(
            EVP_sha1(), padded, Int32(clamping: key.count), message, message.count, &code, &count)
        guard unsafe done != nil, count == byteCount else { throw CryptoError(function: "HMAC") }
        return code
    }
}
