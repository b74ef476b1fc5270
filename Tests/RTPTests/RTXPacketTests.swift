import RTP
import Spec
import Testing

@Suite("Retransmission payload format", .rfc(4588, "4"))
struct RTXPacketTests {
    static let original = hex("91E1 0102 0A0B0C0D 11223344 00000009 BEDE0001 10AA0000 CAFEBABE")

    @Test("carries the original sequence number before the payload")
    func write() throws {
        let packet = try retransmission(of: Self.original)
        #expect(packet == hex("91E4 FFFE 0A0B0C0D 55667788 00000009 BEDE0001 10AA0000 0102 CAFEBABE"))
    }

    @Test("gives back the original, with nothing moved but the header")
    func roundTrip() throws {
        #expect(try restored(try retransmission(of: Self.original)) == Self.original)
        let small = hex("8060 0001 00000002 11223344")  // no payload: the OSN is all of it
        #expect(try restored(try retransmission(of: small), payloadType: 0x60) == small)
    }

    @Test("leaves the original's padding behind")
    func padding() throws {
        let padded = hex("A0E1 0102 0A0B0C0D 11223344 CA 0002")
        #expect(try retransmission(of: padded) == hex("80E4 FFFE 0A0B0C0D 55667788 0102 CA"))
    }

    @Test("padding alone, as a probe, has no original")
    func probe() throws {
        #expect(try restored(hex("A0E4 0001 00000000 55667788 000003")) == nil)
    }

    @Test("one byte is no sequence number")
    func truncation() {
        #expect(throws: RTPError.truncated(needed: 14, had: 13)) {
            try restored(hex("80E4 0001 00000000 55667788 01"))
        }
    }

    @Test("is not written where it does not fit")
    func noRoom() {
        #expect(throws: RTPError.noRoom) { try retransmission(of: Self.original, capacity: 29) }
    }

    private func retransmission(of packet: [UInt8], capacity: Int = 100) throws -> [UInt8] {
        try [UInt8](capacity: capacity) { output in
            try RTXPacket.write(
                retransmitting: packet.span, ssrc: 0x5566_7788, payloadType: 0x64, sequenceNumber: 0xFFFE, into: &output
            )
        }
    }

    private func restored(_ packet: [UInt8], payloadType: UInt8 = 0x61) throws -> [UInt8]? {
        var packet = packet
        let header = try parse(packet)
        var span = packet.mutableSpan
        let start = try RTXPacket.restore(&span, header, ssrc: 0x1122_3344, payloadType: payloadType)
        return start.map { Array(packet[$0...]) }
    }
}
