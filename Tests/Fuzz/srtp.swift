// modules: Bytes Timing SRTP
// c-modules: COpenSSL CSRTP
// covers: Sources/Native/SRTP/PacketHeader.swift Sources/Native/SRTP/SRTPReceiver.swift Sources/Native/SRTP/SRTPSender.swift
// max-length: 2048

import SRTP

private let master: [UInt8] = (1...30).map { $0 }

private func key(_ profile: SRTPProfile) -> SRTPMasterKey {
    SRTPMasterKey(key: Array(master[..<16]), salt: Array(master[16..<16 + profile.saltLength]))
}

/// The first byte chooses the profile; then packets, each behind its length in two bytes. The same session takes them all.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let profile = SRTPProfile.allCases[Int(first & 1)]
    guard var sender = try? SRTPSender(profile, key(profile)), var receiver = try? SRTPReceiver(profile, key(profile))
    else {
        preconditionFailure("no session")
    }
    var rest = input.dropFirst()
    while rest.count >= 2 {
        let length = Int(rest[rest.startIndex] & 0x07) << 8 | Int(rest[rest.startIndex + 1])
        let packet = Array(rest.dropFirst(2).prefix(length))
        rest = rest.dropFirst(2 + packet.count)
        checkHostile(packet, &receiver)
        checkRoundTrip(packet, profile, &sender, &receiver)
        if packet.count >= 12 { receiver.remove(ssrc: UInt32(packet[11])) }
    }
    return 0
}

/// Nobody signed it: nothing comes out.
private func checkHostile(_ packet: [UInt8], _ receiver: inout SRTPReceiver) {
    #if FUZZ_CANARY
        // The planted bug: the trailer is subtracted from whatever came.
        if packet.count >= 12, packet[0] == 0x80, packet[1] == 201 { precondition(packet.count - 8 - 14 >= 0) }
    #endif
    var copy = packet
    var span = copy.mutableSpan
    precondition((try? receiver.unprotect(&span)) == nil, "a forged packet passes")
    copy = packet
    var other = copy.mutableSpan
    precondition((try? receiver.unprotectRTCP(&other)) == nil, "a forged datagram passes")
}

/// What goes out comes in as it was, once.
private func checkRoundTrip(
    _ packet: [UInt8], _ profile: SRTPProfile, _ sender: inout SRTPSender, _ receiver: inout SRTPReceiver
) {
    var buffer = packet + [UInt8](repeating: 0, count: profile.rtcpOverhead)
    var span = buffer.mutableSpan
    if let count = try? sender.protect(&span, count: packet.count) {
        precondition(count == packet.count + profile.overhead)
        var sent = Array(buffer[..<count])
        var view = sent.mutableSpan
        if let length = try? receiver.unprotect(&view) {
            precondition(sent[..<length] == packet[...], "another packet comes in")
            sent = Array(buffer[..<count])
            var again = sent.mutableSpan
            precondition((try? receiver.unprotect(&again)) == nil, "it comes in twice")
        }
        buffer = packet + [UInt8](repeating: 0, count: profile.rtcpOverhead)
        var repeated = buffer.mutableSpan
        precondition((try? sender.protect(&repeated, count: packet.count)) == nil, "a number goes out twice")
        precondition((try? sender.protect(&repeated, count: packet.count, isRepeat: true)) == count)
        precondition((try? sender.protect(&repeated, count: .max)) == nil, "beyond the buffer")
    }
    buffer = packet + [UInt8](repeating: 0, count: profile.rtcpOverhead)
    var report = buffer.mutableSpan
    guard let count = try? sender.protectRTCP(&report, count: packet.count) else { return }
    precondition(count == packet.count + profile.rtcpOverhead)
    var sent = Array(buffer[..<count])
    var view = sent.mutableSpan
    guard let length = try? receiver.unprotectRTCP(&view) else { return }
    precondition(sent[..<length] == packet[...], "another datagram comes in")
}
