import Codecs
import Spec
import Testing

@Suite("Access unit filter", .spec("ISO/IEC 14496-15", "5.3.4.2"))
struct AccessUnitFilterTests {
    private let record: AVCDecoderConfigurationRecord
    private let sps: [UInt8]
    private let pps: [UInt8]
    private let slice: [UInt8] = [0x65, 1, 2, 3]
    private let filler: [UInt8] = [0x0C, 0xFF, 0xFF, 0xFF, 0x80]
    private let information: [UInt8] = [0x06, 5, 4]

    init() throws {
        record = try parse(Records.high)
        sps = record.sequenceParameterSets[0]
        pps = record.pictureParameterSets[0]
    }

    private func filter(_ nalUnits: [[UInt8]]) throws(H264Error) -> FilteredAccessUnit {
        // Not from index 0, as it is cut out of a message.
        try AccessUnitFilter(record).filter(([9, 9, 9, 9, 9] + prefixed(nalUnits))[5...])
    }

    @Test("gives back the very slice when nothing is to go")
    func untouched() throws {
        let unit = prefixed([information, slice])[...]
        let result = try AccessUnitFilter(record).filter(unit)
        #expect(result.bytes == unit && result.bytes.startIndex == unit.startIndex)
        #expect(result.removedBytes == 0 && result.hasIDRSlice && result.changedConfiguration == nil)
    }

    @Test("drops the sets of an OBS key frame without a copy")
    func prefix() throws {
        let long = slice + [UInt8](repeating: 7, count: 100)
        let result = try filter([sps, pps, long])
        #expect(Array(result.bytes) == prefixed([long]))
        #expect(result.bytes.startIndex == 5 + prefixed([sps, pps]).count)
        #expect(result.removedBytes == prefixed([sps, pps]).count)
    }

    @Test("drops sets in the middle, filler and delimiters")
    func pieces() throws {
        let result = try filter([[9, 0xF0], information, sps, pps, information, slice, filler])
        #expect(Array(result.bytes) == prefixed([information, information, slice]))
        #expect(result.changedConfiguration == nil)
    }

    @Test("refuses a unit that changes more sets than any encoder sends, and ids that the standard has not")
    func flood() throws {
        let sets = (0..<40).map { pps + [UInt8($0)] }
        #expect(try filter(Array(sets.prefix(32)) + [slice]).changedConfiguration != nil)
        #expect(throws: H264Error.tooManyParameterSets(limit: 32)) { try filter(sets + [slice]) }
        // pic_parameter_set_id 256: eight zeros, a one, and eight bits.
        #expect(throws: H264Error.invalidField("parameter_set_id")) { try filter([[0x68, 0x00, 0x80, 0xC0], slice]) }
    }

    @Test("does not hold on to a buffer of filler")
    func mostlyFiller() throws {
        let result = try filter([slice, filler + [UInt8](repeating: 0xFF, count: 500)])
        #expect(result.bytes == prefixed([slice])[...] && result.bytes.startIndex == 0)
    }

    @Test("leaves nothing of a unit of filler")
    func onlyFiller() throws {
        let result = try filter([filler])
        #expect(result.bytes.isEmpty && !result.hasIDRSlice)
        #expect(try filter([]).bytes.isEmpty)
    }

    @Test("keeps sets that differ, and gives the configuration that they make")
    func changed() throws {
        let other = try parse(Records.cropped).sequenceParameterSets[0]
        let result = try filter([other, pps, slice])
        #expect(Array(result.bytes) == prefixed([other, slice]))
        let configuration = try #require(result.changedConfiguration)
        #expect(configuration.sequenceParameterSets == [other] && configuration.pictureParameterSets == [pps])
        #expect(configuration.level == 30)
        let again = try AccessUnitFilter(configuration).filter(prefixed([other, pps, slice])[...])
        #expect(Array(again.bytes) == prefixed([slice]) && again.changedConfiguration == nil)
    }

    @Test("adds a picture parameter set of another id")
    func added() throws {
        let second: [UInt8] = [0x68, 0b0101_1011, 0x80]  // id 1
        let configuration = try #require(try filter([second, slice]).changedConfiguration)
        #expect(configuration.pictureParameterSets == [pps, second])
        #expect(configuration.tail == record.tail)
    }

    @Test("refuses lengths that lie, at every cut")
    func truncation() throws {
        let unit = prefixed([information, slice])
        let whole = [0, prefixed([information]).count, unit.count]
        for length in 0...unit.count where !whole.contains(length) {
            #expect(throws: H264Error.self) { try AccessUnitFilter(record).filter(unit[..<length]) }
        }
        #expect(throws: H264Error.nalUnitLength(0)) { try AccessUnitFilter(record).filter([0, 0, 0, 0, 0x65]) }
        #expect(throws: H264Error.nalUnitLength(0xFFFF_FFFF)) {
            try AccessUnitFilter(record).filter([0xFF, 0xFF, 0xFF, 0xFF, 0x65])
        }
    }

    @Test("reads prefixes of 1, 2 and 4 bytes, and no other", arguments: [1, 2, 4])
    func lengthSizes(size: Int) throws {
        let unit = [UInt8](repeating: 0, count: size - 1) + [3, 0x41, 1, 2]
        #expect(try ranges(unit, size) == [size..<size + 3])
        #expect(throws: H264Error.nalLengthSize(3)) { try ranges(unit, 3) }
    }
}

private func prefixed(_ nalUnits: [[UInt8]]) -> [UInt8] {
    nalUnits.flatMap { [0, 0, UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
}

private func parse(_ bytes: [UInt8]) throws(H264Error) -> AVCDecoderConfigurationRecord {
    try AVCDecoderConfigurationRecord(parsing: bytes.span)
}

private func ranges(_ bytes: [UInt8], _ size: Int) throws(H264Error) -> [Range<Int>] {
    let span = bytes.span
    var reader = try NALUnitReader(span, lengthSize: size)
    var found: [Range<Int>] = []
    while let range = try reader.next() { found.append(range) }
    return found
}
