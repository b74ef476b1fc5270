import Bytes

/// Boxes as appends; sizes are filled in when a box is complete.
extension [UInt8] {
    /// A box (ISO/IEC 14496-12 section 4.2) of less than 4 GiB.
    mutating func box(_ type: FourCC, _ body: (inout [UInt8]) -> Void) {
        let start = count
        append(uint32: 0)
        append(uint32: type.rawValue)
        body(&self)
        overwrite(uint32: UInt32(truncatingIfNeeded: count - start), at: start)
    }

    /// A full box: a box with version and flags.
    mutating func fullBox(
        _ type: FourCC, version: UInt8 = 0, flags: UInt32 = 0, _ body: (inout [UInt8]) -> Void
    ) {
        box(type) {
            $0.append(uint32: UInt32(version) << 24 | flags & 0xFF_FFFF)
            body(&$0)
        }
    }

    mutating func overwrite(uint32 value: UInt32, at index: Int) {
        for byte in 0..<4 { self[index + byte] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * byte)) }
    }

    mutating func append(zeros: Int) { append(contentsOf: repeatElement(0, count: zeros)) }

    mutating func append(int64 value: Int64) { append(uint64: UInt64(bitPattern: value)) }

    mutating func append(int32 value: Int32) { append(uint32: UInt32(bitPattern: value)) }

    /// The unity matrix of `mvhd` and `tkhd`.
    mutating func appendUnityMatrix() {
        for value: UInt32 in [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000] { append(uint32: value) }
    }
}
