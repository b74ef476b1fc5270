import Bytes
import Feed
import Testing

@Suite("A record's bytes")
struct RecordCodingTests {
    @Test("come back as the record", arguments: Samples.records)
    func roundTrip(record: Record) throws {
        #expect(try Record.decode(record.bytes[...]) == record)
    }

    @Test(
        "cut anywhere are an error, a shorter payload, or a shorter list, and never a trap", arguments: Samples.records)
    func truncation(record: Record) {
        let bytes = record.bytes
        for length in 0..<bytes.count {
            let result = Result { () throws(FeedError) in try Record.decode(bytes[..<length]) }
            switch (record.body, result) {
            case (.event(.speaking), .success), (.event(.muted), .success): break  // an absent field is a valid value
            case (.event, .success): Issue.record("an event cut at \(length) was read")
            case (.unit, .success): #expect(length >= 44)
            case (.packet, .success): #expect(length >= 25)
            case (_, .failure): break
            }
        }
    }

    @Test("of a kind from the future are skipped")
    func unknownKinds() throws {
        let header = [UInt8](repeating: 0, count: 16)
        #expect(try Record.decode((header + [9, 1, 2, 3])[...]) == nil)
        #expect(try Record.decode((header + [1, 200])[...]) == nil, "an unknown event")
        #expect(try Record.decode((header + [1, 200, 1, 0, 0, 0, 1, 0])[...]) == nil, "with a field")
        #expect(try Record.decode((header + [3, 0, 0, 0, 1, 0, 0, 77, 0, 5])[...]) == nil, "an unknown sort of packet")
        #expect(throws: FeedError.truncated) { try Record.decode((header + [1, 200, 1, 0, 0, 0, 2, 0])[...]) }
    }

    @Test("with fields from the future are read without them", arguments: Samples.events)
    func unknownFields(event: RoomEvent) throws {
        let record = Record(position: 1, time: 2, body: .event(event))
        #expect(try Record.decode((record.bytes + [250, 0, 0, 0, 3, 1, 2, 3])[...]) == record)
    }

    @Test("of a track with an unknown source are read, with an unknown form skipped")
    func unknownTrackValues() throws {
        let record = Record(position: 1, time: 2, body: .event(.published(Samples.track)))
        let form = record.bytes.count - (5 + 5) - 1
        var bytes = record.bytes
        bytes[form] = 9
        #expect(try Record.decode(bytes[...]) == nil)
        bytes = record.bytes
        bytes[form - 13] = 9
        var expected = Samples.track
        expected.source = .unknown
        #expect(try Record.decode(bytes[...])?.body == .event(.published(expected)))
    }

    static let malformed: [(fields: [UInt8], error: FeedError)] = [
        ([], .malformed("field 1 is missing")),
        ([1, 0, 0, 0, 1, 5], .malformed("field 1 is no integer")),
        ([1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0], .malformed("field 1 is out of range")),
        ([1, 0xFF, 0xFF, 0xFF, 0xFF], .truncated),
        ([1, 0, 0], .truncated),
    ]

    @Test("with a bad field are refused", arguments: malformed)
    func badFields(fields: [UInt8], error: FeedError) {
        let left = [UInt8](repeating: 0, count: 16) + [1, 3]
        #expect(throws: error) { try Record.decode((left + fields)[...]) }
    }

    @Test("with text that is not UTF-8 are refused")
    func badText() {
        let layout = [UInt8](repeating: 0, count: 16) + [1, 10, 1, 0, 0, 0, 1, 0xFF]
        #expect(throws: FeedError.malformed("field 1 is not UTF-8")) { try Record.decode(layout[...]) }
    }
}

extension Record {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }
}
