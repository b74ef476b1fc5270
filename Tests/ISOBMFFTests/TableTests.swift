import ISOBMFF
import Spec
import Testing

@Suite("A sample table", .spec("ISO/IEC 14496-12", "8.6"))
struct TableTests {
    @Test("keeps a series of runs", arguments: [[], [5], [5, 5, 5], [33, 33, 34, 33], [.min, .max, -1, 0, 1 << 40]])
    func series(values: [Int64]) {
        var series = RunLengthSeries()
        for value in values { series.append(value) }
        var read: [Int64] = []
        var runs = 0
        series.forEachRun {
            read.append(contentsOf: repeatElement($0, count: $1))
            runs += 1
        }
        #expect(read == values)
        #expect(series.runCount == runs)
        #expect(series.isEmpty == values.isEmpty)
    }

    /// Where samples begin and the movie's zero, in ticks of 90 000, against the edits that a player follows.
    static let rows: [(first: Int64, offset: Int32, origin: Int64, pts: [Int64])] = [
        (0, 0, 0, [0, 3000]),
        (0, 6000, 6000, [0, 3000]),
        (0, 0, 1000, [-1000, 2000]),
        (90_000, 0, 0, [90_000, 93_000]),
        (90_000, 6000, 6000, [90_000, 93_000]),
        (180_000, 6000, 90_000, [96_000, 99_000]),
    ]

    @Test("begins where its track begins", .spec("ISO/IEC 14496-12", "8.6.6"), arguments: rows)
    func edits(first: Int64, offset: Int32, origin: Int64, pts: [Int64]) throws {
        var run = Fragment.Run(trackID: 1, description: 1, time: first)
        for _ in 0..<2 {
            run.samples.append(FragmentSample(duration: 3000, size: 1, compositionOffset: offset, isSync: true))
        }
        var table = SampleTable()
        table.append(run, at: 0)
        var movie = SampleFile.movie
        movie.tracks.removeLast()
        movie.tracks[0].origin = origin
        var file: [UInt8] = []
        movie.writeFinal([table], into: &file)
        #expect(try parse(file).tracks[0].samples.map(\.pts) == pts)
    }

    @Test("lengthens the last sample before a gap")
    func gap() throws {
        var table = SampleTable()
        for time: Int64 in [0, 90_000] {
            var run = Fragment.Run(trackID: 1, description: 1, time: time)
            run.samples = [FragmentSample(duration: 3000, size: 1, isSync: true)]
            table.append(run, at: 0)
        }
        var movie = SampleFile.movie
        movie.tracks.removeLast()
        movie.tracks[0].origin = 0
        var file: [UInt8] = []
        movie.writeFinal([table], into: &file)
        let samples = try parse(file).tracks[0].samples
        #expect(samples.map(\.dts) == [0, 90_000])
        #expect(samples.map(\.duration) == [90_000, 3000])
    }

    @Test("leaves a track without samples out of the finished file")
    func empty() throws {
        var file: [UInt8] = []
        SampleFile.movie.writeFinal([SampleTable(), SampleTable()], into: &file)
        #expect(try parse(file).tracks.isEmpty)
    }
}
