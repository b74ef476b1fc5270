import SRTP
import Spec
import Testing

@Suite("SRTP of both directions", .rfc(3711, "3.3"))
struct SRTPTests {
    static let material = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6")

    static func key(_ profile: SRTPProfile) -> SRTPMasterKey {
        SRTPMasterKey(key: Array(material[..<16]), salt: Array(material[16..<16 + profile.saltLength]))
    }

    static func libsrtp(_ profile: SRTPProfile) throws -> Libsrtp {
        try #require(Libsrtp(profile, Array(material[..<(16 + profile.saltLength)])))
    }

    @Test("protects each packet as libsrtp2 does, over sources and rollovers", arguments: SRTPProfile.allCases)
    func sameAsLibsrtp(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        let reference = try Self.libsrtp(profile)
        var source = PacketSource(seed: 1)
        for round in 0..<1500 {
            let packet = source.packet(ssrc: UInt32(source.random(5)) &* 0x1111_1111, step: UInt16(1 + round % 90))
            let expected = try #require(reference.protect(packet))
            #expect(try protect(packet, &sender) == expected)
        }
    }

    @Test("takes off what libsrtp2 and we put on", arguments: SRTPProfile.allCases)
    func roundTrip(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        var source = PacketSource(seed: 2)
        for _ in 0..<1500 {
            let packet = source.packet(ssrc: UInt32(source.random(5)), step: 71)
            #expect(try unprotect(try protect(packet, &sender), &receiver) == packet)
        }
    }

    @Test(
        "protects RTCP as libsrtp2 does, with an index that rises", .rfc(3711, "3.4"), arguments: SRTPProfile.allCases)
    func rtcp(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        let reference = try Self.libsrtp(profile)
        for index in 1...3 {
            let report = hex("80C90001 00000007")
            let datagram = try protectRTCP(report, &sender)
            #expect(datagram.count == report.count + profile.rtcpOverhead)
            #expect(reference.protectRTCP(report) == datagram)
            let trailer = profile == .aeadAES128GCM ? datagram.suffix(4) : datagram.dropLast(10).suffix(4)
            #expect(Array(trailer) == [0x80, 0, 0, UInt8(index)])
            #expect(try unprotectRTCP(datagram, &receiver) == report)
            #expect(throws: SRTPError.replayed) { try unprotectRTCP(datagram, &receiver) }
        }
    }

    @Test("a packet counts once", .rfc(3711, "3.3.2"), arguments: SRTPProfile.allCases)
    func replay(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        var source = PacketSource(seed: 3)
        let packets = try (0..<SRTPReceiver.replayWindow + 10).map { _ in try protect(source.packet(ssrc: 1), &sender) }
        #expect(try unprotect(packets[1], &receiver).count > 0)
        #expect(try unprotect(packets[0], &receiver).count > 0)  // late, not a repeat
        #expect(throws: SRTPError.replayed) { try unprotect(packets[0], &receiver) }
        for packet in packets.dropFirst(3) { _ = try unprotect(packet, &receiver) }
        #expect(throws: SRTPError.replayed) { try unprotect(packets[2], &receiver) }  // older than the window
    }

    @Test("a bit changed anywhere is found", .rfc(3711, "4.2"), arguments: SRTPProfile.allCases)
    func authentication(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        let packet = try protect(hex("90E0 0001 00000001 00000007 BEDE0001 10AA0000 CAFEBABE"), &sender)
        for place in 1..<packet.count where place != 14 && place != 15 {  // with its length the header ends elsewhere
            var forged = packet
            forged[place] ^= 1
            #expect(throws: SRTPError.authenticationFailed, "byte \(place)") { try unprotect(forged, &receiver) }
        }
        let report = try protectRTCP(hex("80C90001 00000007"), &sender)
        for place in 1..<report.count {
            var forged = report
            forged[place] ^= 1
            #expect(throws: SRTPError.authenticationFailed, "byte \(place)") { try unprotectRTCP(forged, &receiver) }
        }
        #expect(try unprotect(packet, &receiver).count == 24)
        #expect(try unprotectRTCP(report, &receiver).count == 8)
    }

    @Test(
        "what is shorter than header and trailer is dropped before the library sees it", arguments: SRTPProfile.allCases
    )
    func lengths(profile: SRTPProfile) throws {
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        for count in 0..<12 + profile.overhead {
            let packet = [0x80] + [UInt8](repeating: 0, count: max(0, count - 1))
            #expect(throws: SRTPError.tooShort(needed: 12 + profile.overhead, had: max(1, count))) {
                try unprotect(packet, &receiver)
            }
        }
        for count in 1..<8 + profile.rtcpOverhead {
            let datagram = [0x80] + [UInt8](repeating: 0, count: count - 1)
            #expect(throws: SRTPError.tooShort(needed: 8 + profile.rtcpOverhead, had: count)) {
                try unprotectRTCP(datagram, &receiver)
            }
        }
        let zeros = [UInt8](repeating: 0, count: 40)
        for first in [0x8F, 0x9F] as [UInt8] {  // fifteen sources, and an extension behind them
            #expect(throws: SRTPError.self) { try unprotect([first] + zeros, &receiver) }
        }
        let extended = [0x90] + zeros.prefix(11) + [0xBE, 0xDE, 0xFF, 0xFF] + zeros
        #expect(throws: SRTPError.tooShort(needed: 16 + 262_140 + profile.overhead, had: extended.count)) {
            try unprotect(extended, &receiver)
        }
        #expect(throws: SRTPError.notRTP) { try unprotect([0x40] + zeros, &receiver) }
        #expect(throws: SRTPError.notRTP) { try unprotectRTCP([0x40] + zeros, &receiver) }
    }

    @Test("sources take memory only when they are authenticated, and only so many", arguments: SRTPProfile.allCases)
    func streams(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var receiver = try SRTPReceiver(profile, Self.key(profile))
        var source = PacketSource(seed: 4)
        for ssrc in 0..<UInt32(1000) {
            let forged = source.packet(ssrc: ssrc) + [UInt8](repeating: 1, count: 16)
            #expect(throws: SRTPError.authenticationFailed) { try unprotect(forged, &receiver) }
        }
        for ssrc in 0..<UInt32(SRTPReceiver.maxStreams) {
            _ = try unprotect(try protect(source.packet(ssrc: ssrc), &sender), &receiver)
        }
        let another = try protect(source.packet(ssrc: 5000), &sender)
        let limit = SRTPError.tooManyStreams(limit: SRTPReceiver.maxStreams)
        #expect(throws: limit) { try unprotect(another, &receiver) }
        #expect(throws: limit) {
            try unprotectRTCP(hex("80C90001 0000FFFF" + String(repeating: "00", count: 20)), &receiver)
        }
        receiver.remove(ssrc: 77)
        receiver.remove(ssrc: 77_777)
        #expect(try unprotect(another, &receiver).count >= 12)
    }

    @Test(
        "a number goes out once, and again only as the same bytes", .rfc(7714, "8.3"), arguments: SRTPProfile.allCases)
    func nonces(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        var source = PacketSource(seed: 5)
        let packet = source.packet(ssrc: 1, number: 100)
        let first = try protect(packet, &sender)
        #expect(throws: SRTPError.alreadySent) { try protect(packet, &sender) }
        #expect(try protect(packet, &sender, isRepeat: true) == first)
        _ = try protect(source.packet(ssrc: 1, number: 103), &sender)
        _ = try protect(source.packet(ssrc: 1, number: 101), &sender)  // late
        let late = source.packet(ssrc: 1, number: 101)
        #expect(throws: SRTPError.alreadySent) { try protect(late, &sender) }
        _ = try protect(source.packet(ssrc: 1, number: 103 + UInt16(SRTPSender.window)), &sender)
        let old = source.packet(ssrc: 1, number: 102)
        #expect(throws: SRTPError.alreadySent) { try protect(old, &sender) }
        let before = source.packet(ssrc: 1, number: 65_000)  // an index under 0
        #expect(throws: SRTPError.alreadySent) { try protect(before, &sender, isRepeat: true) }
    }

    @Test("nothing is written where the trailer does not fit", arguments: SRTPProfile.allCases)
    func room(profile: SRTPProfile) throws {
        var sender = try SRTPSender(profile, Self.key(profile))
        let packet = hex("80E0 0001 00000001 00000007 CAFE")
        #expect(throws: SRTPError.noRoom) { try protect(packet, &sender, room: profile.overhead - 1) }
        #expect(throws: SRTPError.noRoom) { try protectRTCP(packet, &sender, room: profile.rtcpOverhead - 1) }
        #expect(try protect(packet, &sender, room: profile.overhead).count == packet.count + profile.overhead)
        #expect(throws: SRTPError.self) { try protect(Array(packet[..<11]), &sender) }
        #expect(throws: SRTPError.tooShort(needed: 8, had: 7)) { try protectRTCP(Array(packet[..<7]), &sender) }
        #expect(throws: SRTPError.notRTP) { try protectRTCP([0x40] + packet, &sender) }
    }

    @Test("keys of another length are refused, and none is printed")
    func keys() throws {
        let short = SRTPMasterKey(key: [1], salt: [2])
        for profile in SRTPProfile.allCases {
            #expect(throws: SRTPError.unusableKey) { _ = try SRTPSender(profile, short).profile }
            #expect(throws: SRTPError.unusableKey) { _ = try SRTPReceiver(profile, short).profile }
        }
        #expect("\(short)" == "SRTPMasterKey(***)" && String(reflecting: short) == "SRTPMasterKey(***)")
        #expect(SRTPProfile(rawValue: 7) == .aeadAES128GCM && SRTPProfile(rawValue: 1) == .aes128CMHMACSHA1_80)
    }

    @Test("the number of sources we send is limited")
    func outboundStreams() throws {
        var sender = try SRTPSender(.aeadAES128GCM, Self.key(.aeadAES128GCM))
        for ssrc in 0..<UInt32(SRTPSender.maxStreams) { _ = try protect(header(ssrc), &sender) }
        #expect(throws: SRTPError.tooManyStreams(limit: SRTPSender.maxStreams)) { try protect(header(99_999), &sender) }
    }

    private func header(_ ssrc: UInt32) -> [UInt8] {
        hex("80600001 00000000") + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ssrc >> $0) }
    }
}

// MARK: A span may not stand inside #expect

func protect(
    _ packet: [UInt8], _ sender: inout SRTPSender, isRepeat: Bool = false, room: Int = 16
) throws(SRTPError) -> [UInt8] {
    var buffer = packet + [UInt8](repeating: 0xEE, count: room)
    var span = buffer.mutableSpan
    let count = try sender.protect(&span, count: packet.count, isRepeat: isRepeat)
    return Array(buffer[..<count])
}

func protectRTCP(_ packet: [UInt8], _ sender: inout SRTPSender, room: Int = 20) throws(SRTPError) -> [UInt8] {
    var buffer = packet + [UInt8](repeating: 0xEE, count: room)
    var span = buffer.mutableSpan
    let count = try sender.protectRTCP(&span, count: packet.count)
    return Array(buffer[..<count])
}

func unprotect(_ packet: [UInt8], _ receiver: inout SRTPReceiver) throws(SRTPError) -> [UInt8] {
    var buffer = packet
    var span = buffer.mutableSpan
    let count = try receiver.unprotect(&span)
    return Array(buffer[..<count])
}

func unprotectRTCP(_ packet: [UInt8], _ receiver: inout SRTPReceiver) throws(SRTPError) -> [UInt8] {
    var buffer = packet
    var span = buffer.mutableSpan
    let count = try receiver.unprotectRTCP(&span)
    return Array(buffer[..<count])
}
