import Bytes

/// What one `moof` says, as far as files of ours use it.
struct ParsedFragment: Equatable {
    struct Run: Equatable {
        var trackID: UInt32
        var description: UInt32
        var time: Int64
        /// Where the samples begin, from the first byte of `moof`.
        var dataOffset: Int
        var samples: [FragmentSample]

        var byteCount: Int { samples.reduce(0) { $0 &+ Int($1.size) } }
    }

    /// Most samples of one run; ours hold half a second.
    static let sampleLimit = 1 << 16

    var sequenceNumber: UInt32
    var runs: [Run] = []

    /// Reads the payload of a `moof`.
    init(parsing moof: Span<UInt8>) throws(ISOBMFFError) {
        let header = try moof.child("mfhd")
        guard header.count >= 8 else { throw .truncated("mfhd") }
        sequenceNumber = header.uint32(at: 4)
        var boxes = BoxIterator(moof)
        while let box = try boxes.next() {
            guard box.type == "traf" else { continue }
            guard runs.count < Movie.trackLimit else { throw .badCount("traf", count: UInt64(runs.count)) }
            runs.append(try Run(parsing: moof.extracting(box.payload)))
        }
    }
}

extension ParsedFragment.Run {
    /// Values of `tfhd` that hold for samples whose `trun` says nothing else.
    private struct Defaults {
        var duration: UInt32 = 0
        var size: UInt32 = 0
        var flags: UInt32 = 0
    }

    init(parsing traf: Span<UInt8>) throws(ISOBMFFError) {
        var defaults = Defaults()
        (trackID, description) = (0, 1)
        try Self.readHeader(try traf.child("tfhd"), &trackID, &description, &defaults)
        let decodeTime = try traf.child("tfdt")
        guard decodeTime.count >= 12, decodeTime[0] == 1 else { throw .unsupported("tfdt") }
        time = Int64(bitPattern: decodeTime.uint64(at: 4))
        guard time >= 0 && time < 1 << 62 else { throw .malformed("tfdt") }
        let run = try traf.child("trun")
        (dataOffset, samples) = try Self.samples(of: run, defaults)
    }

    private static func readHeader(
        _ tfhd: Span<UInt8>, _ trackID: inout UInt32, _ description: inout UInt32, _ defaults: inout Defaults
    ) throws(ISOBMFFError) {
        var reader = ByteReader(tfhd)
        guard let flags = reader.uint32(), let id = reader.uint32() else { throw .truncated("tfhd") }
        guard flags & FragmentFlags.baseIsMoof != 0, flags & FragmentFlags.baseDataOffset == 0 else {
            throw .unsupported("tfhd")
        }
        trackID = id
        func field(_ flag: UInt32, _ value: inout UInt32, _ reader: inout ByteReader) throws(ISOBMFFError) {
            guard flags & flag != 0 else { return }
            guard let read = reader.uint32() else { throw .truncated("tfhd") }
            value = read
        }
        try field(FragmentFlags.descriptionIndex, &description, &reader)
        try field(FragmentFlags.defaultDuration, &defaults.duration, &reader)
        try field(FragmentFlags.defaultSize, &defaults.size, &reader)
        try field(FragmentFlags.defaultFlags, &defaults.flags, &reader)
    }

    private static func samples(
        of trun: Span<UInt8>, _ defaults: Defaults
    ) throws(ISOBMFFError) -> (offset: Int, samples: [FragmentSample]) {
        var reader = ByteReader(trun)
        guard let head = reader.uint32(), let count = reader.uint32() else { throw .truncated("trun") }
        let flags = head & 0xFF_FFFF
        // Sizes one by one, as we write them: a count is then bounded by the bytes that are there.
        guard head >> 24 == 1, flags & FragmentFlags.firstSampleFlags == 0, flags & FragmentFlags.sampleSize != 0
        else { throw .unsupported("trun") }
        guard flags & FragmentFlags.dataOffset != 0, let offset = reader.uint32() else { throw .unsupported("trun") }
        let fields = (flags & 0xF00).nonzeroBitCount
        guard Int(count) <= sampleLimit, Int(count) * fields * 4 <= reader.remaining else {
            throw .badCount("trun", count: UInt64(count))
        }
        var samples: [FragmentSample] = []
        samples.reserveCapacity(Int(count))
        for _ in 0..<count {
            func field(_ flag: UInt32, _ fallback: UInt32, _ reader: inout ByteReader) -> UInt32 {
                flags & flag != 0 ? reader.uint32() ?? fallback : fallback
            }
            let duration = field(FragmentFlags.sampleDuration, defaults.duration, &reader)
            let size = field(FragmentFlags.sampleSize, defaults.size, &reader)
            let sampleFlags = field(FragmentFlags.sampleFlags, defaults.flags, &reader)
            let composition = Int32(bitPattern: field(FragmentFlags.compositionOffset, 0, &reader))
            samples.append(
                FragmentSample(
                    duration: duration, size: size, compositionOffset: composition,
                    isSync: sampleFlags & FragmentFlags.nonSync == 0))
        }
        return (Int(Int32(bitPattern: offset)), samples)
    }

    private static var sampleLimit: Int { ParsedFragment.sampleLimit }
}
