import Bytes

/// `nal_unit_type` (ITU-T H.264 table 7-1): open, since only a few types matter here.
public struct NALUnitType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The type in the first byte of a NAL unit.
    public init(header: UInt8) { rawValue = header & 0x1F }

    public static let nonIDRSlice = NALUnitType(rawValue: 1)
    public static let idrSlice = NALUnitType(rawValue: 5)
    public static let supplementalEnhancement = NALUnitType(rawValue: 6)
    public static let sequenceParameterSet = NALUnitType(rawValue: 7)
    public static let pictureParameterSet = NALUnitType(rawValue: 8)
    public static let accessUnitDelimiter = NALUnitType(rawValue: 9)
    public static let endOfSequence = NALUnitType(rawValue: 10)
    public static let endOfStream = NALUnitType(rawValue: 11)
    public static let fillerData = NALUnitType(rawValue: 12)
}

/// Walks the length-prefixed NAL units of one access unit (ISO/IEC 14496-15 section 5.3.4.2), copying nothing.
public struct NALUnitReader: ~Escapable {
    private let bytes: Span<UInt8>
    private let lengthSize: Int
    private var offset = 0

    /// - Throws: ``H264Error/nalLengthSize(_:)`` unless `lengthSize` is 1, 2 or 4.
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>, lengthSize: Int) throws(H264Error) {
        self.bytes = bytes
        self.lengthSize = lengthSize
        guard lengthSize == 1 || lengthSize == 2 || lengthSize == 4 else { throw .nalLengthSize(lengthSize) }
    }

    /// The next NAL unit: its offsets in the span, without the prefix, never empty; `nil` after the last.
    /// - Throws: ``H264Error`` for a length that is 0 or reaches past the end. Drop the access unit.
    public mutating func next() throws(H264Error) -> Range<Int>? {
        guard offset < bytes.count else { return nil }
        guard bytes.count - offset >= lengthSize else { throw .truncated }
        let length =
            switch lengthSize {
            case 1: Int(bytes[offset])
            case 2: Int(bytes.uint16(at: offset))
            default: Int(bytes.uint32(at: offset))
            }
        let start = offset + lengthSize
        guard length > 0, length <= bytes.count - start else { throw .nalUnitLength(length) }
        offset = start + length
        return start..<offset
    }
}
