// modules: Bytes Timing STUN ICE
// covers: Sources/Protocols/ICE/*.swift
// max-length: 2048

import Bytes
import ICE
import STUN
import Timing

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

/// The first byte of an input tells what it is: a candidate, frames, or what happens to an agent.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let rest = Array(input.dropFirst())
    switch first & 3 {
    case 0: checkCandidate(rest)
    case 1: checkFrames(rest, piece: Int(first >> 2) + 1)
    default:
        var story = Story(rest)
        story.run()
    }
    return 0
}

/// What was read is written and reads the same.
private func checkCandidate(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let pair = ICECredentials(usernameFragment: text, password: text) {
        precondition(pair.password.utf8.count <= 256, "a long password")
    }
    guard let candidate = ICECandidate(text) else { return }
    guard let again = ICECandidate(candidate.text) else { preconditionFailure("what was written does not read") }
    precondition(again == candidate, "it reads otherwise")
    _ = candidate.address
    #if FUZZ_CANARY
        // The planted bug: an address without its port.
        if candidate.relatedAddress != nil { _ = candidate.relatedPort! }
    #endif
}

/// Any pieces give the same frames and the same end.
private func checkFrames(_ bytes: [UInt8], piece: Int) {
    let whole = frames(bytes, piece: max(bytes.count, 1))
    let parts = frames(bytes, piece: piece)
    precondition(whole.frames == parts.frames && whole.failed == parts.failed, "pieces give other frames")
    var written: [UInt8] = []
    for frame in whole.frames { FrameReader.append(frame.span, to: &written) }
    precondition(frames(written, piece: piece).frames == whole.frames, "frames read otherwise")
}

private func frames(_ bytes: [UInt8], piece: Int) -> (frames: [[UInt8]], failed: Bool) {
    var reader = FrameReader(limit: 300)
    var frames: [[UInt8]] = []
    for start in stride(from: 0, to: bytes.count, by: piece) {
        let part = Array(bytes[start..<min(start + piece, bytes.count)])
        do {
            try reader.receive(part.span) { frames.append([UInt8](copying: $0)) }
        } catch {
            return (frames, true)
        }
    }
    return (frames, false)
}

/// An agent, and what the input lets happen to it: two bytes each.
private struct Story {
    private var agent: ICELiteAgent
    private var now = Instant(nanoseconds: 0)
    private var credentials: [ICECredentials]
    private var input: [UInt8]
    private var isClosed = false
    private var transactions: UInt64 = 0

    init(_ input: [UInt8]) {
        self.input = input.reversed()
        credentials = (0..<3 as Range<UInt8>).compactMap {
            ICECredentials(entropy: [UInt8](repeating: $0, count: 32), prefix: $0 == 0 ? "" : "x")
        }
        let home = [
            ICECandidate(host: TransportAddress(.v4(1), port: 1), transport: .udp, localPreference: 9),
            ICECandidate(
                host: TransportAddress(.v6(high: 1, low: 1), port: 1), transport: .tcp(.passive), localPreference: 9),
        ]
        agent = ICELiteAgent(credentials: credentials[0], candidates: home, hmac: code, at: now)
    }

    mutating func run() {
        while let event = input.popLast(), let value = input.popLast() {
            now += .milliseconds(10)
            let place = path(value & 31)
            switch event & 7 {
            case 0: receive(raw(Int(value)), path(event >> 3))
            case 1, 2, 3: receive(check(event, value), place)
            case 4:
                now += .milliseconds(Int64(value) * 200)
                agent.advance(to: now)
            case 5: agent.restart(with: credentials[Int(value) % credentials.count])
            case 6:
                if event & 8 == 0 { agent.heard(on: place, at: now) } else { agent.sent(at: now) }
            default:
                if value != 255 { agent.remove(place) } else { agent.close() }
                isClosed = isClosed || value == 255
            }
            drain(longest: 0)
        }
        let checked = (0..<32 as Range<UInt8>).filter { agent.isChecked(path($0)) }
        precondition(checked.count <= 32, "more paths than are let")
    }

    private func path(_ number: UInt8) -> ICEPath {
        let ip = number & 1 == 0 ? IPAddress.v4(UInt32(number)) : .v6(high: 7, low: UInt64(number))
        return ICEPath(candidate: Int(number % 3), remote: TransportAddress(ip, port: 9))
    }

    private mutating func raw(_ count: Int) -> [UInt8] {
        let taken = Array(input.suffix(count).reversed())
        input.removeLast(taken.count)
        return taken
    }

    private mutating func check(_ event: UInt8, _ value: UInt8) -> [UInt8] {
        let own = credentials[Int(event & 3) - 1]
        transactions += event & 0x40 == 0 ? 1 : 0
        var attributes: [STUNAttribute] = [.username(Array("\(own.usernameFragment):peer".utf8))]
        if event & 8 == 0 { attributes.append(.priority(UInt32(value) << 8)) }
        if event & 16 != 0 { attributes.append(.useCandidate) }
        if event & 32 != 0 { attributes.append(.iceControlled(3)) }
        if value & 0xC0 == 0xC0 { attributes.append(.other(type: 0x7000, value: [])) }
        let password = event & 0x80 == 0 ? own.password : "another"
        let header = STUNHeader(.request, transaction: TransactionID(high: 0, low: transactions))
        return STUNMessage(header, attributes).serialized(with: MessageIntegrity(password: password, hmac: code))
    }

    private mutating func receive(_ packet: [UInt8], _ path: ICEPath) {
        agent.receive(packet.span, on: path, at: now)
        drain(longest: packet.count)
    }

    private mutating func drain(longest: Int) {
        while true {
            let output = agent.pollOutput()
            switch output {
            case .wait(let deadline):
                precondition(!isClosed || deadline == nil, "a deadline after the end")
                precondition(!isClosed || agent.selectedPath == nil, "a path after the end")
                return
            case .send(let bytes, let path):
                precondition(!isClosed, "an answer after the end")
                guard let message = try? STUNMessage(parsing: bytes.span) else {
                    preconditionFailure("it sends no STUN")
                }
                precondition(message.header.messageClass == .indication || bytes.count <= longest, "it amplifies")
                precondition(
                    message.header.messageClass != .successResponse || message.mappedAddress == path.remote,
                    "another address than it came from")
            case .selected(let path):
                precondition(agent.isChecked(path) && agent.selectedPath == path, "a path that nobody checked")
            case .closed: isClosed = true
            }
        }
    }
}
