import Bytes

/// A header extension to be written (RFC 8285), built in place without allocating: at most 128 bytes of elements.
public struct HeaderExtensionBlock: Sendable {
    public enum Form: Sendable {
        /// Ids 1 to 14, 1 to 16 bytes each.
        case oneByte
        /// Ids 1 to 255, 0 to 255 bytes each; only where `extmap-allow-mixed` was agreed or an id needs it.
        case twoByte

        /// `defined by profile`: with appbits 0 in the two-byte form.
        var profile: UInt16 { self == .oneByte ? 0xBEDE : 0x1000 }
    }

    private static let capacity = 128

    private let form: Form
    private var bytes = InlineArray<128, UInt8>(repeating: 0)
    private var count = 0

    public init(_ form: Form) { self.form = form }

    public var isEmpty: Bool { count == 0 }
    /// Bytes in a packet, with the extension's own four and its padding to a whole word; 0 if it is empty.
    public var byteCount: Int { isEmpty ? 0 : 4 + (count + 3) / 4 * 4 }

    /// - Throws: ``RTPError/noRoom`` if id or length do not fit the form or the block, which is then unchanged.
    public mutating func append(id: UInt8, _ data: Span<UInt8>) throws(RTPError) {
        try begin(id, data.count)
        for index in data.indices { put(data[index]) }
    }

    /// Appends the low `byteCount` bytes of `value`, as abs-send-time and its like need.
    public mutating func append(id: UInt8, _ value: UInt32, byteCount: Int) throws(RTPError) {
        guard 1...4 ~= byteCount else { throw .noRoom }
        try begin(id, byteCount)
        for index in (0..<byteCount).reversed() { put(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
    }

    func write(into output: inout OutputSpan<UInt8>) {
        guard !isEmpty else { return }
        output.append(uint16: form.profile)
        output.append(uint16: UInt16((count + 3) / 4))
        for index in 0..<(count + 3) / 4 * 4 { output.append(bytes[index]) }  // what was not put is 0: padding
    }

    private mutating func begin(_ id: UInt8, _ length: Int) throws(RTPError) {
        switch form {
        case .oneByte:
            guard 1...14 ~= id, 1...16 ~= length, count + 1 + length <= Self.capacity else { throw .noRoom }
            put(id << 4 | UInt8(length - 1))
        case .twoByte:
            guard id != 0, length <= 255, count + 2 + length <= Self.capacity else { throw .noRoom }
            put(id)
            put(UInt8(length))
        }
    }

    private mutating func put(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }
}
