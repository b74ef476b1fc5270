import RTP
import Spec
import Testing

@Suite("RTCP packets", .rfc(3550, "6"))
struct RTCPTests {
    static let block: ReportBlock = {
        var block = ReportBlock(ssrc: 0x0A0B_0C0D)
        block.fractionLost = 64
        block.cumulativeLost = -2
        block.highestSequenceNumber = 0x0001_0002
        block.jitter = 3
        block.lastSenderReport = 4
        block.delaySinceLastSenderReport = 5
        return block
    }()
    static let blockHex = "0A0B0C0D 40FFFFFE 00010002 00000003 00000004 00000005"

    static let rows: [(name: String, bytes: String, packet: RTCPPacket)] = [
        (
            "SR", "81C8000C 00000001 0102030405060708 00000009 0000000A 0000000B" + blockHex,
            .senderReport(
                SenderReport(
                    ssrc: 1, ntp: NTPTimestamp(bits: 0x0102_0304_0506_0708), timestamp: 9, packetCount: 10,
                    octetCount: 11, blocks: [block]))
        ),
        ("RR without blocks", "80C90001 00000001", .receiverReport(ReceiverReport(ssrc: 1))),
        ("RR", "81C90007 00000001" + blockHex, .receiverReport(ReceiverReport(ssrc: 1, blocks: [block]))),
        (
            "SDES", "82CA0005 00000001 0102 6162 00000000 00000002 0101 6300",
            .sourceDescription([
                SourceDescription(ssrc: 1, canonicalName: "ab"),
                SourceDescription(ssrc: 2, items: [.init(type: 1, text: [0x63])]),
            ])
        ),
        ("SDES without chunks", "80CA0000", .sourceDescription([])),
        ("BYE", "82CB0002 00000001 00000002", .goodbye(Goodbye(sources: [1, 2]))),
        (
            "BYE with a reason", "81CB0002 00000001 03627965",
            .goodbye(Goodbye(sources: [1], reason: [0x62, 0x79, 0x65]))
        ),
        (
            "NACK", "81CD0003 00000001 00000002 FFFE8001",
            .nack(GenericNACK(sender: 1, media: 2, entries: [.init(packetID: 0xFFFE, bitmask: 0x8001)]))
        ),
        ("PLI", "81CE0002 00000001 00000002", .pictureLossIndication(sender: 1, media: 2)),
        (
            "FIR", "84CE0004 00000001 00000000 00000002 07000000",
            .fullIntraRequest(FullIntraRequest(sender: 1, entries: [.init(ssrc: 2, sequenceNumber: 7)]))
        ),
        (
            "REMB", "8FCE0005 00000001 00000000 52454D42 01060000 00000002",
            .receiverEstimatedMaximumBitrate(
                ReceiverEstimatedMaximumBitrate(sender: 1, bitrate: 0x20000 << 1, ssrcs: [2]))
        ),
    ]

    @Test("is read as its standard says", arguments: rows)
    func reading(name: String, bytes: String, packet: RTCPPacket) throws {
        #expect(try read(hex(bytes)) == [packet], "\(name)")
    }

    @Test("reads as it was written", arguments: rows)
    func writing(name: String, bytes: String, packet: RTCPPacket) throws {
        var written: [UInt8] = []
        packet.write(into: &written)
        #expect(written == hex(bytes), "\(name)")
        #expect(try read(written) == [packet])
        #expect(written.count % 4 == 0)
    }

    @Test("refuses every cut", arguments: rows)
    func truncation(name: String, bytes: String, packet: RTCPPacket) throws {
        let whole = hex(bytes)
        for length in 1..<whole.count {
            #expect(throws: RTPError.self, "\(name) of \(length)") { try read(Array(whole[..<length])) }
            // The length says less than the fields need: nothing is read past it.
            guard length % 4 == 0, whole.count > 4 else { continue }
            var lying = whole
            lying[3] = UInt8(length / 4 - 1)
            #expect((try? read(lying)) != [packet])
        }
    }

    @Test("a compound is read in turn, of reduced size too", .rfc(5506, "3.4.1"))
    func compound() throws {
        let compound = Self.rows.flatMap { hex($0.bytes) }
        #expect(try read(compound).count == Self.rows.count)
        #expect(try read(hex("81CE0002 00000001 00000002")).count == 1)
    }

    @Test("what is not known is passed over")
    func others() throws {
        let unknown = "80CC0002 00000001 41414141 80CF0001 00000001 82CD0002 0000000100000002"
        let expected: [RTCPPacket] = [
            .other(type: 204, format: 0), .other(type: 207, format: 0), .other(type: 205, format: 2),
            .pictureLossIndication(sender: 1, media: 2),
        ]
        #expect(try read(hex(unknown + "81CE0002 00000001 00000002")) == expected)
        #expect(try read(hex("8FCE0003 00000001 00000000 41414141")) == [.other(type: 206, format: 15)])
        var nothing: [UInt8] = []
        RTCPPacket.other(type: 204, format: 0).write(into: &nothing)
        #expect(nothing.isEmpty)
    }

    @Test("padding ends the last packet", .rfc(3550, "6.4.1"))
    func padding() throws {
        #expect(try read(hex("A1CE0003 00000001 00000002 00000004")) == [.pictureLossIndication(sender: 1, media: 2)])
        let wrong = [
            "A1CE0003 00000001 00000002 00000000", "A1CE0003 00000001 00000002 00000003",
            "A1CE0003 00000001 00000002 00000010", "A0C90000",
        ]
        for wrong in wrong {
            #expect(throws: RTPError.self) { try read(hex(wrong)) }
        }
    }

    /// Lengths that lie (CVE-2021-43804, CVE-2022-21722), counts that the packet cannot hold.
    static let hostile: [(name: String, bytes: String)] = [
        ("BYE whose reason reaches past the end", "81CB0002 00000001 FF627965"),
        ("31 sources in four bytes", "9FCB0000"),
        ("31 blocks in none", "9FC90001 00000001"),
        ("a length past the datagram", "81CE0FFF 00000001 00000002"),
        ("an SDES item past its chunk", "81CA0002 00000001 01FF6162"),
        ("an SDES chunk without an end", "81CA0002 00000001 01026162"),
        ("a version of 1", "41CE0002 00000001 00000002"),
        ("a NACK that asks for nothing", "81CD0002 00000001 00000002"),
        ("a FIR that asks for nothing", "84CE0002 00000001 00000000"),
        ("a REMB of 255 streams that are not there", "8FCE0004 00000001 00000000 52454D42 FF060000"),
        ("a REMB of 2^80 bits a second", "8FCE0004 00000001 00000000 52454D42 00FFFFFF"),
        ("an SR of one word", "80C80000"),
    ]

    @Test("what is malformed ends the datagram; what came before stands", arguments: hostile)
    func lies(name: String, bytes: String) throws {
        let datagram = hex("80C90001 00000007" + bytes + "81CE0002 00000001 00000002")
        var packets: [RTCPPacket] = []
        #expect(throws: RTPError.self, "\(name)") { try read(datagram, into: &packets) }
        #expect(packets == [.receiverReport(ReceiverReport(ssrc: 7))])
    }

    @Test("at most 31 of anything is written")
    func limits() throws {
        let blocks = [ReportBlock](repeating: Self.block, count: 40)
        var bytes: [UInt8] = []
        RTCPPacket.receiverReport(ReceiverReport(ssrc: 1, blocks: blocks)).write(into: &bytes)
        guard case .receiverReport(let report)? = try read(bytes).first else {
            Issue.record("no report")
            return
        }
        #expect(report.blocks.count == 31)
    }

    @Test("the losses of a report are 24 bits with a sign", .rfc(3550, "6.4.1"))
    func cumulativeLost() throws {
        for (value, expected) in [(Int32.max, 0x7F_FFFF), (.min, -0x80_0000), (-1, -1)] as [(Int32, Int32)] {
            var block = Self.block
            block.cumulativeLost = value
            var bytes: [UInt8] = []
            RTCPPacket.receiverReport(ReceiverReport(ssrc: 1, blocks: [block])).write(into: &bytes)
            block.cumulativeLost = expected
            #expect(try read(bytes) == [.receiverReport(ReceiverReport(ssrc: 1, blocks: [block]))])
        }
    }

    private func read(_ datagram: [UInt8]) throws(RTPError) -> [RTCPPacket] {
        var packets: [RTCPPacket] = []
        try read(datagram, into: &packets)
        return packets
    }

    private func read(_ datagram: [UInt8], into packets: inout [RTCPPacket]) throws(RTPError) {
        var reader = RTCPReader(datagram.span)
        do throws(RTPError) {
            while let packet = try reader.next() { packets.append(packet) }
        } catch {
            guard try reader.next() == nil else { preconditionFailure("it goes on behind an error") }
            throw error
        }
    }
}
