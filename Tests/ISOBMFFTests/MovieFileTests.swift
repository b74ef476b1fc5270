import ISOBMFF
import Spec
import Testing

@Suite("A hybrid file", .spec("ISO/IEC 14496-12", "8.8"))
struct MovieFileTests {
    @Test("says the same with its fragments and without")
    func bothForms() throws {
        let open = try parse(SampleFile().bytes)
        let sealed = try parse(SampleFile().sealed)
        #expect(!open.isSealed)
        #expect(sealed.isSealed)
        #expect(open.tornByteCount == 0)
        #expect(open.tracks.map(\.samples) == sealed.tracks.map(\.samples))
        #expect(open.movie == SampleFile.movie)
        #expect(open.tracks[0].samples.map(\.pts) == [0, 0, -3000, 9000, 9000, 6000, 18000, 18000, 15000])
        #expect(open.tracks[0].samples.map(\.description) == [1, 1, 1, 1, 1, 1, 2, 2, 2])
        #expect(open.tracks[0].samples.map(\.isSync) == [true, false, false, false, false, false, true, false, false])
    }

    @Test("puts its movie's entries back as they were", .spec("ISO/IEC 14496-14", "5.6"))
    func entries() throws {
        let movie = try parse(SampleFile().sealed).movie
        #expect(movie.tracks.map(\.entries) == SampleFile.movie.tracks.map(\.entries))
        #expect(movie.tracks.map(\.name) == SampleFile.movie.tracks.map(\.name))
        let long = SampleEntry(
            audio: "mp4a", configuration: [UInt8](repeating: 7, count: 300), channels: 6, sampleRate: 44_100)
        let track = MovieTrack(id: 1, kind: .audio, timescale: 44_100, entries: [try #require(long)])
        let head = try #require(HybridHead.bytes(Movie(tracks: [track])))
        #expect(try parse(head).movie.tracks[0].entries == [try #require(long)])
        #expect(SampleEntry(video: "zzzz", configuration: [], width: 1, height: 1) == nil)
        #expect(SampleEntry(audio: "avc1", configuration: [], channels: 1, sampleRate: 1) == nil)
    }

    @Test("holds the headers of 16 tracks in its reserve, and says when it is full")
    func reserve() throws {
        var movie = Movie()
        for id in 1...UInt32(16) {
            var track = SampleFile.movie.tracks[Int(id) % 2]
            track.id = id
            track.name = String(repeating: "n", count: 64)
            movie.tracks.append(track)
        }
        #expect(HybridHead.bytes(movie)?.count == HybridHead.byteCount)
        let write = try #require(HybridHead.rewrite(movie))
        var file = SampleFile().bytes
        file.replaceSubrange(Int(write.offset)..<Int(write.offset) + write.bytes.count, with: write.bytes)
        #expect(try parse(file).tracks.count == 16)
        #expect(try parse(file).tracks[0].samples.count == 9)
        movie.tracks[0].entries = Array(repeating: movie.tracks[0].entries[0], count: 100)
        #expect(HybridHead.rewrite(movie) == nil)
    }

    @Test("is scanned fragment by fragment, up to the last whole one")
    func scanned() throws {
        let whole = SampleFile()
        for cut in Array(stride(from: HybridHead.byteCount, to: whole.bytes.count, by: 7)) + whole.ends {
            let wanted = whole.ends.last { $0 <= cut }
            let result = scan(Array(whole.bytes.prefix(cut)))
            guard let wanted else {
                #expect(result == .unusable)
                continue
            }
            guard case .open(let file) = result else {
                Issue.record("cut at \(cut)")
                continue
            }
            #expect(Int(file.byteCount) == wanted)
            let count = whole.ends.filter { $0 <= cut }.count
            #expect(file.tables == SampleFile(fragments: count).tables)
            #expect(file.resumeState == SampleFile.fragment(count - 1).resumeState)
            #expect(file.nextSequenceNumber == UInt32(count + 1))
        }
        #expect(scan(whole.sealed) == .sealed)
        guard case .open(let file) = scan(SampleFile(isCommitted: false).bytes) else {
            Issue.record("the draft spoils the file")
            return
        }
        #expect(Int(file.byteCount) == whole.ends[1])
    }

    @Test("is cut at a fragment that contradicts itself, or a time that falls back")
    func contradictions() throws {
        let whole = SampleFile()
        let second = whole.ends[0]
        // trun's data_offset of the second fragment, its track id, its entry, its time.
        for (field, offset) in [("trun", 15), ("tfhd", 11), ("tfhd", 15), ("tfdt", 8)] {
            var file = whole.bytes
            let name = Array(field.utf8)
            let at = try #require((second..<file.count - 4).first { Array(file[$0..<$0 + 4]) == name })
            file[at + offset] ^= 0x40
            guard case .open(let found) = scan(file) else {
                Issue.record("\(field)")
                continue
            }
            #expect(Int(found.byteCount) == second, "\(field) \(offset)")
        }
    }
}
