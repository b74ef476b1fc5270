import Bytes

/// The decoder configuration of H.264 in FLV, RTMP and MP4: the content of `avcC` (ISO/IEC 14496-15 section 5.3.3.1).
public struct AVCDecoderConfigurationRecord: Equatable, Sendable {
    public var profile: UInt8
    public var compatibility: UInt8
    public var level: UInt8
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    public var nalLengthSize: Int
    /// Whole NAL units, never empty lists, never empty sets.
    public private(set) var sequenceParameterSets: [[UInt8]]
    public private(set) var pictureParameterSets: [[UInt8]]
    /// What follows the sets: chroma format, bit depths and SPS extensions of the high profiles; kept as it came.
    public var tail: [UInt8]

    /// The profiles whose SPS has chroma fields, and whose record may have a tail (ITU-T H.264 section 7.3.2.1.1).
    static let profilesWithTail: Set<UInt8> = [44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244]

    /// Reads a record. A set is checked for its type only; ``sequenceParameterSet()`` reads the first SPS.
    public init(parsing bytes: Span<UInt8>) throws(H264Error) {
        var reader = ByteReader(bytes)
        guard let version = reader.uint8() else { throw .truncated }
        guard version == 1 else { throw .unsupportedVersion(version) }
        guard let profile = reader.uint8(), let compatibility = reader.uint8(), let level = reader.uint8(),
            let lengthSize = reader.uint8(), let spsCount = reader.uint8()
        else { throw .truncated }
        self.profile = profile
        self.compatibility = compatibility
        self.level = level
        nalLengthSize = Int(lengthSize & 3) + 1
        guard nalLengthSize != 3 else { throw .nalLengthSize(3) }
        sequenceParameterSets = try Self.sets(Int(spsCount & 0x1F), of: .sequenceParameterSet, &reader)
        guard let ppsCount = reader.uint8() else { throw .truncated }
        pictureParameterSets = try Self.sets(Int(ppsCount), of: .pictureParameterSet, &reader)
        tail = reader.array(reader.remaining) ?? []
        guard !sequenceParameterSets.isEmpty, !pictureParameterSets.isEmpty else { throw .noParameterSets }
    }

    /// A record of these sets, as when an encoder sends them in band only.
    public init(
        sequenceParameterSets: [[UInt8]], pictureParameterSets: [[UInt8]], nalLengthSize: Int = 4
    ) throws(H264Error) {
        guard let first = sequenceParameterSets.first, !pictureParameterSets.isEmpty else { throw .noParameterSets }
        let sps = try SequenceParameterSet(parsing: first.span)
        profile = sps.profile
        compatibility = sps.constraints
        level = sps.level
        self.nalLengthSize = nalLengthSize
        self.sequenceParameterSets = sequenceParameterSets
        self.pictureParameterSets = pictureParameterSets
        let hasTail = [100, 110, 122, 144, 244].contains(sps.profile)
        tail =
            hasTail
            ? [0xFC | sps.chromaFormat, 0xF8 | (sps.bitDepthLuma - 8), 0xF8 | (sps.bitDepthChroma - 8), 0] : []
    }

    /// The record as bytes: the inverse of ``init(parsing:)`` up to reserved bits.
    public func serialized() -> [UInt8] {
        var bytes: [UInt8] = [1, profile, compatibility, level, 0xFC | UInt8(truncatingIfNeeded: nalLengthSize - 1)]
        bytes.append(0xE0 | UInt8(truncatingIfNeeded: min(sequenceParameterSets.count, 31)))
        for set in sequenceParameterSets.prefix(31) { Self.append(set, to: &bytes) }
        bytes.append(UInt8(truncatingIfNeeded: min(pictureParameterSets.count, 255)))
        for set in pictureParameterSets.prefix(255) { Self.append(set, to: &bytes) }
        return bytes + tail
    }

    /// The first SPS, read.
    public func sequenceParameterSet() throws(H264Error) -> SequenceParameterSet {
        guard let first = sequenceParameterSets.first else { throw .noParameterSets }
        return try SequenceParameterSet(parsing: first.span)
    }

    /// The record after `set` came in band: it takes the place of the set with the same id, or joins the list.
    func replacing(with set: [UInt8]) throws(H264Error) -> Self {
        let id = try Self.id(of: set)
        let isSequence = NALUnitType(header: set[0]) == .sequenceParameterSet
        // ITU-T H.264 sections 7.4.2.1.1 and 7.4.2.2: so there is an end to what one record can hold.
        guard id <= (isSequence ? 31 : 255) else { throw .invalidField("parameter_set_id") }
        var sps = sequenceParameterSets
        var pps = pictureParameterSets
        if isSequence {
            Self.put(set, id, into: &sps)
        } else {
            Self.put(set, id, into: &pps)
        }
        guard sps != sequenceParameterSets else {
            var changed = self
            changed.pictureParameterSets = pps
            return changed
        }
        return try Self(sequenceParameterSets: sps, pictureParameterSets: pps, nalLengthSize: nalLengthSize)
    }

    /// `seq_parameter_set_id` or `pic_parameter_set_id`. An id is short: it is read over emulation prevention bytes.
    private static func id(of set: [UInt8]) throws(H264Error) -> UInt32 {
        guard let header = set.first else { throw .truncated }
        var reader = BitReader(set.span)
        reader.skip(NALUnitType(header: header) == .sequenceParameterSet ? 32 : 8)
        let id = reader.unsignedExpGolomb()
        guard !reader.overran else { throw .truncated }
        return id
    }

    private static func put(_ set: [UInt8], _ setID: UInt32, into sets: inout [[UInt8]]) {
        if let index = sets.firstIndex(where: { (try? id(of: $0)) == setID }) {
            sets[index] = set
        } else {
            sets.append(set)
        }
    }

    private static func sets(
        _ count: Int, of type: NALUnitType, _ reader: inout ByteReader
    ) throws(H264Error) -> [[UInt8]] {
        var sets: [[UInt8]] = []
        for _ in 0..<count {
            guard let length = reader.uint16(), let set = reader.array(Int(length)) else { throw .truncated }
            guard let header = set.first, NALUnitType(header: header) == type else { throw .notAParameterSet }
            sets.append(set)
        }
        return sets
    }

    private static func append(_ set: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(uint16: UInt16(clamping: set.count))
        bytes.append(contentsOf: set.prefix(Int(UInt16.max)))
    }
}
