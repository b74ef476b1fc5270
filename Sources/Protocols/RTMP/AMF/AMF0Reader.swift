import Bytes

/// Reads AMF0 values one after another. Depth and number of values are bounded, and nothing is made by an announced count.
public struct AMF0Reader: ~Escapable {
    public static let maximumDepth = 16
    /// Of one reader: a value costs some 40 bytes here and may cost 1 byte there.
    public static let maximumValues = 4096

    private enum Marker {
        static let number: UInt8 = 0
        static let boolean: UInt8 = 1
        static let string: UInt8 = 2
        static let object: UInt8 = 3
        static let null: UInt8 = 5
        static let undefined: UInt8 = 6
        static let ecmaArray: UInt8 = 8
        static let objectEnd: UInt8 = 9
        static let strictArray: UInt8 = 10
        static let date: UInt8 = 11
        static let longString: UInt8 = 12
    }

    private var bytes: ByteReader
    private var values = 0

    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) { self.bytes = ByteReader(bytes) }

    /// The next value, `nil` at the end.
    public mutating func next() throws(AMF0Error) -> AMF0Value? {
        bytes.remaining == 0 ? nil : try value(depth: 1)
    }

    /// All values up to the end.
    public mutating func rest() throws(AMF0Error) -> [AMF0Value] {
        var all: [AMF0Value] = []
        while let value = try next() { all.append(value) }
        return all
    }

    private mutating func value(depth: Int) throws(AMF0Error) -> AMF0Value {
        guard depth <= Self.maximumDepth else { throw .tooDeep }
        values += 1
        guard values <= Self.maximumValues else { throw .tooManyValues }
        switch try uint8() {
        case Marker.number: return .number(try number())
        case Marker.boolean: return .boolean(try uint8() != 0)
        case Marker.string: return .string(try shortString())
        case Marker.longString: return .string(try string(Int(try uint32())))
        case Marker.object: return .object(try properties(depth))
        case Marker.ecmaArray:
            _ = try uint32()  // the count is a hint that encoders get wrong; the end marker counts
            return .ecmaArray(try properties(depth))
        case Marker.strictArray: return .strictArray(try elements(depth))
        case Marker.null: return .null
        case Marker.undefined: return .undefined
        case Marker.date:
            let time = try number()
            guard bytes.skip(2) else { throw .truncated }  // time zone, reserved
            return .date(time)
        case let marker: throw .unsupportedMarker(marker)
        }
    }

    private mutating func properties(_ depth: Int) throws(AMF0Error) -> [AMF0Property] {
        var properties: [AMF0Property] = []
        while true {
            let name = try shortString()
            guard !name.isEmpty else {
                guard try uint8() == Marker.objectEnd else { throw .missingObjectEnd }
                return properties
            }
            properties.append(AMF0Property(name, try value(depth: depth + 1)))
        }
    }

    private mutating func elements(_ depth: Int) throws(AMF0Error) -> [AMF0Value] {
        let count = Int(try uint32())
        guard count <= bytes.remaining else { throw .truncated }
        var elements: [AMF0Value] = []
        for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
        return elements
    }

    private mutating func uint8() throws(AMF0Error) -> UInt8 {
        guard let value = bytes.uint8() else { throw .truncated }
        return value
    }

    private mutating func uint32() throws(AMF0Error) -> UInt32 {
        guard let value = bytes.uint32() else { throw .truncated }
        return value
    }

    private mutating func number() throws(AMF0Error) -> Double {
        guard let bits = bytes.uint64() else { throw .truncated }
        return Double(bitPattern: bits)
    }

    private mutating func shortString() throws(AMF0Error) -> String {
        guard let length = bytes.uint16() else { throw .truncated }
        return try string(Int(length))
    }

    /// Bytes that are no UTF-8 become replacement characters: a name made of them matches no key.
    private mutating func string(_ length: Int) throws(AMF0Error) -> String {
        guard let text = bytes.array(length) else { throw .truncated }
        return String(decoding: text, as: UTF8.self)
    }
}
