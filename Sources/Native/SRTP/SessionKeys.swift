import Bytes
import COpenSSL

/// The keys of RTP that come of a master key, with a key derivation rate of 0 (RFC 3711 section 4.3).
struct SessionKeys {
    let key: [UInt8]
    /// 14 bytes, or 12 with AEAD.
    let salt: [UInt8]
    /// Empty with AEAD.
    let authenticationKey: [UInt8]

    init(key: [UInt8], salt: [UInt8], authenticationKey: [UInt8]) {
        (self.key, self.salt, self.authenticationKey) = (key, salt, authenticationKey)
    }

    init(_ profile: SRTPProfile, _ master: SRTPMasterKey) throws(SRTPError) {
        try master.check(for: profile)
        key = try Self.derive(0, 16, master)
        authenticationKey = profile == .aeadAES128GCM ? [] : try Self.derive(1, 20, master)
        salt = try Self.derive(2, profile.saltLength, master)
    }

    /// AES-CM of zeros with the label in the salt (section 4.3.3). A salt of 12 bytes is padded behind (RFC 7714 section 11).
    private static func derive(_ label: UInt8, _ count: Int, _ master: SRTPMasterKey) throws(SRTPError) -> [UInt8] {
        var block = master.salt + [UInt8](repeating: 0, count: 16 - master.salt.count)
        block[7] ^= label
        var output = [UInt8](repeating: 0, count: count)
        var written = Int32(0)
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else {
            throw .libraryFailure(function: "EVP_CIPHER_CTX_new", code: 0)
        }
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        let zeros = output
        guard unsafe EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), nil, master.key, block) == 1,
            unsafe EVP_EncryptUpdate(cipher, &output, &written, zeros, Int32(count)) == 1
        else { throw .libraryFailure(function: "EVP_EncryptUpdate", code: 0) }
        return output
    }
}
