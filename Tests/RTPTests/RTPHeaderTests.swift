import RTP
import Spec
import Testing

@Suite("RTP header", .rfc(3550, "5.1"))
struct RTPHeaderTests {
    static let fixed = hex("80E0 698F D9C293DA 1C642782")
    static let rows: [(packet: [UInt8], payload: Range<Int>)] = [
        (fixed, 12..<12),
        (fixed + [1, 2, 3], 12..<15),
        ([0x82] + fixed.dropFirst() + [0, 0, 0, 1, 0, 0, 0, 2, 9], 20..<21),  // two CSRCs
        ([0x90] + fixed.dropFirst() + [0xBE, 0xDE, 0, 1, 0x10, 9, 0, 0], 20..<20),  // one word of extension
        ([0xA0] + fixed.dropFirst() + [7, 0, 0, 3], 12..<13),  // three octets of padding
        ([0xB1] + fixed.dropFirst() + [0, 0, 0, 1, 0, 1, 0, 0, 5, 1], 20..<21),  // all of them
    ]

    @Test("finds the payload behind CSRCs and extension, and before padding", arguments: rows)
    func payload(packet: [UInt8], payload: Range<Int>) throws {
        let header = try parse(packet)
        #expect(header.payloadRange == payload)
        #expect(header.byteCount == payload.lowerBound)
    }

    @Test("reads the fixed fields")
    func fields() throws {
        let header = try parse(Self.fixed)
        #expect(header.marker && header.payloadType == 96 && header.sequenceNumber == 0x698F)
        #expect(header.timestamp == 0xD9C2_93DA && header.ssrc == 0x1C64_2782 && header.csrcCount == 0)
        #expect(header.extensionProfile == nil)
    }

    @Test("refuses every prefix that cuts the header, and never traps", arguments: rows)
    func truncation(packet: [UInt8], payload: Range<Int>) {
        for length in 0..<payload.lowerBound {
            #expect(throws: RTPError.self) { try parse(Array(packet[..<length])) }
        }
    }

    static let hostile: [(packet: [UInt8], error: RTPError)] = [
        ([0x40] + fixed.dropFirst(), .unsupportedVersion(1)),
        ([0x8F] + fixed.dropFirst(), .truncated(needed: 72, had: 12)),
        ([0x90] + fixed.dropFirst() + [0xBE, 0xDE, 0xFF, 0xFF], .truncated(needed: 262_156, had: 16)),
        ([0xA0] + fixed.dropFirst() + [0], .invalidPadding(0)),
        ([0xA0] + fixed.dropFirst() + [2], .invalidPadding(2)),
        ([0xA0] + fixed.dropFirst(), .invalidPadding(0x82)),
    ]

    @Test("refuses what lies about its length", arguments: hostile)
    func lies(packet: [UInt8], error: RTPError) {
        #expect(throws: error) { try parse(packet) }
    }

    @Test("writes what it reads")
    func roundTrip() throws {
        #expect(try written(try parse(Self.fixed), capacity: 12) == Self.fixed)
        #expect(throws: RTPError.noRoom) { try written(try parse(Self.fixed), capacity: 11) }
    }

    @Test("is rewritten in place, the marker and all behind it untouched")
    func rewrite() throws {
        var packet = Self.rows[3].packet
        let rewrite = HeaderRewrite(payloadType: 0x7F, sequenceNumber: 0xFFFF, timestamp: 1, ssrc: 0xA0B0_C0D0)
        var span = packet.mutableSpan
        try rewrite.apply(to: &span)
        #expect(packet == hex("90FF FFFF 00000001 A0B0C0D0 BEDE0001 10090000"))
        var short = [UInt8](repeating: 0x80, count: 11)
        #expect(throws: RTPError.self) {
            var span = short.mutableSpan
            try rewrite.apply(to: &span)
        }
    }

    @Test("padding is added, and added to")
    func padding() throws {
        var buffer = Self.fixed + [9] + [UInt8](repeating: 0xEE, count: 260)
        let once = try padded(&buffer, 4, from: 13)
        #expect(Array(buffer[12..<once]) == [9, 0, 0, 0, 4])
        let twice = try padded(&buffer, 2, from: once)
        #expect(Array(buffer[12..<twice]) == [9, 0, 0, 0, 0, 0, 6])
        #expect(try parse(Array(buffer[..<twice])).payloadRange == 12..<13)
        #expect(throws: RTPError.noRoom) { try padded(&buffer, 250, from: twice) }
        #expect(throws: RTPError.noRoom) { try padded(&buffer, 256, from: 13) }
        #expect(try padded(&buffer, 0, from: twice) == twice)
    }

    private func padded(_ buffer: inout [UInt8], _ added: Int, from count: Int) throws -> Int {
        var span = buffer.mutableSpan
        return try RTPPadding.append(added, to: &span, count: count)
    }
}

@Suite("Multiplexing on one port", .rfc(7983, "7"))
struct MultiplexedProtocolTests {
    static let rows: [(first: UInt8, second: UInt8, expected: MultiplexedProtocol?)] = [
        (0, 1, .stun), (3, 0, .stun), (4, 0, nil), (19, 0, nil), (20, 254, .dtls), (22, 254, .dtls), (63, 0, .dtls),
        (64, 0, nil), (127, 0, nil), (128, 96, .rtp), (0x80, 0xE0, .rtp), (191, 0, .rtp), (192, 0, nil),
    ]

    @Test("the first byte tells", arguments: rows)
    func firstByte(first: UInt8, second: UInt8, expected: MultiplexedProtocol?) {
        #expect(kind([first, second]) == expected)
    }

    @Test("the packet types 192 to 223 are RTCP", .rfc(5761, "4"))
    func rtcp() {
        for type in UInt8.min...UInt8.max {
            #expect(kind([0x80, type]) == (192...223 ~= type ? .rtcp : .rtp))
        }
        #expect(kind([0x80]) == nil)
        #expect(kind([]) == nil)
    }

    private func kind(_ bytes: [UInt8]) -> MultiplexedProtocol? { MultiplexedProtocol(of: bytes.span) }
}

/// A span may not stand inside #expect.
func parse(_ packet: [UInt8]) throws(RTPError) -> RTPHeader { try RTPHeader(parsing: packet.span) }

func written(
    _ header: RTPHeader, _ block: HeaderExtensionBlock = HeaderExtensionBlock(.oneByte), capacity: Int = 200
) throws -> [UInt8] {
    try [UInt8](capacity: capacity) { output in try header.write(block, into: &output) }
}
