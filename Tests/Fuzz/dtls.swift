// modules: Timing DTLS
// c-modules: CSSL
// covers: Sources/Native/DTLS/DTLSSession.swift Sources/Native/DTLS/DatagramChannel.swift Sources/Native/DTLS/DTLSFingerprint.swift Sources/Native/DTLS/DTLSKeys.swift
// max-length: 2048

import DTLS
import Timing

private let identities = [DTLSIdentity.KeyType.ecdsa, .rsa].map { try? DTLSIdentity($0, at: 1_800_000_000) }

/// The first byte chooses certificates, what the ends are told of each other, and whether the addresses are proven. Each
/// four bytes that follow change one datagram of the handshake: which of the next, how, where, with what. What is behind a
/// zero is sent to both ends as it is.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first, let ecdsa = identities[0], let rsa = identities[1] else { return 0 }
    let (client, server) = (first & 1 == 0 ? ecdsa : rsa, first & 2 == 0 ? ecdsa : rsa)
    let told = first & 4 == 0 ? server : client
    let text = DTLSFingerprint(String(decoding: input.dropFirst(), as: UTF8.self))
    if let text { precondition(DTLSFingerprint(text.description) == text, "a fingerprint reads not as it was written") }
    #if FUZZ_CANARY
        // The planted bug: a sum of bytes that a peer told, in eight bits.
        if let text, text.hashFunction == .sha512 { precondition(text.digest.reduce(0, +) != 1) }
    #endif
    guard let one = try? DTLSSession(client, .client, expecting: [told.fingerprint] + (text.map { [$0] } ?? [])),
        let other = try? DTLSSession(server, .server, expecting: [client.fingerprint])
    else { preconditionFailure("no session") }
    var ends = [End(session: one), End(session: other)]
    if first & 8 == 0 { for end in ends { end.session.addressProven() } }
    run(&ends, Array(input.dropFirst()), isProven: first & 8 == 0)
    guard let left = ends[0].keys, let right = ends[1].keys else { return 0 }
    precondition(told.fingerprint == server.fingerprint, "another certificate passes")
    precondition(left.local == right.remote && left.remote == right.local && left.profile == right.profile)
    for end in ends { end.session.close() }
    _ = drain(&ends[0], isProven: true)
    return 0
}

private struct End {
    let session: DTLSSession
    var keys: DTLSKeys?
    var isOver = false
    var sent = 0
    var received = 0
    var bytes = 0
    var deadline: Instant?
}

private func run(_ ends: inout [End], _ changes: [UInt8], isProven: Bool) {
    var now = Instant(nanoseconds: 0)
    var (changes, skip) = (changes[...], 0)
    for end in ends { end.session.start(at: now) }
    for _ in 0..<60 {
        var isQuiet = true
        for place in 0...1 {
            for datagram in drain(&ends[place], isProven: isProven) {
                isQuiet = false
                var datagram: [UInt8]? = datagram
                if let which = changes.first, which != 0, skip >= Int(which & 7) {
                    datagram = changed(datagram, by: Array(changes.prefix(4)))
                    (changes, skip) = (changes.dropFirst(4), 0)
                } else if changes.first == 0 {
                    deliver(Array(changes.dropFirst()), to: &ends[0], at: now)
                    deliver(Array(changes.dropFirst()), to: &ends[1], at: now)
                    changes = []
                }
                skip += 1
                if let datagram { deliver(datagram, to: &ends[1 - place], at: now) }
            }
        }
        guard isQuiet else { continue }
        guard let next = ends.compactMap(\.deadline).min() else { return }
        precondition(next >= now, "time goes back")
        now = next
        for end in ends { end.session.advance(to: now) }
    }
}

/// Lost, doubled, cut, or with a byte changed.
private func changed(_ datagram: [UInt8]?, by change: [UInt8]) -> [UInt8]? {
    guard var bytes = datagram, change.count == 4, !bytes.isEmpty else { return datagram }
    let place = (Int(change[2]) * 4 + Int(change[1] >> 6)) % bytes.count
    switch change[1] & 3 {
    case 0: return nil
    case 1: return bytes + bytes
    case 2: return Array(bytes[..<place])
    default:
        bytes[place] ^= change[3]
        return bytes
    }
}

private func deliver(_ datagram: [UInt8], to end: inout End, at now: Instant) {
    end.received += 1
    end.bytes += datagram.count
    end.session.receive(datagram.span, at: now)
}

private func drain(_ end: inout End, isProven: Bool) -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    while true {
        switch end.session.pollOutput() {
        case .send(let datagram):
            precondition(datagram.count <= DTLSSession.mtu, "a datagram larger than the MTU")
            end.sent += datagram.count
            precondition(isProven || end.sent <= end.bytes, "more goes out than came in")
            datagrams.append(datagram)
        case .established(let keys):
            precondition(end.keys == nil && !end.isOver, "established twice")
            end.keys = keys
        case .failed, .closed:
            precondition(!end.isOver, "it ends twice")
            end.isOver = true
        case .wait(let deadline):
            precondition(!end.isOver || deadline == nil, "a deadline behind the end")
            end.deadline = deadline
            return datagrams
        }
    }
}
