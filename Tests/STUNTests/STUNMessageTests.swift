import Bytes
import STUN
import Spec
import Testing

@Suite("STUN message", .rfc(8489, "5"))
struct STUNMessageTests {
    @Test("reads the sample request", .rfc(5769, "2.1"))
    func request() throws {
        let message = try parse(Sample.request)
        #expect(message.header == STUNHeader(.request, transaction: Sample.transaction))
        #expect(message.username == Array("evtj:h6vY".utf8))
        #expect(message.priority == 0x6E00_01FF)
        #expect(message.attributes.contains(.iceControlled(0x932F_F9B1_5126_3B36)))
        #expect(message.attributes.first == .other(type: 0x8022, value: Array("STUN test client".utf8)))
        #expect(message.hadFingerprint && !message.usesCandidate && message.unknownRequired.isEmpty)
        #expect(verifies(Sample.request))
    }

    static let responses: [(packet: [UInt8], address: String)] = [
        (Sample.responseV4, "192.0.2.1"), (Sample.responseV6, "2001:db8:1234:5678:11:2233:4455:6677"),
    ]

    @Test("reads the sample responses", .rfc(5769, "2.2"), .rfc(5769, "2.3"), arguments: responses)
    func response(packet: [UInt8], address: String) throws {
        let message = try parse(packet)
        #expect(message.header.messageClass == .successResponse)
        #expect(message.mappedAddress == TransportAddress(try #require(IPAddress(address)), port: 32853))
        #expect(verifies(packet))
    }

    static let samples = [Sample.request, Sample.responseV4, Sample.responseV6]

    @Test("refuses every shorter prefix, and never traps", arguments: samples)
    func truncation(packet: [UInt8]) {
        for length in packet.indices {
            #expect(throws: STUNError.self) { try parse(Array(packet[..<length])) }
            // The same with a length that is said right: an attribute is cut.
            var cut = Array(packet[..<length])
            guard length > 20, length % 4 == 0 else { continue }
            cut[3] = UInt8(length - 20)
            #expect(!verifies(cut) || length == packet.count - 8)
        }
    }

    @Test("MESSAGE-INTEGRITY holds for no other password and no changed byte", .rfc(8489, "14.5"), arguments: samples)
    func integrity(packet: [UInt8]) {
        #expect(!verifies(packet, MessageIntegrity(password: "VOkJxbRl1RmTxUk/WvJxBT", hmac: hmac)))
        for index in packet.indices.dropLast(8) {
            var changed = packet
            changed[index] ^= 1
            #expect(!verifies(changed), "byte \(index)")
        }
    }

    @Test("a wrong FINGERPRINT is refused", .rfc(8489, "14.7"), arguments: samples)
    func fingerprint(packet: [UInt8]) {
        var changed = packet
        changed[packet.count - 1] ^= 1
        #expect(throws: STUNError.wrongFingerprint) { try parse(changed) }
    }

    @Test("nothing may follow FINGERPRINT", .rfc(8489, "14.7"))
    func afterFingerprint() {
        var packet = Sample.request + hex("00250000")
        packet[3] += 4
        #expect(throws: STUNError.afterFingerprint) { try parse(packet) }
    }

    @Test("what stands behind MESSAGE-INTEGRITY is ignored", .rfc(8489, "14.5"))
    func behindIntegrity() throws {
        let signed = STUNMessage(STUNHeader(.request, transaction: Sample.transaction), [.priority(1)])
            .serialized(with: Sample.integrity)
        var packet = Array(signed.dropLast(8)) + hex("00250000")
        packet[3] -= 4
        #expect(verifies(packet))
        #expect(try !parse(packet).usesCandidate)
    }

    @Test("of two attributes of one type the first counts", .rfc(8489, "14"))
    func twice() throws {
        let header = STUNHeader(.request, transaction: Sample.transaction)
        let packet = STUNMessage(header, [.priority(1), .priority(2)]).serialized(with: nil)
        #expect(try parse(packet).attributes == [.priority(1)])
    }

    static let all: [STUNAttribute] = [
        .username(Array("a:b".utf8)), .mappedAddress(TransportAddress(.v4(0x7F00_0001), port: 1)),
        .xorMappedAddress(TransportAddress(.v6(high: 1 << 63, low: 7), port: 65535)),
        .errorCode(487, reason: "Role Conflict"), .unknownAttributes([0x7FFF, 0x0002, 3]), .priority(.max),
        .useCandidate, .iceControlled(0), .iceControlling(.max), .other(type: 0x8022, value: [1, 2, 3, 4, 5]),
        .other(type: 0x7000, value: []),
    ]

    @Test("what is written reads the same", arguments: 0..<4)
    func roundTrip(kind: UInt8) throws {
        let messageClass = try #require(STUNHeader.Class(rawValue: kind))
        for method in [1, 0x0F, 0x70, 0xF80, 0xFFF] as [UInt16] {
            let header = STUNHeader(messageClass, method: method, transaction: Sample.transaction)
            let packet = STUNMessage(header, Self.all).serialized(with: Sample.integrity)
            let message = try parse(packet)
            #expect(message.header == header && message.attributes == Self.all && message.hadFingerprint)
            #expect(verifies(packet))
        }
    }

    @Test("only what must be known is unknown", .rfc(8489, "6.3.1"))
    func unknown() throws {
        let header = STUNHeader(.request, transaction: Sample.transaction)
        let packet = STUNMessage(header, Self.all).serialized(with: nil)
        #expect(try parse(packet).unknownRequired == [0x7000])
        #expect(try parse(packet).errorCode == 487)
    }

    static let hostile: [(String, [UInt8])] = [
        ("family 0", hex("00200008 00001111 22223333")), ("family 3", hex("00200008 00031111 22223333")),
        ("an IPv6 address of 4 bytes", hex("00200008 00021111 22223333")),
        ("an ERROR-CODE of 0 bytes", hex("00090000")), ("of 3 bytes", hex("00090003 00000400")),
        ("an ERROR-CODE of 799", hex("00090004 00000763")), ("of class 0", hex("00090004 00000000")),
        ("a USERNAME of 514 bytes", hex("00060202") + [UInt8](repeating: 0x61, count: 516)),
        ("a PRIORITY of 3 bytes", hex("00240003 00000000")), ("a USE-CANDIDATE with a value", hex("00250004 00000000")),
        ("a tie-breaker of 4 bytes", hex("802a0004 00000000")), ("odd UNKNOWN-ATTRIBUTES", hex("000a0003 00000000")),
        ("a MESSAGE-INTEGRITY of 16 bytes", hex("00080010") + [UInt8](repeating: 0, count: 16)),
        ("a FINGERPRINT of 0 bytes", hex("80280000")), ("a length past the message", hex("80220005 00000000")),
        ("a length of 65535", hex("8022ffff 00000000")), ("33 attributes", [UInt8](repeating: 0xC0, count: 0) + many),
    ]
    static let many: [UInt8] = (0..<33).flatMap { hex("C0") + [UInt8($0), 0, 0] }

    @Test("refuses hostile attributes (fault class 15)", arguments: hostile)
    func hostileAttributes(name: String, attribute: [UInt8]) {
        var packet = hex("0001 0000 2112a442 000000000000000000000000") + attribute
        packet[2] = UInt8((packet.count - 20) >> 8)
        packet[3] = UInt8((packet.count - 20) & 0xFF)
        #expect(throws: STUNError.self) { try parse(packet) }
    }

    static let headers: [(String, [UInt8])] = [
        ("first bits set", hex("80010000 2112a442 000000000000000000000000")),
        ("no cookie", hex("00010000 2112a443 000000000000000000000000")),
        ("a length that is no multiple of four", hex("00010002 2112a442 000000000000000000000000 0000")),
        ("a length past the datagram", hex("00010004 2112a442 000000000000000000000000")),
        ("bytes behind the message", hex("00010000 2112a442 000000000000000000000000 80220000")),
    ]

    @Test("refuses hostile headers (fault class 15)", arguments: headers)
    func hostileHeaders(name: String, packet: [UInt8]) {
        #expect(throws: STUNError.self) { try parse(packet) }
    }
}

@Suite("STUN header")
struct STUNHeaderTests {
    @Test("tells STUN by its first byte", .rfc(7983, "7"))
    func demultiplexing() {
        for byte in UInt8.min...UInt8.max { #expect(STUNHeader.isSTUN(firstByte: byte) == (byte < 4)) }
    }

    private static func fragment(_ packet: [UInt8]) -> String? {
        STUNHeader.localFragment(in: packet.span).map { String(decoding: packet[$0], as: UTF8.self) }
    }

    @Test("finds the receiver's fragment", .rfc(8445, "7.3"))
    func fragment() {
        let header = STUNHeader(.request, transaction: Sample.transaction)
        let named = { (name: String) in
            STUNMessage(header, [.other(type: 0x8022, value: [1]), .username(Array(name.utf8))]).serialized(with: nil)
        }
        #expect(Self.fragment(Sample.request) == "evtj")
        #expect(Self.fragment(named("here:there:more")) == "here")
        #expect(Self.fragment(named(":there")) == "")
        #expect(Self.fragment(named("here")) == nil)
        #expect(Self.fragment(Sample.responseV4) == nil)
        for length in 0..<Sample.request.count { #expect(Self.fragment(Array(Sample.request[..<length])) == nil) }
    }
}

@Suite("IP address")
struct IPAddressTests {
    static let texts: [(String, String?)] = [
        ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("256.0.0.1", nil), ("1.2.3", nil),
        ("1.2.3.4.5", nil), ("01.2.3.4", nil), ("1..2.3", nil), ("+1.2.3.4", nil), ("", nil), ("a", nil),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:db8::", "2001:db8::"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::ffff:192.0.2.1", "::ffff:c000:201"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
        ("1:2:3:4:5:6:7:8:9", nil),
        ("1:2:3:4:5:6:7", nil), (":::", nil), ("1::2::3", nil), ("12345::", nil), ("fe80::1%eth0", nil), ("+1::", nil),
        ("1.2.3.4::", nil), (":1", nil), ("1:", nil), ("g::", nil), ("0:1::0:0:0:0", "0:1::"), ("a.local", nil),
    ]

    @Test("reads and writes its text", .rfc(4291, "2.2"), .rfc(5952, "4"), arguments: texts)
    func text(given: String, written: String?) throws {
        let address = IPAddress(given)
        #expect(address?.description == written)
        if let address { #expect(IPAddress(address.description) == address) }
    }

    @Test("a mapped address is an IPv4 address", .rfc(4291, "2.5.5.2"))
    func mapped() {
        #expect(IPAddress("::ffff:192.0.2.1")?.unmapped == IPAddress("192.0.2.1"))
        #expect(IPAddress("::1")?.unmapped == IPAddress("::1"))
        #expect(TransportAddress(.v6(high: 0, low: 1), port: 5).description == "[::1]:5")
        #expect(TransportAddress(.v4(1), port: 5).description == "0.0.0.1:5")
    }
}
