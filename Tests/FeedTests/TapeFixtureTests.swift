import Feed
import Foundation
import Testing

@Suite("Tapes of the past")
struct TapeFixtureTests {
    @Test("a tape of format 1.0 reads as it was written")
    func first() throws {
        let folder = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "/\(folder)/fixtures/tapes/bframes-25.tape")))
        let reading = SampleTape.read(bytes, pieces: 1000)
        #expect(reading.damage.isEmpty && reading.unknown == 0 && reading.error == nil)
        #expect(reading.identities.map(\.output) == ["raw"] && reading.index?.entries.count == 2)
        let summary = try #require(SampleTape.tail(bytes)?.summary)
        #expect(summary == reading.snapshots.last?.summary)
        #expect(summary.units == 289 && summary.tracks.map(\.units) == [100, 189] && summary.gaps.isEmpty)
        #expect(
            summary.tracks.map(\.codec) == ["avc1", "mp4a"] && summary.participants.map(\.info.identity) == ["obs"])
        var added = TapeSummary()
        for record in reading.records { added.add(record) }
        #expect(added == summary)
    }
}
