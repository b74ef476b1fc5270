import Bytes

extension SampleTable {
    /// Samples of one file that are read at most: more than a week at 60 frames a second.
    static let readLimit = 1 << 25

    /// Reads the payload of an `stbl` of a finished file.
    init(parsing stbl: Span<UInt8>) throws(ISOBMFFError) {
        self.init()
        let sizes = try Self.sizes(of: try stbl.child("stsz"))
        var durations = try RunReader(parsing: try stbl.child("stts"), "stts", samples: sizes.count)
        var offsets = RunReader.zeros
        if stbl.hasChild("ctts") {
            offsets = try RunReader(parsing: try stbl.child("ctts"), "ctts", samples: sizes.count)
        }
        let sync = stbl.hasChild("stss") ? try Self.numbers(of: try stbl.child("stss")) : nil
        var chunks = try ChunkReader(parsing: stbl)
        var time: Int64 = 0
        var syncIndex = 0
        for (index, size) in sizes.enumerated() {
            if let chunk = try chunks.step() { beginChunk(at: chunk.offset, description: chunk.description) }
            let duration = UInt32(bitPattern: durations.step())
            var isSync = true
            if let sync {
                isSync = syncIndex < sync.count && Int(sync[syncIndex]) == index + 1
                if isSync { syncIndex += 1 }
            }
            append(
                FragmentSample(duration: duration, size: size, compositionOffset: offsets.step(), isSync: isSync),
                at: time)
            time &+= Int64(duration)
        }
    }

    private static func sizes(of stsz: Span<UInt8>) throws(ISOBMFFError) -> [UInt32] {
        guard stsz.count >= 12 else { throw .truncated("stsz") }
        guard stsz.uint32(at: 4) == 0 else { throw .unsupported("stsz") }
        let count = Int(stsz.uint32(at: 8))
        guard count <= (stsz.count - 12) / 4, count <= readLimit else {
            throw .badCount("stsz", count: UInt64(count))
        }
        var sizes: [UInt32] = []
        sizes.reserveCapacity(count)
        for index in 0..<count { sizes.append(stsz.uint32(at: 12 + 4 * index)) }
        return sizes
    }

    private static func numbers(of stss: Span<UInt8>) throws(ISOBMFFError) -> [UInt32] {
        guard stss.count >= 8 else { throw .truncated("stss") }
        let count = Int(stss.uint32(at: 4))
        guard count <= (stss.count - 8) / 4 else { throw .badCount("stss", count: UInt64(count)) }
        var numbers: [UInt32] = []
        for index in 0..<count { numbers.append(stss.uint32(at: 8 + 4 * index)) }
        return numbers
    }
}

/// Steps through `stts` or `ctts`, whose entries are (count, value).
private struct RunReader {
    private var runs: [(left: UInt32, value: Int32)] = []
    private var index = 0

    static let zeros = RunReader()

    private init() {}

    init(parsing table: Span<UInt8>, _ type: FourCC, samples: Int) throws(ISOBMFFError) {
        guard table.count >= 8 else { throw .truncated(type) }
        let count = Int(table.uint32(at: 4))
        guard count <= (table.count - 8) / 8 else { throw .badCount(type, count: UInt64(count)) }
        var total: UInt64 = 0
        for index in 0..<count {
            let entry = (left: table.uint32(at: 8 + 8 * index), value: table.uint32(at: 12 + 8 * index))
            total &+= UInt64(entry.left)
            if entry.left > 0 { runs.append((entry.left, Int32(bitPattern: entry.value))) }
        }
        guard total == UInt64(samples) else { throw .malformed(type) }
    }

    mutating func step() -> Int32 {
        guard index < runs.count else { return 0 }
        let value = runs[index].value
        runs[index].left -= 1
        if runs[index].left == 0 { index += 1 }
        return value
    }
}

/// Steps through `co64` by way of `stsc`, sample by sample.
private struct ChunkReader {
    private var offsets: [UInt64] = []
    private var runs: [(first: UInt32, count: UInt32, description: UInt32)] = []
    private var chunk = 0
    private var run = 0
    private var left: UInt32 = 0

    init(parsing stbl: Span<UInt8>) throws(ISOBMFFError) {
        let co64 = try stbl.child("co64")
        guard co64.count >= 8 else { throw .truncated("co64") }
        let count = Int(co64.uint32(at: 4))
        guard count <= (co64.count - 8) / 8 else { throw .badCount("co64", count: UInt64(count)) }
        for index in 0..<count { offsets.append(co64.uint64(at: 8 + 8 * index)) }
        let stsc = try stbl.child("stsc")
        guard stsc.count >= 8 else { throw .truncated("stsc") }
        let runCount = Int(stsc.uint32(at: 4))
        guard runCount <= (stsc.count - 8) / 12 else { throw .badCount("stsc", count: UInt64(runCount)) }
        for index in 0..<runCount {
            let base = 8 + 12 * index
            let entry = (stsc.uint32(at: base), stsc.uint32(at: base + 4), stsc.uint32(at: base + 8))
            guard entry.1 > 0, entry.0 > runs.last?.first ?? 0 else { throw .malformed("stsc") }
            runs.append(entry)
        }
    }

    /// Goes to the next sample.
    /// - Returns: the chunk, if the sample is the first of one.
    mutating func step() throws(ISOBMFFError) -> (offset: UInt64, description: UInt32)? {
        if left > 0 {
            left -= 1
            return nil
        }
        guard chunk < offsets.count, !runs.isEmpty else { throw .malformed("stsc") }
        while run + 1 < runs.count, Int(runs[run + 1].first) <= chunk + 1 { run += 1 }
        guard Int(runs[run].first) <= chunk + 1 else { throw .malformed("stsc") }
        left = runs[run].count - 1
        chunk += 1
        return (offsets[chunk - 1], runs[run].description)
    }
}
