// modules: Bytes Timing Codecs RTMP
// covers: Sources/Protocols/RTMP/Session/RTMPServerSession*.swift Sources/Protocols/RTMP/Session/ReceiveWindow.swift Sources/Protocols/RTMP/Session/PublishInfo.swift Sources/Protocols/RTMP/Session/ControlMessages.swift
// max-length: 4096

import RTMP
import Timing

/// The first byte of an input says how the publication is answered and how the rest is cut; the rest follows the handshake.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    var limits = RTMPLimits()
    limits.heldBytes = 10_000
    limits.bitrate = 16_000
    var driver = Driver(limits, accepts: first & 3 == 0, rejects: first & 3 == 1)
    if first & 4 == 0 { driver.receive(HandshakeClient.opening() + [UInt8](repeating: 0, count: 1536)) }
    let size = max(Int(first >> 3) * 16, 1)
    for start in stride(from: 1, to: input.count, by: size) {
        driver.receive(Array(input[start..<min(start + size, input.count)]))
    }
    driver.end(byClock: first & 3 == 2)
    return 0
}

private struct Driver {
    private var session: RTMPServerSession
    private let limits: RTMPLimits
    private let accepts: Bool
    private let rejects: Bool
    private var now = Instant(nanoseconds: 0)
    private var received = 0
    private var given = 0
    private var isClosed = false

    init(_ limits: RTMPLimits, accepts: Bool, rejects: Bool) {
        self.limits = limits
        self.accepts = accepts
        self.rejects = rejects
        session = RTMPServerSession(limits: limits, at: now)
    }

    mutating func receive(_ bytes: [UInt8]) {
        now += .milliseconds(20)
        received += bytes.count
        session.receive(bytes.span, at: now)
        drain()
    }

    mutating func end(byClock: Bool) {
        if byClock {
            for _ in 0..<4 {
                now += .seconds(100)
                session.advance(to: now)
                drain()
            }
        }
        session.close("the end")
        drain()
        precondition(isClosed, "a session does not end")
    }

    private mutating func drain() {
        while true {
            let output = session.pollOutput()
            if case .wait(let deadline) = output {
                precondition(!isClosed || deadline == nil, "a deadline after the end")
                return
            }
            if case .send = output { continue }
            precondition(!isClosed, "something after the end")
            take(output)
        }
    }

    private mutating func take(_ output: RTMPServerSession.Output) {
        switch output {
        case .publishRequested(let info):
            precondition(info.streamKey.utf8.count <= 3 * limits.nameBytes && !info.streamKey.isEmpty)
            #if FUZZ_CANARY
                // The planted bug: an encoder that names no application.
                _ = info.app[info.app.startIndex]
            #endif
            if accepts { session.accept() }
            if rejects { session.reject(code: "NetStream.Publish.BadName", description: "no") }
        case .video(_, let payload), .audio(_, let payload): take(payload)
        case .close(let error):
            precondition(!error.description.isEmpty)
            isClosed = true
        case .metadata, .unpublished, .send, .wait: break
        }
    }

    private mutating func take(_ payload: ArraySlice<UInt8>) {
        given += payload.count
        precondition(given <= received && !payload.isEmpty, "more media than was received")
    }
}
