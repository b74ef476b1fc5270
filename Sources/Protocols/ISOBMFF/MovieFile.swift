import Bytes

/// A whole file of ours, read from memory: finished or left in the middle. For checks and tests; a recorder that goes on
/// in a file uses ``HybridScanner``, which does not need its media.
public struct MovieFile: Equatable, Sendable {
    public struct Sample: Equatable, Sendable {
        /// In ticks of the track, from the movie's zero.
        public var dts: Int64
        public var pts: Int64
        public var duration: Int64
        /// Index of the sample entry, from 1.
        public var description: UInt32
        public var isSync: Bool
        /// Where its bytes stand in the file.
        public var range: Range<Int>
    }

    public struct Track: Equatable, Sendable {
        public var track: MovieTrack
        public var samples: [Sample]
    }

    public var movie: Movie
    public var tracks: [Track]
    /// True when no fragment is visible: an ordinary MP4.
    public var isSealed: Bool
    /// Bytes behind the last whole box: a torn end.
    public var tornByteCount: Int

    /// - Throws: ``ISOBMFFError`` when there is no readable `moov`, or a whole box contradicts itself.
    public init(parsing file: Span<UInt8>) throws(ISOBMFFError) {
        var offset = 0
        var builder = Builder()
        while let box = try Self.topLevelBox(of: file, at: offset) {
            try builder.take(box, of: file)
            offset = box.end
        }
        guard let movie = builder.movie else { throw .missing("moov") }
        self.movie = movie
        isSealed = !builder.hasFragments
        tornByteCount = file.count - offset
        tracks = []
        for track in movie.tracks {
            let table = builder.tables[track.id] ?? SampleTable()
            let samples = try table.samples(origin: builder.origins[track.id] ?? 0, fileSize: file.count)
            tracks.append(Track(track: track, samples: samples))
        }
    }

    /// - Returns: `nil` at the end, or where a box is not whole.
    private static func topLevelBox(of file: Span<UInt8>, at offset: Int) throws(ISOBMFFError) -> BoxRange? {
        guard file.count - offset >= 8, let header = try? BoxHeader(parsing: file, at: offset) else { return nil }
        let size = header.size ?? UInt64(file.count - offset)
        guard size <= UInt64(file.count - offset) else { return nil }
        return BoxRange(
            type: header.type, start: offset, body: offset + header.byteCount, end: offset + Int(size))
    }

    private struct Builder {
        var movie: Movie?
        var tables: [UInt32: SampleTable] = [:]
        /// The track's time at the movie's zero.
        var origins: [UInt32: Int64] = [:]
        var hasFragments = false
        /// A fragment counts once its media is whole.
        private var fragment: (parsed: ParsedFragment, start: Int)?

        mutating func take(_ box: BoxRange, of file: Span<UInt8>) throws(ISOBMFFError) {
            switch box.type {
            case "moov" where movie == nil:
                let moov = file.extracting(box.payload)
                var tables: [UInt32: SampleTable] = [:]
                movie = try Movie(parsing: moov) { (track, stbl) throws(ISOBMFFError) in
                    tables[track.id] = try SampleTable(parsing: stbl)
                }
                self.tables = tables
                origins = try Self.origins(of: moov)
            case "moof":
                hasFragments = true
                fragment = (try ParsedFragment(parsing: file.extracting(box.payload)), box.start)
            case "mdat":
                guard let (parsed, start) = fragment.take() else { return }
                for run in parsed.runs {
                    try tables[run.trackID, default: SampleTable()].append(run, moofAt: UInt64(start))
                }
            default: break
            }
        }

        private static func origins(of moov: Span<UInt8>) throws(ISOBMFFError) -> [UInt32: Int64] {
            var origins: [UInt32: Int64] = [:]
            var boxes = BoxIterator(moov)
            while let box = try boxes.next() {
                guard box.type == "trak" else { continue }
                let trak = moov.extracting(box.payload)
                guard trak.hasChild("edts") else { continue }
                let header = try trak.child("tkhd")
                let scale = try trak.child("mdia").child("mdhd").uint32(at: 20)
                var empty: UInt64 = 0
                for edit in try Edit.parse(try trak.child("edts").child("elst")) {
                    guard edit.mediaTime < 0 else {
                        let (high, low) = empty.multipliedFullWidth(by: UInt64(scale))
                        guard high == 0 else { throw .malformed("elst") }
                        let gap = (low &+ UInt64(Movie.timescale / 2)) / UInt64(Movie.timescale)
                        origins[header.uint32(at: 20)] = edit.mediaTime &- Int64(clamping: gap)
                        break
                    }
                    empty &+= edit.duration
                }
            }
            return origins
        }
    }
}

extension SampleTable {
    /// Adds what a fragment says of this track.
    mutating func append(_ run: ParsedFragment.Run, moofAt offset: UInt64) throws(ISOBMFFError) {
        guard run.dataOffset > 0, count + run.samples.count <= Self.readLimit else { throw .malformed("trun") }
        guard !run.samples.isEmpty else { return }
        beginChunk(at: offset &+ UInt64(run.dataOffset), description: run.description)
        var time = run.time
        for sample in run.samples {
            append(sample, at: time)
            time &+= Int64(sample.duration)
        }
    }

    /// The samples one by one.
    fileprivate func samples(origin: Int64, fileSize: Int) throws(ISOBMFFError) -> [MovieFile.Sample] {
        var deltas: [Int64] = []
        var compositions: [Int64] = []
        allDurations.forEachRun { deltas.append(contentsOf: repeatElement($0, count: $1)) }
        compositionOffsets.forEachRun { compositions.append(contentsOf: repeatElement($0, count: $1)) }
        var samples: [MovieFile.Sample] = []
        var time = firstTime &- origin
        var (index, sync) = (0, 0)
        for chunk in chunks {
            var offset = chunk.offset
            for _ in 0..<chunk.count {
                let end = offset &+ UInt64(sizes[index])
                guard offset <= end, end <= UInt64(fileSize) else { throw .malformed("co64") }
                let isSync = sync < syncSamples.count && Int(syncSamples[sync]) == index + 1
                samples.append(
                    MovieFile.Sample(
                        dts: time, pts: time &+ compositions[index], duration: deltas[index],
                        description: chunk.description, isSync: isSync, range: Int(offset)..<Int(end)))
                if isSync { sync += 1 }
                time &+= deltas[index]
                offset = end
                index += 1
            }
        }
        return samples
    }
}
