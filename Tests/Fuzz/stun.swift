// modules: Bytes STUN
// covers: Sources/Protocols/STUN/STUNHeader.swift Sources/Protocols/STUN/STUNAttribute.swift Sources/Protocols/STUN/STUNMessage.swift Sources/Protocols/STUN/MessageIntegrity.swift
// max-length: 1500

import Bytes
import STUN

/// A stand-in for HMAC-SHA1: 20 bytes that depend on every byte.
private func code(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var sum: UInt64 = 14_695_981_039_346_656_037
    var bytes: [UInt8] = []
    for round in 0..<3 as Range<UInt8> {
        for byte in key + message + [round] { sum = (sum ^ UInt64(byte)) &* 1_099_511_628_211 }
        bytes.append(uint64: sum)
    }
    return Array(bytes.prefix(20))
}

/// The input is one datagram. What cannot be guessed is put right: the length, the cookie and the fingerprint, if the first
/// byte of the transaction says so.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var packet = Array(UnsafeBufferPointer(start: data, count: count))
    if packet.count > 8, packet[8] & 1 == 1 { repair(&packet) }
    check(packet)
    return 0
}

private func repair(_ packet: inout [UInt8]) {
    guard packet.count >= 20, packet.count % 4 == 0 else { return }
    packet[2] = UInt8((packet.count - 20) >> 8)
    packet[3] = UInt8((packet.count - 20) & 0xFF)
    packet.replaceSubrange(4..<8, with: [0x21, 0x12, 0xA4, 0x42])
}

private func check(_ packet: [UInt8]) {
    let fragment = STUNHeader.localFragment(in: packet.span)
    guard let message = try? STUNMessage(parsing: packet.span) else { return }
    precondition(message.attributes.count <= STUNMessage.maximumAttributes, "more attributes than are let")
    if let fragment {
        precondition(fragment.upperBound <= packet.count, "a fragment outside the packet")
        if let username = message.username {
            precondition(username.starts(with: packet[fragment]), "another fragment than the username has")
        }
    }
    let integrity = MessageIntegrity(password: "password of the fuzzer", hmac: code)
    _ = integrity.verifies(message, in: packet.span)
    let unknown = message.unknownRequired
    precondition(unknown.allSatisfy { $0 < 0x8000 }, "what is optional is unknown")
    #if FUZZ_CANARY
        // The planted bug: a code that nobody checked is taken apart.
        if let code = message.errorCode { _ = UInt8(code - 300 - Int(message.priority ?? 0)) }
    #endif
    let written = STUNMessage(message.header, message.attributes).serialized(with: integrity)
    guard let again = try? STUNMessage(parsing: written.span) else {
        preconditionFailure("what was written does not read")
    }
    precondition(again.header == message.header && again.attributes == message.attributes, "it reads otherwise")
    precondition(again.hadFingerprint && integrity.verifies(again, in: written.span), "it is not signed")
    if let address = message.mappedAddress {
        precondition(IPAddress(address.ip.description) == address.ip, "an address reads otherwise")
        _ = address.ip.unmapped
    }
}
