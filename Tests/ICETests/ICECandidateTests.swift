import ICE
import STUN
import Spec
import Testing

@Suite("ICE candidate", .rfc(8839, "5.1"))
struct ICECandidateTests {
    /// As clients send them.
    static let lines: [String] = [
        "candidate:1 1 udp 2130706431 203.0.113.141 8998 typ host",
        "candidate:2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998",
        "candidate:842163049 1 udp 1677729535 2001:db8::1 5000 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag EEtu"
            + " network-cost 999",
        "candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 0",
        "candidate:1 1 tcp 1518149375 192.0.2.1 44444 typ host tcptype passive",
        "candidate:1 2 tcp 1518149375 192.0.2.1 44444 typ prflx tcptype so",
        "candidate:0 1 udp 2122252543 b2b5c8d4-3d1a-4c69-9c55-70f4ae0f6f3c.local 46001 typ host",
        "candidate:+/aZ 256 udp 4294967295 10.0.0.1 65535 typ relay raddr 1.2.3.4 rport 9",
        "candidate:1 1 sctp 1 192.0.2.1 9 typ host", "candidate:1 1 udp 1 192.0.2.1 9 typ future",
    ]

    @Test("reads and writes what clients send", arguments: lines)
    func roundTrip(line: String) throws {
        let candidate = try #require(ICECandidate(line))
        #expect(candidate.text == line)
        #expect(ICECandidate(candidate.text) == candidate)
    }

    @Test("reads other cases of letters, and more spaces than one")
    func tolerant() {
        #expect(
            ICECandidate("candidate:1 1 UDP 1 ::1 9 TYP HOST")?.text == "candidate:1 1 udp 1 ::1 9 typ host")
        #expect(ICECandidate("candidate:1 1  udp 1 ::1 9 typ host ")?.text == "candidate:1 1 udp 1 ::1 9 typ host")
    }

    @Test("names, unknown transports and kinds are told apart")
    func kinds() {
        let candidates = Self.lines.compactMap { ICECandidate($0) }
        #expect(candidates.map(\.component) == [1, 1, 1, 1, 1, 2, 1, 256, 1, 1])
        #expect(candidates[2].kind == .serverReflexive && candidates[2].extensions.count == 3)
        #expect(candidates[2].relatedAddress == "0.0.0.0" && candidates[2].relatedPort == 0)
        #expect(candidates[3].transport == .tcp(.active) && candidates[5].transport == .tcp(.simultaneousOpen))
        #expect(candidates[6].address == nil && candidates[0].address?.port == 8998)
        #expect(candidates[8].transport == .other("sctp") && candidates[9].kind == .other("future"))
    }

    static let bad: [String] = [
        "", "candidate:", "candidate:1 1 udp 1 192.0.2.1 9 typ", "candidate:1 1 udp 1 192.0.2.1 9 host typ",
        "candidate:1 0 udp 1 192.0.2.1 9 typ host", "candidate:1 257 udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 9 typ host", "candidate:1 1 udp -1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host", "candidate:1 1 udp 1 192.0.2.1 99999999999999999999 typ host",
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host", "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype maybe",
        "candidate:\(String(repeating: "1", count: 33)) 1 udp 1 192.0.2.1 9 typ host",
        "candidate:é 1 udp 1 ::1 9 typ host",
        "candidate:1 1 udp 1 \(String(repeating: "a", count: 1100)) 9 typ host", "a=candidate:1 1 udp 1 ::1 9 typ host",
    ]

    @Test("refuses what is none", arguments: bad)
    func malformed(line: String) { #expect(ICECandidate(line) == nil) }

    @Test("priorities follow the formula; UDP stands before TCP", .rfc(8445, "5.1.2.1"), .rfc(6544, "4.2"))
    func priority() {
        #expect(ICECandidate.priority(typePreference: 126, localPreference: 65535, component: 1) == 2_130_706_431)
        let lowest = ICECandidate(host: TransportAddress(.v4(1), port: 1), transport: .udp, localPreference: 0)
        let highest = ICECandidate(
            host: TransportAddress(.v4(1), port: 1), transport: .tcp(.passive), localPreference: .max)
        #expect(lowest.priority > highest.priority)
        #expect(highest.text == "candidate:t4 1 tcp 1526726655 0.0.0.1 1 typ host tcptype passive")
    }
}

@Suite("ICE credentials", .rfc(8839, "5.4"))
struct ICECredentialsTests {
    @Test("are made of enough random bits and read again", .rfc(8445, "5.3"))
    func made() throws {
        let made = try #require(ICECredentials(entropy: Array(0..<32), prefix: "b3"))
        #expect(made.usernameFragment == "b3ABCDEFGH" && made.password == "IJKLMNOPQRSTUVWXYZabcdef")
        #expect(ICECredentials(usernameFragment: made.usernameFragment, password: made.password) == made)
        #expect(ICECredentials(entropy: Array(0..<31)) == nil)
    }

    static let bad: [(String, String)] = [
        ("abc", "1234567890123456789012"), (String(repeating: "a", count: 257), "1234567890123456789012"),
        ("abcd", "123456789012345678901"), ("abcd", String(repeating: "a", count: 257)),
        ("ab:d", "1234567890123456789012"), ("abcd", "12345678901234567890 2"), ("", ""),
    ]

    @Test("refuse lengths and characters outside the grammar", arguments: bad)
    func malformed(fragment: String, password: String) {
        #expect(ICECredentials(usernameFragment: fragment, password: password) == nil)
    }
}
