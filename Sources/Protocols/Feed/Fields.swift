import Bytes

/// Tagged fields: one tag byte, a 4-byte length, the value. Readers skip tags that they do not know, so a field can be
/// added without a new ``LinkVersion``. Every integer is 8 bytes, signed ones in two's complement.
struct Fields {
    private let bytes: ArraySlice<UInt8>
    private static let headerBytes = 5

    /// Checks that the fields fill `bytes` exactly.
    init(parsing bytes: ArraySlice<UInt8>) throws(FeedError) {
        self.bytes = bytes
        var offset = bytes.startIndex
        while offset < bytes.endIndex { offset = try Self.end(ofFieldAt: offset, in: bytes) }
    }

    func uint64(_ tag: UInt8) throws(FeedError) -> UInt64 { try Self.integer(try bytes(tag), tag) }

    func int64(_ tag: UInt8) throws(FeedError) -> Int64 { Int64(bitPattern: try uint64(tag)) }

    /// `nil` when the field is not there.
    func int64IfThere(_ tag: UInt8) throws(FeedError) -> Int64? {
        guard let value = try first(tag) else { return nil }
        return Int64(bitPattern: try Self.integer(value, tag))
    }

    /// An integer that must fit `type`.
    func integer<Integer: FixedWidthInteger>(_ tag: UInt8, as type: Integer.Type) throws(FeedError) -> Integer {
        let wide = try int64(tag)
        guard let value = Integer(exactly: wide) else { throw .malformed("field \(tag) is out of range") }
        return value
    }

    /// `true` for any value but 0; `false` when the field is not there.
    func flag(_ tag: UInt8) throws(FeedError) -> Bool {
        guard let value = try first(tag) else { return false }
        return try Self.integer(value, tag) != 0
    }

    func string(_ tag: UInt8) throws(FeedError) -> String { try Self.text(try bytes(tag), tag) }

    func bytes(_ tag: UInt8) throws(FeedError) -> ArraySlice<UInt8> {
        guard let value = try first(tag) else { throw .malformed("field \(tag) is missing") }
        return value
    }

    /// All values of a repeated tag, in their order.
    func integers(_ tag: UInt8) throws(FeedError) -> [UInt32] {
        var values: [UInt32] = []
        try forEach(tag) { (value) throws(FeedError) in
            guard let narrow = UInt32(exactly: try Self.integer(value, tag)) else {
                throw .malformed("field \(tag) is out of range")
            }
            values.append(narrow)
        }
        return values
    }

    func strings(_ tag: UInt8) throws(FeedError) -> [String] {
        var values: [String] = []
        try forEach(tag) { (value) throws(FeedError) in values.append(try Self.text(value, tag)) }
        return values
    }

    /// The bytes of each field of a repeated tag, in their order.
    func slices(_ tag: UInt8) throws(FeedError) -> [ArraySlice<UInt8>] {
        var values: [ArraySlice<UInt8>] = []
        try forEach(tag) { (value) throws(FeedError) in values.append(value) }
        return values
    }

    /// Whether there is such a field.
    func has(_ tag: UInt8) throws(FeedError) -> Bool { try first(tag) != nil }

    private func first(_ tag: UInt8) throws(FeedError) -> ArraySlice<UInt8>? {
        var offset = bytes.startIndex
        while offset < bytes.endIndex {
            let end = try Self.end(ofFieldAt: offset, in: bytes)
            if bytes[offset] == tag { return bytes[(offset + Self.headerBytes)..<end] }
            offset = end
        }
        return nil
    }

    private func forEach(_ tag: UInt8, _ body: (ArraySlice<UInt8>) throws(FeedError) -> Void) throws(FeedError) {
        var offset = bytes.startIndex
        while offset < bytes.endIndex {
            let end = try Self.end(ofFieldAt: offset, in: bytes)
            if bytes[offset] == tag { try body(bytes[(offset + Self.headerBytes)..<end]) }
            offset = end
        }
    }

    private static func end(ofFieldAt offset: Int, in bytes: ArraySlice<UInt8>) throws(FeedError) -> Int {
        let remaining = bytes.endIndex - offset
        guard remaining >= headerBytes else { throw .truncated }
        let length = Int(bytes.span.uint32(at: offset - bytes.startIndex + 1))
        guard remaining - headerBytes >= length else { throw .truncated }
        return offset + headerBytes + length
    }

    private static func integer(_ value: ArraySlice<UInt8>, _ tag: UInt8) throws(FeedError) -> UInt64 {
        guard value.count == 8 else { throw .malformed("field \(tag) is no integer") }
        return value.span.uint64(at: 0)
    }

    private static func text(_ value: ArraySlice<UInt8>, _ tag: UInt8) throws(FeedError) -> String {
        guard let text = String(validating: value, as: UTF8.self) else {
            throw .malformed("field \(tag) is not UTF-8")
        }
        return text
    }
}

extension Array where Element == UInt8 {
    mutating func append(field tag: UInt8, _ value: some FixedWidthInteger) {
        append(tag)
        append(uint32: 8)
        append(uint64: UInt64(truncatingIfNeeded: value))
    }

    mutating func append(field tag: UInt8, _ value: Bool) { append(field: tag, value ? 1 : 0) }

    mutating func append(field tag: UInt8, _ value: String) {
        append(tag)
        append(uint32: UInt32(clamping: value.utf8.count))
        append(contentsOf: value.utf8)
    }

    mutating func append(field tag: UInt8, _ value: [UInt8]) {
        append(tag)
        append(uint32: UInt32(clamping: value.count))
        append(contentsOf: value)
    }

    /// A field whose bytes `write` appends.
    mutating func append(field tag: UInt8, nested write: (inout [UInt8]) -> Void) {
        var bytes: [UInt8] = []
        write(&bytes)
        append(field: tag, bytes)
    }
}
