import ICE
import STUN
import Spec
import Testing
import Timing

@Suite("ICE-lite agent: checks", .rfc(8445, "7.3"))
struct ICECheckTests {
    @Test("a check is answered with the address it came from, signed", arguments: [0, 1, 2])
    func success(candidate: Int) throws {
        var peer = try Peer()
        let remote = candidate == 1 ? IPAddress.v6(high: 1, low: 2) : .v4(3)
        let path = ICEPath(candidate: candidate, remote: TransportAddress(remote, port: 99))
        let request = peer.packet(Peer.Check(), peer.credentials)
        let outputs = peer.send(request, path)
        let answer = try #require(outputs.messages.first)
        let bytes = try #require(outputs.datagrams.first)
        #expect(outputs.count == 1 && answer.header.messageClass == .successResponse)
        #expect(answer.header.transaction == TransactionID(high: 1, low: 1))
        #expect(answer.mappedAddress == path.remote && answer.hadFingerprint)
        let integrity = MessageIntegrity(password: peer.credentials.password, hmac: hmac)
        #expect(integrity.verifies(answer, in: bytes.span) as Bool)
        #expect(bytes.count <= request.count)
        #expect(peer.agent.isChecked(path) && !peer.agent.isChecked(Peer.path(1)))
        #expect(peer.agent.selectedPath == nil)
    }

    static let silent: [(String, Peer.Check)] = [
        ("a wrong password", Peer.Check(nominates: true, password: "a password of somebody else")),
        ("a wrong password and a conflict", Peer.Check(role: .iceControlled(1), password: "another password")),
    ]

    @Test("what does not authenticate is answered by nothing and leaves no path", .rfc(8445, "7.3"), arguments: silent)
    func unauthenticated(name: String, check: Peer.Check) throws {
        var peer = try Peer()
        #expect(peer.check(Peer.path(1), check).isEmpty)
        #expect(!peer.agent.isChecked(Peer.path(1)))
        #expect(peer.agent.counters.unauthenticated == 1 && peer.agent.counters.answered == 0)
    }

    @Test("another agent's fragment, and a longer or shorter one, are strangers")
    func strangers() throws {
        var peer = try Peer()
        let others =
            try [Peer.credentials(2)] + [
                #require(ICECredentials(usernameFragment: "AAAA", password: peer.credentials.password)),
                #require(
                    ICECredentials(
                        usernameFragment: peer.credentials.usernameFragment + "a", password: peer.credentials.password)),
            ]
        for other in others { #expect(peer.check(Peer.path(1), Peer.Check(), with: other).isEmpty) }
        #expect(peer.agent.counters.strangers == 3)
    }

    @Test("a check without MESSAGE-INTEGRITY is answered by nothing", .rfc(8445, "7.1"))
    func unsigned() throws {
        var peer = try Peer()
        let name = "\(peer.credentials.usernameFragment):them"
        let message = STUNMessage(
            STUNHeader(.request, transaction: TransactionID(high: 0, low: 0)),
            [.username(Array(name.utf8)), .priority(1), .useCandidate])
        #expect(peer.send(message.serialized(with: nil), Peer.path(1)).isEmpty)
        #expect(peer.agent.counters.unauthenticated == 1)
    }

    @Test(
        "a controlled peer is told of the conflict, whatever its tie-breaker", .rfc(8445, "7.3.1.1"),
        arguments: [
            0, 1, UInt64.max,
        ])
    func roleConflict(tieBreaker: UInt64) throws {
        var peer = try Peer()
        let outputs = peer.check(Peer.path(1), Peer.Check(nominates: true, role: .iceControlled(tieBreaker)))
        #expect(outputs.messages.map(\.errorCode) == [487] && outputs.selections.isEmpty)
        #expect(!peer.agent.isChecked(Peer.path(1)) && peer.agent.counters.roleConflicts == 1)
        // It switches its role and sends again.
        #expect(peer.nominate(Peer.path(1)).selections == [Peer.path(1)])
    }

    @Test("an attribute that must be known and is not gets 420", .rfc(8489, "6.3.1"))
    func unknownAttribute() throws {
        var peer = try Peer()
        let outputs = peer.check(Peer.path(1), Peer.Check(extra: [.other(type: 0x7F00, value: [1])]))
        #expect(
            outputs.messages.first?.attributes == [
                .errorCode(420, reason: "Unknown Attribute"), .unknownAttributes([0x7F00]),
            ])
        #expect(!peer.agent.isChecked(Peer.path(1)))
    }

    @Test("a check without PRIORITY gets 400", .rfc(8445, "7.1.1"))
    func noPriority() throws {
        var peer = try Peer()
        #expect(peer.check(Peer.path(1), Peer.Check(priority: nil)).messages.map(\.errorCode) == [400])
    }

    @Test("indications and responses are answered by nothing (fault class 15)")
    func indications() throws {
        var peer = try Peer()
        for kind in [STUNHeader.Class.indication, .successResponse, .errorResponse] {
            let message = STUNMessage(STUNHeader(kind, transaction: TransactionID(high: 0, low: 0)))
            #expect(peer.send(message.serialized(with: nil), Peer.path(1)).isEmpty)
        }
        #expect(peer.agent.counters.ignored == 3)
    }

    @Test("no prefix of a check and no changed byte of it is answered")
    func mutations() throws {
        var peer = try Peer { $0.newChecksAtOnce = 10_000 }
        let packet = peer.packet(Peer.Check(nominates: true), peer.credentials)
        for length in packet.indices { #expect(peer.send(Array(packet[..<length]), Peer.path(1)).isEmpty) }
        for index in packet.indices {
            var changed = packet
            changed[index] ^= 0x10
            #expect(peer.send(changed, Peer.path(1)).isEmpty, "byte \(index)")
        }
        #expect(peer.send(packet, Peer.path(1)).count == 2)
    }
}

@Suite("ICE-lite agent: limits")
struct ICELimitTests {
    @Test("100 000 checks a second from random ports are cut to the limit (fault class 15)")
    func flood() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        var answered = 0
        let before = peer.now
        for index in 0..<20_000 {
            peer.now = before + .microseconds(10 * index)
            let packet = peer.packet(Peer.Check(password: "no password of this agent"), peer.credentials)
            answered += peer.send(packet, Peer.path(UInt16(2 + index % 60_000))).count
        }
        // 100 at once and 50 a second, for 0.2 s; the rest was dropped before an HMAC.
        #expect(answered == 0 && peer.agent.counters.unauthenticated == 108)
        #expect(peer.agent.counters.rateLimited == 20_000 - 108)
        // The session's own path is not touched by it.
        #expect(peer.check(Peer.path(1)).messages.count == 1)
    }

    @Test("a path has its own limit, and gets it back")
    func pathLimit() throws {
        var peer = try Peer()
        let first = (0..<300).map { _ in peer.check(Peer.path(1)).count }.reduce(0, +)
        #expect(first == 100)
        #expect(peer.check(Peer.path(2)).count == 1)
        peer.now += .seconds(1)
        #expect((0..<300).map { _ in peer.check(Peer.path(1)).count }.reduce(0, +) == 50)
        peer.now += .seconds(20)
        #expect((0..<300).map { _ in peer.check(Peer.path(1)).count }.reduce(0, +) == 100)
    }

    @Test("paths are bounded, and the selected one stays")
    func paths() throws {
        var peer = try Peer {
            $0.paths = 4
            $0.newChecksAtOnce = 1000
        }
        _ = peer.nominate(Peer.path(1))
        for port in 2..<100 as Range<UInt16> {
            peer.now += .milliseconds(1)
            #expect(peer.check(Peer.path(port)).count == 1)
        }
        #expect((1..<100).filter { peer.agent.isChecked(Peer.path($0)) } == [1, 97, 98, 99])
    }

    @Test("no answer is longer than its request (amplification)")
    func amplification() throws {
        var peer = try Peer()
        let short = try #require(ICECredentials(usernameFragment: "AAAA", password: "1234567890123456789012"))
        peer.agent.restart(with: short)
        let path = ICEPath(candidate: 1, remote: TransportAddress(.v6(high: .max, low: .max), port: .max))
        let unknown = (0..<20).map { STUNAttribute.other(type: 0x7000 + UInt16($0), value: []) }
        for check in [
            Peer.Check(), Peer.Check(priority: nil, role: nil), Peer.Check(role: .iceControlled(1)),
            Peer.Check(role: nil, extra: unknown),
        ] {
            let packet = peer.packet(check, short)
            for answer in peer.send(packet, path).datagrams { #expect(answer.count <= packet.count) }
        }
    }

    @Test("whatever stands in USE-CANDIDATE's way, switching at a high rate costs an answer each")
    func switching() throws {
        var peer = try Peer { $0.checksAtOnce = 10_000 }
        _ = peer.nominate(Peer.path(1))
        var selections = 0
        for index in 0..<2000 { selections += peer.nominate(Peer.path(UInt16(1 + index % 2))).selections.count }
        #expect(selections == 0)
    }
}

@Suite("ICE-lite agent: nomination")
struct ICENominationTests {
    @Test("USE-CANDIDATE selects, once", .rfc(8445, "7.3.1.5"))
    func regular() throws {
        var peer = try Peer()
        #expect(peer.check(Peer.path(1)).selections.isEmpty)
        let outputs = peer.nominate(Peer.path(1))
        #expect(outputs.selections == [Peer.path(1)])
        // The answer goes out before media may.
        guard case .send = outputs[0] else { return #expect(Bool(false), "the answer comes first") }
        #expect(peer.nominate(Peer.path(1)).selections.isEmpty)
        #expect(peer.agent.selectedPath == Peer.path(1))
    }

    @Test(
        "of pairs that are all nominated the highest priority wins, in any order", .rfc(5245, "8.1.1.2"),
        arguments: [
            [1, 2, 3], [3, 2, 1], [2, 3, 1], [2, 1, 3],
        ])
    func aggressive(order: [UInt16]) throws {
        var peer = try Peer()
        for _ in 0..<5 {
            for port in order {
                peer.now += .milliseconds(50)
                _ = peer.nominate(Peer.path(port), priority: UInt32(port) * 1000)
            }
        }
        #expect(peer.agent.selectedPath == Peer.path(3))
    }

    @Test("a peer that nominates another path twice has moved, though its priority is lower")
    func moved() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1), priority: 2000)
        peer.now += .milliseconds(100)
        #expect(peer.nominate(Peer.path(2)).selections.isEmpty)
        // The same request again is no second nomination.
        #expect(peer.check(Peer.path(2), Peer.Check(nominates: true, isRepeated: true)).selections.isEmpty)
        #expect(peer.nominate(Peer.path(2)).selections == [Peer.path(2)])
        // Back again by the higher priority.
        #expect(peer.nominate(Peer.path(1), priority: 2000).selections == [Peer.path(1)])
    }

    @Test("a silent path gives way to one nomination")
    func silence() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1), priority: 2000)
        peer.now += .seconds(7)
        #expect(peer.nominate(Peer.path(2)).selections == [Peer.path(2)])
        // Media is no silence.
        peer.now += .seconds(6)
        peer.agent.heard(on: Peer.path(2), at: peer.now)
        peer.now += .seconds(6)
        #expect(peer.nominate(Peer.path(3), priority: 1).selections.isEmpty)
    }

    @Test("a TCP connection that ends leaves the session to the next nomination")
    func connectionEnds() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1, candidate: 2), priority: 2000)
        peer.agent.remove(Peer.path(1, candidate: 2))
        #expect(peer.agent.selectedPath == nil && !peer.agent.isChecked(Peer.path(1, candidate: 2)))
        #expect(peer.nominate(Peer.path(9)).selections == [Peer.path(9)])
        peer.agent.remove(Peer.path(9))
        #expect(peer.wait(.seconds(30)) == [.closed(.consentExpired)])
    }
}

@Suite("ICE-lite agent: time")
struct ICETimeTests {
    @Test("a session that nobody nominates ends after 30 s (WHIP clause 68)")
    func setup() throws {
        var peer = try Peer()
        #expect(peer.deadline == peer.now + .seconds(30))
        #expect(peer.wait(.milliseconds(29_999)).isEmpty)
        _ = peer.check(Peer.path(1))
        #expect(peer.wait(.milliseconds(1)) == [.closed(.neverConnected)])
        #expect(peer.nominate(Peer.path(1)).isEmpty)
        #expect(peer.deadline == nil && peer.agent.usernameFragments.isEmpty)
    }

    @Test("consent ends 30 s after the last check of the selected path", .rfc(7675, "5.1"))
    func consent() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        for _ in 0..<20 {
            #expect(peer.wait(.seconds(29)).messages.allSatisfy { $0.header.messageClass == .indication })
            #expect(peer.check(Peer.path(1)).count == 1)
        }
        _ = peer.wait(.seconds(29))
        _ = peer.check(Peer.path(2))  // another path's check is no consent for this one
        #expect(peer.wait(.seconds(1)) == [.closed(.consentExpired)])
    }

    @Test("verified media keeps a session whose peer sends no checks")
    func media() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        for _ in 0..<10 {
            _ = peer.wait(.seconds(20))
            peer.agent.heard(on: Peer.path(1), at: peer.now)
            peer.agent.heard(on: Peer.path(2), at: peer.now + .seconds(1000))
        }
        #expect(peer.agent.selectedPath == Peer.path(1))
        #expect(peer.wait(.seconds(30)) == [.closed(.consentExpired)])
    }

    @Test("our own end is silent at once", .rfc(7675, "5.2"))
    func close() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        peer.agent.close()
        #expect(peer.nominate(Peer.path(1)).isEmpty && peer.agent.selectedPath == nil)
        #expect(!peer.agent.isChecked(Peer.path(1)) && peer.deadline == nil)
        peer.agent.restart(with: try Peer.credentials(5))
        #expect(peer.agent.usernameFragments.isEmpty)
    }

    @Test("a path that carries nothing gets an indication every 15 s", .rfc(8445, "11"))
    func keepalive() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        #expect(peer.wait(.milliseconds(14_999)).isEmpty)
        let first = peer.wait(.milliseconds(1)).messages
        #expect(first.map(\.header.messageClass) == [.indication] && first.allSatisfy(\.hadFingerprint))
        peer.now += .seconds(10)
        peer.agent.sent(at: peer.now)
        #expect(peer.wait(.seconds(4)).isEmpty)
        #expect(peer.deadline == peer.now + .seconds(1))
        _ = peer.check(Peer.path(1))
        #expect(peer.wait(.milliseconds(14_999)).isEmpty)
        let second = peer.wait(.milliseconds(1)).messages
        #expect(second.count == 1 && second.first?.header.transaction != first.first?.header.transaction)
    }
}

@Suite("ICE-lite agent: restart", .rfc(8445, "9"))
struct ICERestartTests {
    @Test("the old pair carries until the new generation is nominated")
    func restart() throws {
        var peer = try Peer()
        let new = try Peer.credentials(7)
        _ = peer.nominate(Peer.path(1))
        peer.agent.restart(with: new)
        #expect(peer.agent.pendingFragment == new.usernameFragment && peer.agent.usernameFragments.count == 2)
        #expect(peer.agent.selectedPath == Peer.path(1))
        // Both generations are answered, each with its own password.
        let old = peer.check(Peer.path(1))
        #expect(old.messages.count == 1)
        let checked = peer.check(Peer.path(2), Peer.Check(), with: new)
        let integrity = MessageIntegrity(password: new.password, hmac: hmac)
        let answer = try #require(checked.datagrams.first)
        #expect(integrity.verifies(try STUNMessage(parsing: answer.span), in: answer.span) as Bool)
        #expect(peer.agent.selectedPath == Peer.path(1) && peer.agent.isChecked(Peer.path(2)))
        // A nomination ends the old one.
        #expect(peer.check(Peer.path(2), Peer.Check(nominates: true), with: new).selections == [Peer.path(2)])
        #expect(peer.agent.usernameFragments == [new.usernameFragment] && peer.agent.pendingFragment == nil)
        #expect(peer.check(Peer.path(1)).isEmpty && !peer.agent.isChecked(Peer.path(1)))
    }

    @Test("the same path may be selected again, and is told")
    func samePath() throws {
        var peer = try Peer()
        let new = try Peer.credentials(7)
        _ = peer.nominate(Peer.path(1))
        peer.agent.restart(with: new)
        #expect(peer.check(Peer.path(1), Peer.Check(nominates: true), with: new).selections == [Peer.path(1)])
    }

    @Test("a restart that gets nowhere changes nothing, and the next replaces it")
    func abandoned() throws {
        var peer = try Peer()
        let (first, second) = try (Peer.credentials(7), Peer.credentials(8))
        _ = peer.nominate(Peer.path(1))
        peer.agent.restart(with: first)
        _ = peer.wait(.seconds(20))
        #expect(peer.check(Peer.path(1)).messages.count == 1)
        peer.agent.restart(with: second)
        #expect(peer.check(Peer.path(1), Peer.Check(nominates: true), with: first).isEmpty)
        _ = peer.wait(.seconds(29))
        #expect(peer.agent.selectedPath == Peer.path(1))
        #expect(peer.check(Peer.path(3), Peer.Check(nominates: true), with: second).selections == [Peer.path(3)])
    }

    @Test("without consent a pending restart ends with the session")
    func expires() throws {
        var peer = try Peer()
        _ = peer.nominate(Peer.path(1))
        peer.agent.restart(with: try Peer.credentials(7))
        _ = peer.check(Peer.path(2), Peer.Check(), with: try Peer.credentials(7))
        #expect(peer.wait(.seconds(30)) == [.closed(.consentExpired)])
    }
}
