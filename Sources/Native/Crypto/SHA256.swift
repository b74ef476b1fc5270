import COpenSSL

/// SHA-256 (FIPS 180-4) and its HMAC (RFC 2104), by OpenSSL.
public enum SHA256 {
    /// Bytes of a digest.
    public static let byteCount = 32

    /// - Throws: ``CryptoError`` when OpenSSL has no memory, or was built without SHA-256.
    public static func digest(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var count = UInt32(byteCount)
        let code = unsafe EVP_Digest(message, message.count, &digest, &count, EVP_sha256(), nil)
        guard code == 1, count == byteCount else { throw CryptoError(function: "EVP_Digest") }
        return digest
    }

    /// The HMAC of `message` under `key`, which may have any length.
    /// - Throws: ``CryptoError`` when OpenSSL has no memory, or was built without SHA-256.
    public static func authenticationCode(of message: [UInt8], key: [UInt8]) throws(CryptoError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        var count = UInt32(byteCount)
        // An empty Swift array may give no pointer, which HMAC() would read as "the key of the last call".
        let padded = key.isEmpty ? [0] : key
        let done = unsafe HMAC(
            EVP_sha256(), padded, Int32(clamping: key.count), message, message.count, &code, &count)
        guard unsafe done != nil, count == byteCount else { throw CryptoError(function: "HMAC") }
        return code
    }
}

/// Secrets are compared in a time that tells nothing about where they differ.
public enum ConstantTime {
    /// The lengths are no secret: unequal ones differ at once.
    public static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe CRYPTO_memcmp(left, right, left.count) == 0
    }
}

/// Bytes that nobody can guess, from OpenSSL's generator.
public enum RandomBytes {
    /// - Throws: ``CryptoError`` when the system gives no entropy.
    public static func make(_ count: Int) throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        guard unsafe RAND_bytes(&bytes, Int32(clamping: bytes.count)) == 1 else {
            throw CryptoError(function: "RAND_bytes")
        }
        return bytes
    }
}

/// OpenSSL could not do what never fails on a healthy machine. *Answer 500.*
public struct CryptoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The function that failed.
    public var function: String

    public var description: String { "\(function) of OpenSSL failed" }
}
