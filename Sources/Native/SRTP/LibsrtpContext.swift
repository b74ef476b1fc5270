import Bytes
import CSRTP

/// Owns one `srtp_t` for all sources of one direction.
@safe
struct LibsrtpContext: ~Copyable {
    enum Direction {
        case inbound, outbound
    }

    private let context: OpaquePointer

    /// Once a process; its code.
    private static let start = srtp_init()

    /// - Parameter window: packets that replay is looked for in (RFC 3711 section 3.3.2).
    init(_ direction: Direction, _ profile: SRTPProfile, _ master: SRTPMasterKey, window: Int) throws(SRTPError) {
        try master.check(for: profile)
        guard Self.start == srtp_err_status_ok else { throw Self.failure("srtp_init", Self.start) }
        var policy = unsafe srtp_policy_t()
        switch profile {
        case .aes128CMHMACSHA1_80:
            unsafe srtp_crypto_policy_set_rtp_default(&policy.rtp)
            unsafe srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        case .aeadAES128GCM:
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        }
        unsafe policy.ssrc.type = direction == .inbound ? ssrc_any_inbound : ssrc_any_outbound
        unsafe policy.window_size = UInt(window)
        var material = master.key + master.salt
        var created: OpaquePointer?
        let code = unsafe material.withUnsafeMutableBufferPointer { material in
            unsafe policy.key = material.baseAddress
            return unsafe srtp_create(&created, &policy)
        }
        guard code == srtp_err_status_ok, let context = unsafe created else { throw Self.failure("srtp_create", code) }
        unsafe self.context = unsafe context
    }

    deinit { unsafe srtp_dealloc(context) }

    enum Operation {
        case unprotect, protectRTCP, unprotectRTCP

        var name: String {
            switch self {
            case .unprotect: "srtp_unprotect"
            case .protectRTCP: "srtp_protect_rtcp"
            case .unprotectRTCP: "srtp_unprotect_rtcp"
            }
        }
    }

    /// Works on the first `count` bytes of `buffer`, in place; a caller has checked the lengths.
    /// - Returns: the new length.
    borrowing func perform(
        _ operation: Operation, on buffer: inout MutableSpan<UInt8>, count: Int
    ) throws(SRTPError) -> Int {
        var length = Int32(clamping: count)
        let code = unsafe buffer.withUnsafeMutableBytes { buffer in
            switch operation {
            case .unprotect: unsafe srtp_unprotect(context, buffer.baseAddress, &length)
            case .protectRTCP: unsafe srtp_protect_rtcp(context, buffer.baseAddress, &length)
            case .unprotectRTCP: unsafe srtp_unprotect_rtcp(context, buffer.baseAddress, &length)
            }
        }
        switch code {
        case srtp_err_status_ok where length >= 0 && Int(length) <= buffer.count: return Int(length)
        case srtp_err_status_auth_fail: throw .authenticationFailed
        case srtp_err_status_replay_fail, srtp_err_status_replay_old: throw .replayed
        case srtp_err_status_key_expired: throw .keyExhausted
        default: throw Self.failure(operation.name, code)
        }
    }

    borrowing func remove(ssrc: UInt32) { _ = unsafe srtp_remove_stream(context, ssrc.bigEndian) }

    private static func failure(_ function: String, _ code: srtp_err_status_t) -> SRTPError {
        .libraryFailure(function: function, code: Int(code.rawValue))
    }
}
