import Bytes

/// Takes from H.264 access units what a file or a push must not carry: filler (84 to 92 % of what a constant-rate
/// encoder sends), delimiters, and in-band parameter sets that the configuration holds already.
public struct AccessUnitFilter: Sendable {
    /// Parameter sets that one unit may change: encoders send one or two.
    private static let changeLimit = 32

    public let configuration: AVCDecoderConfigurationRecord

    public init(_ configuration: AVCDecoderConfigurationRecord) { self.configuration = configuration }

    /// The length-prefixed access unit without them. It shares the storage of `unit` where what stays is one piece, and
    /// is copied where it is not, or where it would hold on to a buffer of mostly filler.
    /// - Throws: ``H264Error`` for a unit that does not parse. Drop it and count it.
    public func filter(_ unit: ArraySlice<UInt8>) throws(H264Error) -> FilteredAccessUnit {
        let span = unit.span
        var reader = try NALUnitReader(span, lengthSize: configuration.nalLengthSize)
        var result = FilteredAccessUnit(bytes: unit)
        var kept = KeptPieces()
        var changes = 0
        while let nalUnit = try reader.next() {
            let type = NALUnitType(header: span[nalUnit.lowerBound])
            if type == .idrSlice { result.hasIDRSlice = true }
            guard try keeps(type, span.extracting(nalUnit), &result) else { continue }
            if type == .sequenceParameterSet || type == .pictureParameterSet {
                changes += 1
                guard changes <= Self.changeLimit else { throw .tooManyParameterSets(limit: Self.changeLimit) }
            }
            kept.add(nalUnit.lowerBound - configuration.nalLengthSize..<nalUnit.upperBound)
        }
        result.removedBytes = unit.count - kept.byteCount
        if result.removedBytes > 0 { result.bytes = kept.taken(from: unit) }
        return result
    }

    private func keeps(
        _ type: NALUnitType, _ nalUnit: Span<UInt8>, _ result: inout FilteredAccessUnit
    ) throws(H264Error) -> Bool {
        switch type {
        case .fillerData, .accessUnitDelimiter:
            return false
        case .sequenceParameterSet, .pictureParameterSet:
            let isSequence = type == .sequenceParameterSet
            let known = isSequence ? configuration.sequenceParameterSets : configuration.pictureParameterSets
            for set in known where equal(set.span, nalUnit) { return false }
            let changed = result.changedConfiguration ?? configuration
            result.changedConfiguration = try changed.replacing(with: Array(copying: nalUnit))
            return true
        default:
            return true
        }
    }
}

/// An access unit that went through an ``AccessUnitFilter``.
public struct FilteredAccessUnit: Equatable, Sendable {
    /// Empty if nothing was left, as of a unit of filler alone.
    public internal(set) var bytes: ArraySlice<UInt8>
    public internal(set) var removedBytes = 0
    public internal(set) var hasIDRSlice = false
    /// The configuration that this unit's in-band parameter sets ask for, where they differ from the filter's. Those sets
    /// are still in ``bytes``: begin a new configuration and filter the unit again with it.
    public internal(set) var changedConfiguration: AVCDecoderConfigurationRecord?
}

/// The stretches of a unit that stay, adjacent ones joined.
private struct KeptPieces {
    private var pieces: [Range<Int>] = []
    private var last: Range<Int>?
    private(set) var byteCount = 0

    mutating func add(_ piece: Range<Int>) {
        byteCount += piece.count
        guard let last, last.upperBound == piece.lowerBound else {
            if let last { pieces.append(last) }  // the first piece costs no array: most units have just one
            last = piece
            return
        }
        self.last = last.lowerBound..<piece.upperBound
    }

    func taken(from unit: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let last else { return [] }
        let base = unit.startIndex
        if pieces.isEmpty, byteCount * 2 >= unit.count { return unit[base + last.lowerBound..<base + last.upperBound] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for piece in pieces { bytes.append(contentsOf: unit[base + piece.lowerBound..<base + piece.upperBound]) }
        bytes.append(contentsOf: unit[base + last.lowerBound..<base + last.upperBound])
        return bytes[...]
    }
}

private func equal(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
}
