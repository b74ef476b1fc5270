import Bytes
import CSSL

/// Reads and writes the text form of certificates and keys (RFC 7468).
enum PEM {
    /// All certificates in the text, in their order; the caller frees them.
    static func certificates(in text: [UInt8]) -> [OpaquePointer] {
        unsafe withReader(text) { bio in
            var found: [OpaquePointer] = unsafe []
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) { unsafe found.append(certificate) }
            ERR_clear_error()
            return unsafe found
        } ?? []
    }

    /// The first private key in the text; the caller frees it. A key under a password is none: nobody is asked for it.
    static func privateKey(in text: [UInt8]) -> OpaquePointer? {
        let key = unsafe withReader(text) { bio in
            unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        ERR_clear_error()
        return unsafe key.flatMap { unsafe $0 }
    }

    static func isEncrypted(_ text: [UInt8]) -> Bool { String(decoding: text, as: UTF8.self).contains("ENCRYPTED") }

    /// What `body` writes.
    static func written(_ body: (OpaquePointer) -> Bool) throws(TLSIdentityError) -> [UInt8] {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw .unusable(reason: "no memory") }
        defer { unsafe BIO_free(bio) }
        guard unsafe body(bio) else { throw .unusable(reason: TLSFailure.reason()) }
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(bio))
        let count = unsafe BIO_read(bio, &bytes, Int32(clamping: bytes.count))
        return Array(bytes.prefix(Int(max(0, count))))
    }

    static func withReader<Result>(_ text: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
        unsafe text.withUnsafeBytes { buffer in
            guard let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
                return nil
            }
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }
}
