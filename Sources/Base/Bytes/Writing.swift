/// Big-endian appends (network order).
extension Array where Element == UInt8 {
    /// A copy of a span.
    public init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    public mutating func append(copying span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Copies the bytes of `range` to `index` and on, where they may overlap themselves.
    public mutating func move(_ range: Range<Int>, to index: Int) {
        guard range.lowerBound != index else { return }
        let end = Swift.max(index, range.lowerBound) + range.count
        precondition(index >= 0 && range.lowerBound >= 0 && end <= count, "bytes moved out of the array")
        unsafe withUnsafeMutableBytes { bytes in
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[index..<index + range.count])
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    public mutating func append(uint16 value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    public mutating func append(uint24 value: UInt32) {
        append(UInt8(truncatingIfNeeded: value >> 16))
        append(uint16: UInt16(truncatingIfNeeded: value))
    }

    public mutating func append(uint32 value: UInt32) {
        append(uint16: UInt16(truncatingIfNeeded: value >> 16))
        append(uint16: UInt16(truncatingIfNeeded: value))
    }

    public mutating func append(uint64 value: UInt64) {
        append(uint32: UInt32(truncatingIfNeeded: value >> 32))
        append(uint32: UInt32(truncatingIfNeeded: value))
    }
}

/// Big-endian writes into bytes that another owns. As with reads: check a length once; an index out of bounds traps.
extension MutableSpan where Element == UInt8 {
    @inlinable public mutating func set(uint16 value: UInt16, at index: Int) {
        self[index] = UInt8(truncatingIfNeeded: value >> 8)
        self[index + 1] = UInt8(truncatingIfNeeded: value)
    }

    @inlinable public mutating func set(uint32 value: UInt32, at index: Int) {
        set(uint16: UInt16(truncatingIfNeeded: value >> 16), at: index)
        set(uint16: UInt16(truncatingIfNeeded: value), at: index + 2)
    }

    /// Overwrites what stands at `index` with `source`, which must fit.
    public mutating func copy(_ source: Span<UInt8>, to index: Int) {
        precondition(index >= 0 && source.count <= count && index <= count - source.count)
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[index...]).copyMemory(from: source)
            }
        }
    }
}

/// Big-endian appends to a buffer that was lent. Check its free capacity once: an append beyond it traps.
extension OutputSpan where Element == UInt8 {
    @inlinable public mutating func append(uint16 value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    @inlinable public mutating func append(uint32 value: UInt32) {
        append(uint16: UInt16(truncatingIfNeeded: value >> 16))
        append(uint16: UInt16(truncatingIfNeeded: value))
    }

    @inlinable public mutating func append(copying source: Span<UInt8>) {
        for index in source.indices { append(source[index]) }
    }
}
