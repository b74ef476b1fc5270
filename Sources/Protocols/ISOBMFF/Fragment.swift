import Bytes

/// One fragment of a hybrid file: `moof` with the recorder's state in it, and `mdat`, written in one append.
///
/// A kill may cut that append anywhere, and readers stop at a `moof` that is not whole. So its type is written as
/// ``draftType``, which readers skip, and one byte is overwritten when all of it stands: ``commitOffset``.
public struct Fragment: Equatable, Sendable {
    /// The part of one track.
    public struct Run: Equatable, Sendable {
        public var trackID: UInt32
        /// Index of the sample entry, from 1.
        public var description: UInt32
        /// Decoding time of the first sample, in ticks of the track; not negative.
        public var time: Int64
        public var samples: [FragmentSample]
        /// The samples' bytes, one behind the other.
        public var payload: [UInt8]

        public init(trackID: UInt32, description: UInt32, time: Int64) {
            self.trackID = trackID
            self.description = description
            self.time = time
            samples = []
            payload = []
        }
    }

    /// From 1, rising by one.
    public var sequenceNumber: UInt32
    public var runs: [Run]
    /// Opaque to the file format: what a recorder needs to go on behind this fragment.
    public var resumeState: [UInt8]

    public init(sequenceNumber: UInt32, runs: [Run], resumeState: [UInt8]) {
        self.sequenceNumber = sequenceNumber
        self.runs = runs
        self.resumeState = resumeState
    }

    /// What a fragment is called before it is whole.
    static let draftType: FourCC = "moo_"
    /// The one byte that makes it a fragment, and where it stands from the fragment's first byte.
    public static let commitByte = UInt8(ascii: "f")
    public static let commitOffset = 7

    /// Appends the fragment to `bytes`, as a draft.
    /// - Returns: for each run, where its payload begins in `bytes`.
    public func write(into bytes: inout [UInt8]) -> [Int] { write(as: Self.draftType, into: &bytes) }

    func write(as type: FourCC, into bytes: inout [UInt8]) -> [Int] {
        bytes.reserveCapacity(bytes.count + runs.reduce(256 + resumeState.count) { $0 + $1.expectedByteCount })
        let start = bytes.count
        var offsetFields: [Int] = []
        bytes.box(type) { moof in
            moof.fullBox("mfhd") { $0.append(uint32: sequenceNumber) }
            for run in runs { moof.box("traf") { offsetFields.append(run.write(into: &$0)) } }
            if type == Self.draftType { ResumeBox.write(resumeState, into: &moof) }
        }
        var payloadStart = bytes.count + 8
        var starts: [Int] = []
        for (run, field) in zip(runs, offsetFields) {
            bytes.overwrite(uint32: UInt32(truncatingIfNeeded: payloadStart - start), at: field)
            starts.append(payloadStart)
            payloadStart += run.payload.count
        }
        bytes.box("mdat") { for run in runs { $0.append(contentsOf: run.payload) } }
        return starts
    }
}

extension Fragment.Run {
    fileprivate var expectedByteCount: Int { payload.count + 16 * samples.count + 80 }

    /// Appends `tfhd`, `tfdt` and `trun` (ISO/IEC 14496-12 sections 8.8.7, 8.8.12, 8.8.8).
    /// - Returns: the index of the field `data_offset`, which is not known yet.
    fileprivate func write(into bytes: inout [UInt8]) -> Int {
        let first = samples.first
        let hasDurations = samples.contains { $0.duration != first?.duration }
        let hasFlags = samples.contains { $0.isSync != first?.isSync }
        let hasOffsets = samples.contains { $0.compositionOffset != 0 }

        bytes.fullBox("tfhd", flags: FragmentFlags.writtenHeader) {
            $0.append(uint32: trackID)
            $0.append(uint32: description)
            $0.append(uint32: first?.duration ?? 0)
            $0.append(uint32: FragmentFlags.sample(isSync: first?.isSync ?? true))
        }
        bytes.fullBox("tfdt", version: 1) { $0.append(int64: time) }
        var field = 0
        let flags =
            FragmentFlags.dataOffset | FragmentFlags.sampleSize | (hasDurations ? FragmentFlags.sampleDuration : 0)
            | (hasFlags ? FragmentFlags.sampleFlags : 0) | (hasOffsets ? FragmentFlags.compositionOffset : 0)
        bytes.fullBox("trun", version: 1, flags: flags) {
            $0.append(uint32: UInt32(truncatingIfNeeded: samples.count))
            field = $0.count
            $0.append(uint32: 0)
            for sample in samples {
                if hasDurations { $0.append(uint32: sample.duration) }
                $0.append(uint32: sample.size)
                if hasFlags { $0.append(uint32: FragmentFlags.sample(isSync: sample.isSync)) }
                if hasOffsets { $0.append(int32: sample.compositionOffset) }
            }
        }
        return field
    }
}

/// Flags of `tfhd` and `trun`.
enum FragmentFlags {
    // tfhd
    static let baseDataOffset: UInt32 = 0x1
    static let descriptionIndex: UInt32 = 0x2
    static let defaultDuration: UInt32 = 0x8
    static let defaultSize: UInt32 = 0x10
    static let defaultFlags: UInt32 = 0x20
    static let baseIsMoof: UInt32 = 0x2_0000
    static let writtenHeader = descriptionIndex | defaultDuration | defaultFlags | baseIsMoof
    // trun
    static let dataOffset: UInt32 = 0x1
    static let firstSampleFlags: UInt32 = 0x4
    static let sampleDuration: UInt32 = 0x100
    static let sampleSize: UInt32 = 0x200
    static let sampleFlags: UInt32 = 0x400
    static let compositionOffset: UInt32 = 0x800

    static let nonSync: UInt32 = 0x1_0000

    /// sample_depends_on and sample_is_non_sync_sample (ISO/IEC 14496-12 section 8.8.3.1).
    static func sample(isSync: Bool) -> UInt32 { isSync ? 0x200_0000 : 0x100_0000 | nonSync }
}

extension SampleTable {
    /// Adds the samples of a fragment's run whose payload begins at `offset` of the file.
    public mutating func append(_ run: Fragment.Run, at offset: UInt64) {
        guard !run.samples.isEmpty else { return }
        beginChunk(at: offset, description: run.description)
        var time = run.time
        for sample in run.samples {
            append(sample, at: time)
            time &+= Int64(sample.duration)
        }
    }
}
