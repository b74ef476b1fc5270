import CSRTP
import SRTP

/// libsrtp2 as a sender, to compare with. Make an `SRTPSender` before, which starts the library.
@safe
final class Libsrtp {
    private let context: OpaquePointer

    init?(_ profile: SRTPProfile, _ material: [UInt8]) {
        var policy = unsafe srtp_policy_t()
        if profile == .aeadAES128GCM {
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            unsafe srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        } else {
            unsafe srtp_crypto_policy_set_rtp_default(&policy.rtp)
            unsafe srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        unsafe policy.ssrc.type = ssrc_any_outbound
        unsafe policy.window_size = 1024
        var material = material
        var created: OpaquePointer?
        let code = unsafe material.withUnsafeMutableBufferPointer { material in
            unsafe policy.key = material.baseAddress
            return unsafe srtp_create(&created, &policy)
        }
        guard code == srtp_err_status_ok, let context = unsafe created else { return nil }
        unsafe self.context = unsafe context
    }

    deinit { unsafe srtp_dealloc(context) }

    /// The packet, protected; `nil` if libsrtp2 does not take it.
    func protect(_ packet: [UInt8]) -> [UInt8]? {
        var buffer = packet + [UInt8](repeating: 0, count: 64)
        var count = Int32(packet.count)
        guard unsafe srtp_protect(context, &buffer, &count) == srtp_err_status_ok else { return nil }
        return Array(buffer.prefix(Int(count)))
    }

    func protectRTCP(_ packet: [UInt8]) -> [UInt8]? {
        var buffer = packet + [UInt8](repeating: 0, count: 64)
        var count = Int32(packet.count)
        guard unsafe srtp_protect_rtcp(context, &buffer, &count) == srtp_err_status_ok else { return nil }
        return Array(buffer.prefix(Int(count)))
    }
}

/// Packets of a session: sizes, sources, extensions, losses and rollovers by a seed.
struct PacketSource {
    private var state: UInt64
    private var next: [UInt32: UInt16] = [:]

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func random(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    mutating func packet(ssrc: UInt32, step: UInt16 = 1) -> [UInt8] {
        let number = next[ssrc] ?? 65_000
        next[ssrc] = number &+ step
        return packet(ssrc: ssrc, number: number)
    }

    mutating func packet(ssrc: UInt32, number: UInt16) -> [UInt8] {
        let (sources, words) = (random(3), random(3))
        var bytes = [0x80 | UInt8(sources) | (words > 0 ? 0x10 : 0), 96, UInt8(number >> 8), UInt8(number & 0xFF)]
        bytes += [0, 0, 0, UInt8(random(256))]
        bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ssrc >> $0) }
        bytes += (0..<4 * sources).map { _ in UInt8(random(256)) }
        if words > 0 { bytes += [0xBE, 0xDE, 0, UInt8(words)] + [UInt8](repeating: 0, count: 4 * words) }
        return bytes + (0..<random(1200)).map { _ in UInt8(random(256)) }
    }
}
