/// A cursor over bytes that fails at the end instead of trapping: for formats whose fields are read in turn.
///
/// Every read returns `nil` when fewer bytes are left than it needs, and then moves nothing.
public struct ByteReader: ~Escapable {
    private let bytes: Span<UInt8>
    /// Bytes consumed so far.
    public private(set) var offset = 0

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// Bytes not yet consumed.
    public var remaining: Int { bytes.count - offset }

    public mutating func uint8() -> UInt8? {
        guard remaining >= 1 else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    public mutating func uint16() -> UInt16? {
        guard remaining >= 2 else { return nil }
        defer { offset += 2 }
        return bytes.uint16(at: offset)
    }

    public mutating func uint24() -> UInt32? {
        guard remaining >= 3 else { return nil }
        defer { offset += 3 }
        return bytes.uint24(at: offset)
    }

    public mutating func uint32() -> UInt32? {
        guard remaining >= 4 else { return nil }
        defer { offset += 4 }
        return bytes.uint32(at: offset)
    }

    public mutating func uint64() -> UInt64? {
        guard remaining >= 8 else { return nil }
        defer { offset += 8 }
        return bytes.uint64(at: offset)
    }

    /// A copy of the next `count` bytes.
    public mutating func array(_ count: Int) -> [UInt8]? {
        guard count >= 0, remaining >= count else { return nil }
        defer { offset += count }
        return [UInt8](copying: bytes.extracting(offset..<offset + count))
    }

    public mutating func skip(_ count: Int) -> Bool {
        guard count >= 0, remaining >= count else { return false }
        offset += count
        return true
    }
}
