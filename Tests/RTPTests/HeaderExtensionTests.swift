import Spec
import Testing

@testable import RTP

@Suite("RTP header extensions", .rfc(8285, "4"))
struct HeaderExtensionTests {
    typealias Element = HeaderExtensionReader.Element

    static let rows: [(name: String, words: String, elements: [Element])] = [
        ("one element", "BEDE 0001 10AA0000", [Element(id: 1, start: 16, range: 17..<18)]),
        (
            "padding between and behind", "BEDE 0003 10AA0000 2211223300 310102",
            [
                Element(id: 1, start: 16, range: 17..<18), Element(id: 2, start: 20, range: 21..<24),
                Element(id: 3, start: 25, range: 26..<28),
            ]
        ),
        ("id 15 ends all", "BEDE 0002 10AAF0BB 20CC0000", [Element(id: 1, start: 16, range: 17..<18)]),
        ("id 0 with a length ends all", "BEDE 0002 10AA01BB BB20CC00", [Element(id: 1, start: 16, range: 17..<18)]),
        ("one that reaches too far", "BEDE 0001 10AA2F00", [Element(id: 1, start: 16, range: 17..<18)]),
        (
            "two bytes, one of them empty", "1000 0002 0100 0003 FF02AABB",
            [Element(id: 1, start: 16, range: 18..<18)]
        ),
        (
            "two bytes with appbits", "100F 0002 0001 01AA FF02AABB",
            [Element(id: 1, start: 17, range: 19..<20), Element(id: 255, start: 20, range: 22..<24)]
        ),
        ("two bytes, cut in the head", "1000 0001 01010002", [Element(id: 1, start: 16, range: 18..<19)]),
        ("another profile", "ABCD 0001 10AA0000", []),
        ("no words", "BEDE 0000", []),
    ]

    @Test("walks the elements of both forms", arguments: rows)
    func walk(name: String, words: String, elements: [Element]) throws {
        let packet = [0x90] + RTPHeaderTests.fixed.dropFirst() + hex(words)
        #expect(try walked(packet) == elements, "\(name)")
    }

    static let map: HeaderExtensionMap = {
        var map = HeaderExtensionMap()
        map[.mid] = 1
        map[.rid] = 2
        map[.absSendTime] = 3
        map[.transportWideCC] = 4
        map[.audioLevel] = 5
        map[.videoOrientation] = 6
        map[.playoutDelay] = 7
        map[.repairedRID] = 8
        return map
    }()

    @Test("reads each by its own standard")
    func values() throws {
        let packet =
            [0x90] + RTPHeaderTests.fixed.dropFirst()
            + hex("BEDE 0008 1030 2168 69 32123456 41ABCD 50FF 6003 72001FFF 8078 D0FF 00000000 00000000")
        let read = try values(of: packet)
        #expect(read.mid.map { Array(packet[$0]) } == [0x30])
        #expect(read.rid.map { Array(packet[$0]) } == [0x68, 0x69])
        #expect(read.repairedRID.map { Array(packet[$0]) } == [0x78])
        #expect(read.absSendTime == 0x12_3456)
        #expect(read.transportSequenceNumber == 0xABCD)
        #expect(read.audioLevel == .init(level: 127, isVoice: true))
        #expect(read.rotation == 270)
        #expect(read.playoutDelay == .init(minimum: 1, maximum: 4095))
    }

    @Test("passes over a value of a length that is not its own")
    func wrongLengths() throws {
        let packet = [0x90] + RTPHeaderTests.fixed.dropFirst() + hex("BEDE 0004 311234 4010 610102 7000 000000 000000")
        let read = try values(of: packet)
        #expect(read.absSendTime == nil && read.transportSequenceNumber == nil)
        #expect(read.rotation == nil && read.playoutDelay == nil)
    }

    @Test("is known by its URI, and an id by the session's map", arguments: HeaderExtension.allCases)
    func uris(known: HeaderExtension) {
        #expect(HeaderExtension(uri: known.uri) == known)
        var map = HeaderExtensionMap()
        #expect(map[known] == nil && map.known(0) == nil)
        map[known] = 14
        #expect(map[known] == 14 && map.known(14) == known && map.known(13) == nil)
        #expect(HeaderExtension(uri: known.uri + "x") == nil)
    }

    @Test("is written in either form, padded to whole words")
    func block() throws {
        var oneByte = HeaderExtensionBlock(.oneByte)
        #expect(oneByte.isEmpty && oneByte.byteCount == 0)
        try oneByte.append(id: 1, [0x30].span)
        try oneByte.append(id: 3, 0xFF12_3456, byteCount: 3)
        #expect(throws: RTPError.noRoom) { try oneByte.append(id: 15, [1].span) }
        #expect(throws: RTPError.noRoom) { try oneByte.append(id: 0, [1].span) }
        #expect(throws: RTPError.noRoom) { try oneByte.append(id: 1, [UInt8](repeating: 1, count: 17).span) }
        #expect(throws: RTPError.noRoom) { try oneByte.append(id: 1, 1, byteCount: 5) }
        let header = try parse(RTPHeaderTests.fixed)
        let packet = try written(header, oneByte)
        #expect(packet == [0x90] + RTPHeaderTests.fixed.dropFirst() + hex("BEDE 0002 1030 32123456 0000"))
        #expect(try parse(packet).byteCount == 12 + oneByte.byteCount)

        var twoByte = HeaderExtensionBlock(.twoByte)
        let empty: [UInt8] = []
        try twoByte.append(id: 200, empty.span)
        try twoByte.append(id: 1, 0xAB, byteCount: 1)
        #expect(try written(header, twoByte) == [0x90] + header0 + hex("1000 0002 C800 0101AB 000000"))
        #expect(throws: RTPError.noRoom) { try twoByte.append(id: 1, [UInt8](repeating: 1, count: 200).span) }
        #expect(throws: RTPError.noRoom) { try written(header, twoByte, capacity: 23) }
    }

    private var header0: ArraySlice<UInt8> { RTPHeaderTests.fixed.dropFirst() }

    @Test("gets another session's ids in place; what that does not know becomes padding")
    func translation() throws {
        var other = HeaderExtensionMap()
        other[.mid] = 9
        other[.transportWideCC] = 3
        other[.rid] = 20  // not to be said in the one-byte form
        let packet = [0x90] + header0 + hex("BEDE 0003 1030 2168 69 41ABCD 50FF 0000 FF") + [7]
        #expect(
            try translated(packet, to: other) == [0x90] + header0 + hex("BEDE 0003 9030 000000 31ABCD 0000 0000 FF") + [
                7
            ])
        let twoByte = [0x90] + header0 + hex("1000 0003 0101 30 0202 6869 0402ABCD 00") + [7]
        #expect(
            try translated(twoByte, to: other) == [0x90] + header0 + hex("1000 0003 0901 30 1402 6869 0302ABCD 00") + [
                7
            ])
    }

    // MARK: A span may not stand inside #expect

    private func walked(_ packet: [UInt8]) throws -> [Element] {
        var reader = HeaderExtensionReader(packet.span, try parse(packet))
        var elements: [Element] = []
        while let element = reader.next() { elements.append(element) }
        return elements
    }

    private func values(of packet: [UInt8]) throws -> HeaderExtensionValues {
        HeaderExtensionValues(packet.span, try parse(packet), Self.map)
    }

    private func translated(_ packet: [UInt8], to other: HeaderExtensionMap) throws -> [UInt8] {
        var packet = packet
        let header = try parse(packet)
        var span = packet.mutableSpan
        Self.map.translate(to: other, in: &span, header)
        return packet
    }
}
