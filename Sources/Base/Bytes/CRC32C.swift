/// CRC-32C (Castagnoli: RFC 9260 appendix A, RFC 7143 section 13.1), in software, eight bytes a step.
///
/// The Castagnoli polynomial finds more errors than zlib's at the lengths of media, and needs no library here.
public struct CRC32C: Sendable {
    private var state: UInt32 = 0xFFFF_FFFF

    public init() {}

    /// The checksum of all that was added.
    public var value: UInt32 { ~state }

    public static func checksum(of bytes: Span<UInt8>) -> UInt32 {
        var sum = CRC32C()
        sum.add(bytes)
        return sum.value
    }

    public mutating func add(_ bytes: Span<UInt8>) {
        state = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Self.tables.withUnsafeBufferPointer { unsafe Self.advance(state, bytes, $0) }
        }
    }

    /// Eight tables of 256: byte `b`, followed by `k` zero bytes, stands at `k * 256 + b`.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0x82F6_3B78 }
            tables[byte] = value
        }
        for index in 256..<tables.count {
            let before = tables[index - 256]
            tables[index] = before >> 8 ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()

    private static func advance(
        _ state: UInt32, _ bytes: UnsafeRawBufferPointer, _ table: UnsafeBufferPointer<UInt32>
    ) -> UInt32 {
        var sum = state
        var offset = 0
        while bytes.count - offset >= 8 {
            let low = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) ^ sum
            let high = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            sum = unsafe table[7 * 256 + Int(low & 0xFF)] ^ table[6 * 256 + Int(low >> 8 & 0xFF)]
            sum ^= unsafe table[5 * 256 + Int(low >> 16 & 0xFF)] ^ table[4 * 256 + Int(low >> 24)]
            sum ^= unsafe table[3 * 256 + Int(high & 0xFF)] ^ table[2 * 256 + Int(high >> 8 & 0xFF)]
            sum ^= unsafe table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
            offset += 8
        }
        while offset < bytes.count {
            sum = unsafe sum >> 8 ^ table[Int((sum ^ UInt32(bytes[offset])) & 0xFF)]
            offset += 1
        }
        return sum
    }
}
