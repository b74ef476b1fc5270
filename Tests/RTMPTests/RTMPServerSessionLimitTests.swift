import Spec
import Testing
import Timing

@testable import RTMP

@Suite("Server session: time, rate, control messages", .spec("RTMP 1.0", "5.4"))
struct RTMPServerSessionLimitTests {
    @Test("each stage has its deadline")
    func deadlines() {
        var host = Host()
        #expect(host.deadline == instant(5))
        host.receive(HandshakeClient.opening(), at: 4)
        #expect(host.deadline == instant(5))
        host.receive(Array(Script.publishing().bytes.dropFirst(1537)), at: 4.5)
        #expect(host.deadline == instant(19.5))
        host.advance(to: 10)
        host.accept()
        #expect(host.deadline == instant(25))
        var script = Script()
        _ = script.take()
        script.video([0x27], at: 0)
        host.receive(script.take(), at: 20)
        #expect(host.deadline == instant(50))
        host.advance(to: 49.9)
        #expect(host.closed == nil)
        host.advance(to: 50)
        #expect(host.closed == .idleTimeout(.seconds(30)))
    }

    static let silences: [(bytes: [UInt8], accepts: Bool, error: RTMPSessionError)] = [
        ([], false, .handshakeTimeout(.seconds(5))),
        (HandshakeClient.opening(), false, .handshakeTimeout(.seconds(5))),
        (Script().bytes, false, .publishTimeout(.seconds(15))),
        (Script.publishing().bytes, false, .publishTimeout(.seconds(15))),
        (Script.publishing().bytes, true, .firstMediaTimeout(.seconds(15))),
    ]

    @Test("silence ends a session with its reason", arguments: silences)
    func silence(bytes: [UInt8], accepts: Bool, error: RTMPSessionError) {
        var host = Host(accepts: accepts)
        host.receive(bytes)
        host.advance(to: 16)
        #expect(host.closed == error)
        #expect(!error.description.isEmpty)
    }

    @Test("another protocol is told so at once", arguments: [0x16, UInt8(ascii: "G")])
    func otherProtocol(first: UInt8) {
        var host = Host()
        host.receive([first, 3, 1])
        #expect(host.closed == .handshake(.unsupportedVersion(first)))
        #expect(host.sent.isEmpty)
    }

    @Test("lost framing ends the session")
    func framing() {
        var host = Host()
        host.receive(Script().bytes + hex("02 000000 000004 01 00000000 00000000"))
        #expect(host.closed == .chunk(.invalidChunkSize(0)))
    }

    @Test("a burst passes, a rate over the limit does not")
    func bitrate() {
        var limits = RTMPLimits()
        limits.bitrate = 8000  // 10 000 bytes of burst
        var host = Host(limits, accepts: true)
        host.receive(Script.publishing().bytes)
        var script = Script()
        _ = script.take()
        for second in 1...20 {
            script.video([UInt8](repeating: 0x27, count: 900), at: Int64(second * 1000))
            host.receive(script.take(), at: Double(second))
        }
        #expect(host.closed == nil)
        for second in 21...40 {
            script.video([UInt8](repeating: 0x27, count: 2000), at: Int64(second * 1000))
            host.receive(script.take(), at: Double(second))
        }
        #expect(host.closed == .bitrate(limit: 8000))
    }

    @Test("acknowledges each window, the peer's own where it names one")
    func acknowledgements() throws {
        var host = Host(accepts: true)
        var script = Script.publishing()
        script.message(.windowAcknowledgementSize, [0, 0, 0x20, 0])
        script.message(.windowAcknowledgementSize, [0])  // too short: ignored
        host.receive(script.take())
        for time in 0..<30 {
            script.video([UInt8](repeating: 0x27, count: 1000), at: Int64(time))
            host.receive(script.take())
        }
        let acknowledged = try host.answers().filter { $0.type == .acknowledgement }.compactMap {
            ControlMessage.value(of: $0)
        }
        #expect(acknowledged.count == 3)
        #expect(zip(acknowledged, acknowledged.dropFirst()).allSatisfy { $1 - $0 >= 0x2000 })
    }

    @Test("answers a ping with its time")
    func ping() throws {
        var host = Host()
        var script = Script()
        script.message(.userControl, [0, 6, 1, 2, 3, 4])
        script.message(.userControl, [0, 3, 0, 0, 0, 1, 0, 0, 0, 9])
        script.message(.userControl, [0, 6, 1])
        host.receive(script.bytes)
        #expect(try host.answers().map(\.payload) == [[0, 7, 1, 2, 3, 4]])
    }

    @Test("media times go on over the wrap")
    func wrap() {
        var host = Host(accepts: true)
        var script = Script.publishing()
        for step in 0..<4 { script.video([0x27, UInt8(step)], at: 0xFFFF_FFE0 + 33 * Int64(step)) }
        host.receive(script.bytes, pieces: 5)
        let times = host.events.compactMap { if case .video(let time, _) = $0 { time } else { nil } }
        #expect(times == [0xFFFF_FFE0, 0x1_0000_0001, 0x1_0000_0022, 0x1_0000_0043])
    }
}
