import DTLS
import SRTP
import Spec
import Testing
import Timing

@Suite("DTLS for SRTP", .rfc(5764, "4"))
struct DTLSSessionTests {
    static let kinds: [(client: String, server: String)] = [
        ("ecdsa", "ecdsa"), ("ecdsa", "rsa"), ("rsa", "ecdsa"), ("rsa", "rsa"),
    ]

    static func identity(_ kind: String) throws -> DTLSIdentity {
        try (kind == "rsa" ? Association.rsa : Association.ecdsa).get()
    }

    static func association() throws -> Association {
        try Association(client: identity("ecdsa"), server: identity("ecdsa"))
    }

    @Test("both ends get the same keys, crossed over", .rfc(5764, "4.2"), arguments: kinds)
    func keys(client: String, server: String) throws {
        let association = try Association(client: Self.identity(client), server: Self.identity(server))
        association.run()
        let (one, other) = (try #require(association.client.keys), try #require(association.server.keys))
        #expect(one.local == other.remote && one.remote == other.local && one.local != one.remote)
        #expect(one.profile == 0x0007 && other.profile == 0x0007)
        #expect(one.local.key.count == 16 && one.local.salt.count == 12)
        #expect("\(one)" == "DTLSKeys(profile: 7, ***)" && "\(one.local)" == "Master(***)")
        #expect(association.now == Instant(nanoseconds: 0), "a handshake without loss waits for nothing")
    }

    @Test("the keys are SRTP's")
    func srtp() throws {
        let association = try Self.association()
        association.run()
        let (one, other) = (try #require(association.client.keys), try #require(association.server.keys))
        let profile = try #require(SRTPProfile(rawValue: one.profile))
        var sender = try SRTPSender(profile, SRTPMasterKey(key: one.local.key, salt: one.local.salt))
        var receiver = try SRTPReceiver(profile, SRTPMasterKey(key: other.remote.key, salt: other.remote.salt))
        let packet: [UInt8] = [0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0xCA, 0xFE]
        var buffer = packet + [UInt8](repeating: 0, count: 16)
        var span = buffer.mutableSpan
        let count = try sender.protect(&span, count: packet.count)
        #expect(count == 30)
        var view = buffer.mutableSpan
        #expect(try receiver.unprotect(&view) == packet.count)
        #expect(Array(buffer[..<packet.count]) == packet)
    }

    @Test("no datagram is larger than the MTU", .rfc(6347, "4.1.1"))
    func mtu() throws {
        let association = try Association(client: Self.identity("rsa"), server: Self.identity("rsa"))
        association.run()
        let sent = association.client.sent + association.server.sent
        #expect(sent.allSatisfy { $0.count <= DTLSSession.mtu && 20...63 ~= $0[0] })
        #expect(association.client.keys != nil)
    }

    @Test(
        "another certificate than the one that was told ends the handshake with an alert", .rfc(5763, "5"),
        arguments: [true, false])
    func mismatch(clientIsDeceived: Bool) throws {
        let (ecdsa, rsa) = (try Self.identity("ecdsa"), try Self.identity("rsa"))
        let association = try Association(
            client: ecdsa, server: ecdsa, clientExpects: clientIsDeceived ? [rsa.fingerprint] : nil,
            serverExpects: clientIsDeceived ? nil : [rsa.fingerprint])
        association.run()
        let deceived = clientIsDeceived ? association.client : association.server
        #expect(deceived.failure == .fingerprintMismatch && deceived.keys == nil)
        #expect(deceived.sent.last?.first == 21, "a fatal alert")
        let other = clientIsDeceived ? association.server : association.client
        #expect(other.keys == nil)
        guard case .protocolError = other.failure else {
            Issue.record("\(String(describing: other.failure))")
            return
        }
    }

    @Test("the strongest function that is told decides; without one that is known nobody passes", .rfc(8122, "5"))
    func fingerprints() throws {
        let (ecdsa, rsa) = (try Self.identity("ecdsa"), try Self.identity("rsa"))
        let wrong = try #require(DTLSFingerprint(.sha384, digest: [UInt8](repeating: 7, count: 48)))
        let rows: [(told: [DTLSFingerprint], passes: Bool)] = [
            ([rsa.fingerprint, ecdsa.fingerprint], true), ([ecdsa.fingerprint, wrong], false), ([], false),
        ]
        for (told, passes) in rows {
            let association = try Association(client: ecdsa, server: ecdsa, serverExpects: told)
            association.run()
            #expect((association.server.keys != nil) == passes)
        }
    }

    @Test("recovers from any loss, and both ends agree", .rfc(6347, "4.2.4"), arguments: 0..<30)
    func loss(seed: Int) throws {
        let association = try Association(
            client: Self.identity(seed % 2 == 0 ? "ecdsa" : "rsa"),
            server: Self.identity(seed % 3 == 0 ? "rsa" : "ecdsa"))
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        association.isLost = { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % 4 == 0
        }
        association.run()
        let (one, other) = (try #require(association.client.keys), try #require(association.server.keys))
        #expect(one.local == other.remote && one.remote == other.local)
    }

    @Test("each datagram of the handshake may be the one that is lost", .rfc(6347, "4.2.4"), arguments: 1...10)
    func oneLoss(lost: Int) throws {
        let association = try Self.association()
        association.isLost = { $0 == lost }
        association.run()
        #expect(association.client.keys != nil && association.server.keys != nil)
        #expect(association.now <= Instant(nanoseconds: 700_000_000))
    }

    @Test("a flight is sent again after 100 ms, 200 ms, 400 ms …, and the handshake ends after ten seconds")
    func timers() throws {
        let session = try DTLSSession(Self.identity("ecdsa"), .client, expecting: [])
        session.addressProven()
        session.start(at: at(0))
        var (now, times, records) = (at(0), [Int64](), Set<[UInt8]>())
        loop: while true {
            switch session.pollOutput() {
            case .send(let datagram):
                times.append(now.nanoseconds / 1_000_000)
                records.insert(Array(datagram[3..<11]))  // epoch and sequence number: none comes twice
            case .failed(let failure):
                #expect(failure == .timedOut && now == at(10_000))
                break loop
            case .wait(let deadline):
                now = try #require(deadline)
                session.advance(to: Instant(nanoseconds: now.nanoseconds - 1))
                session.advance(to: now)
            default: Issue.record("nothing else may come")
            }
        }
        #expect(times == [0, 100, 300, 700, 1500, 3100, 6300])
        #expect(records.count == times.count)
        guard case .wait(deadline: nil) = session.pollOutput() else {
            Issue.record("it is over")
            return
        }
    }

    @Test("no more goes to an address that is not proven than came from it")
    func amplification() throws {
        let client = try DTLSSession(Self.identity("ecdsa"), .client, expecting: [Self.identity("rsa").fingerprint])
        client.start(at: at(0))
        #expect(sent(client).isEmpty, "nothing came, so nothing goes")
        client.addressProven()
        let hello = try #require(sent(client).first)

        let server = try DTLSSession(Self.identity("rsa"), .server, expecting: [Self.identity("ecdsa").fingerprint])
        server.receive(hello.span, at: at(0))
        for milliseconds in stride(from: 0, to: 9000, by: 100) {
            server.advance(to: at(milliseconds))
            #expect(sent(server).reduce(0) { $0 + $1.count } <= hello.count)
        }
        let held = try DTLSSession(Self.identity("rsa"), .server, expecting: [Self.identity("ecdsa").fingerprint])
        held.receive(hello.span, at: at(0))
        held.addressProven()
        #expect(sent(held).reduce(0) { $0 + $1.count } > hello.count)
    }

    @Test("bytes that are no DTLS are passed over, but only so many")
    func garbage() throws {
        let association = try Self.association()
        let garbage: [[UInt8]] = [
            [22], [22, 254, 253], [UInt8](repeating: 22, count: 2000), [UInt8](repeating: 0xFF, count: 1500),
            // Handshake fragments of no length, of a message of 16 MB (fault class 6).
            [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        for datagram in garbage.dropLast() { association.server.session.receive(datagram.span, at: association.now) }
        association.run()
        #expect(association.client.keys != nil && association.server.keys != nil)

        let session = try DTLSSession(Self.identity("ecdsa"), .server, expecting: [])
        var failure: DTLSFailure?
        for index in 0...DTLSSession.maxHandshakeDatagrams {
            let datagram = garbage[index % 2]
            session.receive(datagram.span, at: at(0))
            if case .failed(let reason) = session.pollOutput() { failure = reason }
        }
        #expect(failure == .tooMuch)
        let other = try DTLSSession(Self.identity("ecdsa"), .server, expecting: [])
        let fragment = garbage[4]
        other.receive(fragment.span, at: at(0))
        while true {
            if case .wait = other.pollOutput() { break }
        }
    }

    @Test("the end of one side is heard by the other", .rfc(5246, "7.2.1"))
    func closing() throws {
        let association = try Self.association()
        association.run()
        association.client.session.close()
        #expect(association.carry(from: \.client, to: \.server))
        #expect(association.carry(from: \.server, to: \.client) && association.server.isClosed)
        association.server.session.close()
        association.server.session.advance(to: at(100_000))
        association.server.session.receive([22].span, at: at(100_000))
    }

    @Test("fingerprints are written and read as in SDP", .rfc(8122, "5"))
    func text() throws {
        let fingerprint = try Self.identity("ecdsa").fingerprint
        #expect(fingerprint.description.count == "sha-256 ".count + 32 * 3 - 1)
        #expect(DTLSFingerprint(fingerprint.description) == fingerprint)
        #expect(DTLSFingerprint(fingerprint.description.lowercased()) == fingerprint)
        let wrong = [
            "", "sha-256", "sha-256 ", "sha-256 AA", "md5 AA:BB", "sha-1 " + String(repeating: "AA:", count: 19) + "AA",
            fingerprint.description + ":AA", fingerprint.description.replacing(":", with: ";"),
            fingerprint.description + " AA", "sha-256 " + String(repeating: "+A:", count: 31) + "AA",
        ]
        for text in wrong { #expect(DTLSFingerprint(text) == nil, "\(text)") }
    }

    private func sent(_ session: DTLSSession) -> [[UInt8]] {
        var datagrams: [[UInt8]] = []
        while case .send(let datagram) = session.pollOutput() { datagrams.append(datagram) }
        return datagrams
    }
}

func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: Int64(milliseconds) * 1_000_000) }
