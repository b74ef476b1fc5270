import Bytes

extension SampleTable {
    /// The boxes within `stbl` (ISO/IEC 14496-12 sections 8.5 to 8.7). Media times begin at 0 with the first sample.
    func write(entries: [SampleEntry], isVideo: Bool, into bytes: inout [UInt8]) {
        bytes.fullBox("stsd") {
            $0.append(uint32: UInt32(entries.count))
            for entry in entries { entry.write(into: &$0) }
        }
        Self.writeRuns("stts", version: 0, allDurations, into: &bytes)
        if usesCompositionOffsets { Self.writeRuns("ctts", version: 1, compositionOffsets, into: &bytes) }
        if isVideo && !isEmpty && !isAllSync {
            bytes.fullBox("stss") {
                $0.append(uint32: UInt32(truncatingIfNeeded: syncSamples.count))
                for number in syncSamples { $0.append(uint32: number) }
            }
        }
        writeChunkRuns(into: &bytes)
        bytes.fullBox("stsz") {
            $0.append(uint32: 0)
            $0.append(uint32: UInt32(truncatingIfNeeded: sizes.count))
            for size in sizes { $0.append(uint32: size) }
        }
        bytes.fullBox("co64") {
            $0.append(uint32: UInt32(truncatingIfNeeded: chunks.count))
            for chunk in chunks { $0.append(uint64: chunk.offset) }
        }
    }

    private static func writeRuns(
        _ type: FourCC, version: UInt8, _ series: RunLengthSeries, into bytes: inout [UInt8]
    ) {
        bytes.fullBox(type, version: version) { box in
            box.append(uint32: UInt32(truncatingIfNeeded: series.runCount))
            series.forEachRun { value, count in
                box.append(uint32: UInt32(truncatingIfNeeded: count))
                box.append(uint32: UInt32(truncatingIfNeeded: value))
            }
        }
    }

    /// `stsc`: one entry for each run of chunks of the same length and description.
    private func writeChunkRuns(into bytes: inout [UInt8]) {
        bytes.fullBox("stsc") { box in
            let countIndex = box.count
            box.append(uint32: 0)
            var runs: UInt32 = 0
            var last: Chunk?
            for (index, chunk) in chunks.enumerated() {
                defer { last = chunk }
                if let last, last.count == chunk.count, last.description == chunk.description { continue }
                box.append(uint32: UInt32(truncatingIfNeeded: index + 1))
                box.append(uint32: chunk.count)
                box.append(uint32: chunk.description)
                runs &+= 1
            }
            box.overwrite(uint32: runs, at: countIndex)
        }
    }
}
