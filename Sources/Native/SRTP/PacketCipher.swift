import Bytes
import COpenSSL

/// Encrypts and authenticates RTP packets of any source under one session key, by OpenSSL; no packet allocates.
@safe
struct PacketCipher: ~Copyable {
    private let cipher: OpaquePointer
    private let isAEAD: Bool
    private let salt: InlineArray<16, UInt8>
    /// HMAC-SHA1 behind its first block, inner and outer (RFC 2104 section 4).
    private let inner: SHA_CTX
    private let outer: SHA_CTX

    init(_ profile: SRTPProfile, _ keys: SessionKeys) throws(SRTPError) {
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else {
            throw .libraryFailure(function: "EVP_CIPHER_CTX_new", code: 0)
        }
        let kind = unsafe profile == .aeadAES128GCM ? EVP_aes_128_gcm() : EVP_aes_128_ctr()
        guard unsafe EVP_EncryptInit_ex(cipher, kind, nil, keys.key, nil) == 1 else {
            unsafe EVP_CIPHER_CTX_free(cipher)
            throw .libraryFailure(function: "EVP_EncryptInit_ex", code: 0)
        }
        unsafe self.cipher = unsafe cipher
        isAEAD = profile == .aeadAES128GCM
        var padded = InlineArray<16, UInt8>(repeating: 0)
        for (index, byte) in keys.salt.prefix(14).enumerated() { padded[index] = byte }
        salt = padded
        inner = Self.hashed(keys.authenticationKey, with: 0x36)
        outer = Self.hashed(keys.authenticationKey, with: 0x5C)
    }

    deinit { unsafe EVP_CIPHER_CTX_free(cipher) }

    /// Protects the packet in the first `count` bytes of `buffer`, in place, and writes the tag behind it; there is room.
    /// - Parameter index: rollover counter and sequence number (RFC 3711 section 3.3.1).
    /// - Returns: whether OpenSSL did it.
    borrowing func seal(
        _ buffer: inout MutableSpan<UInt8>, header: PacketHeader, count: Int, index: UInt64
    ) -> Bool {
        let iv = isAEAD ? aeadIV(header.ssrc, index) : counterIV(header.ssrc, index)
        return unsafe buffer.withUnsafeMutableBytes { buffer in
            guard let base = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
            let isReady = unsafe iv.span.withUnsafeBufferPointer { iv in
                unsafe EVP_EncryptInit_ex(cipher, nil, nil, nil, iv.baseAddress) == 1
            }
            guard isReady else { return false }
            return isAEAD
                ? unsafe sealAEAD(base, header.byteCount, count)
                : unsafe sealCounterMode(
                    base, header.byteCount, count, rollover: UInt32(truncatingIfNeeded: index >> 16))
        }
    }

    /// RFC 7714 section 8.
    private borrowing func sealAEAD(_ base: UnsafeMutablePointer<UInt8>, _ header: Int, _ count: Int) -> Bool {
        var written = Int32(0)
        let payload = unsafe base + header
        return unsafe EVP_EncryptUpdate(cipher, nil, &written, base, Int32(clamping: header)) == 1
            && (count == header
                || EVP_EncryptUpdate(cipher, payload, &written, payload, Int32(clamping: count - header)) == 1)
            && EVP_EncryptFinal_ex(cipher, base + count, &written) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, base + count) == 1
    }

    /// RFC 3711 sections 4.1.1 and 4.2.
    private borrowing func sealCounterMode(
        _ base: UnsafeMutablePointer<UInt8>, _ header: Int, _ count: Int, rollover: UInt32
    ) -> Bool {
        var written = Int32(0)
        let payload = unsafe base + header
        if count > header {
            guard unsafe EVP_EncryptUpdate(cipher, payload, &written, payload, Int32(clamping: count - header)) == 1
            else { return false }
        }
        var (inner, outer) = (inner, outer)
        var rollover = rollover.bigEndian
        var digest = InlineArray<20, UInt8>(repeating: 0)
        unsafe SHA1_Update(&inner, base, count)
        unsafe SHA1_Update(&inner, &rollover, 4)
        var view = digest.mutableSpan
        unsafe view.withUnsafeMutableBufferPointer { digest in
            _ = unsafe SHA1_Final(digest.baseAddress, &inner)
            _ = unsafe SHA1_Update(&outer, digest.baseAddress, 20)
            _ = unsafe SHA1_Final(digest.baseAddress, &outer)
        }
        for index in 0..<10 { unsafe base[count + index] = digest[index] }
        return true
    }

    /// RFC 3711 section 4.1.1: the salt, the source from its fifth byte, the index from its ninth; then the counter.
    private borrowing func counterIV(_ ssrc: UInt32, _ index: UInt64) -> InlineArray<16, UInt8> {
        var iv = salt
        for place in 0..<4 { iv[4 + place] ^= UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - 8 * place)) }
        for place in 0..<6 { iv[8 + place] ^= UInt8(truncatingIfNeeded: index >> UInt64(40 - 8 * place)) }
        return iv
    }

    /// RFC 7714 section 8.1: two zeros, the source, the index; all with the salt. Twelve bytes are used.
    private borrowing func aeadIV(_ ssrc: UInt32, _ index: UInt64) -> InlineArray<16, UInt8> {
        var iv = salt
        for place in 0..<4 { iv[2 + place] ^= UInt8(truncatingIfNeeded: ssrc >> UInt32(24 - 8 * place)) }
        for place in 0..<6 { iv[6 + place] ^= UInt8(truncatingIfNeeded: index >> UInt64(40 - 8 * place)) }
        return iv
    }

    private static func hashed(_ key: [UInt8], with pad: UInt8) -> SHA_CTX {
        var state = SHA_CTX()
        var block = [UInt8](repeating: pad, count: 64)
        for (index, byte) in key.prefix(64).enumerated() { block[index] ^= byte }
        unsafe SHA1_Init(&state)
        unsafe SHA1_Update(&state, block, 64)
        return state
    }
}
