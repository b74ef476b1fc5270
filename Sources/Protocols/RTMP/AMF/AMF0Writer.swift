import Bytes

extension Array where Element == UInt8 {
    /// Appends a value in AMF0.
    public mutating func append(amf0 value: AMF0Value) {
        switch value {
        case .number(let number):
            append(0)
            append(uint64: number.bitPattern)
        case .boolean(let boolean): append(contentsOf: [1, boolean ? 1 : 0])
        case .string(let string): append(amf0String: string)
        case .object(let properties):
            append(3)
            append(amf0Properties: properties)
        case .null: append(5)
        case .undefined: append(6)
        case .ecmaArray(let properties):
            append(8)
            append(uint32: UInt32(clamping: properties.count))
            append(amf0Properties: properties)
        case .strictArray(let elements):
            append(10)
            append(uint32: UInt32(clamping: elements.count))
            for element in elements { append(amf0: element) }
        case .date(let time):
            append(11)
            append(uint64: time.bitPattern)
            append(uint16: 0)
        }
    }

    private mutating func append(amf0String string: String) {
        let count = string.utf8.count
        if count > UInt16.max {
            append(12)
            append(uint32: UInt32(clamping: count))
            append(contentsOf: string.utf8)
        } else {
            append(2)
            append(amf0Name: string)
        }
    }

    private mutating func append(amf0Properties properties: [AMF0Property]) {
        for property in properties where !property.name.isEmpty {  // an empty name is the end
            append(amf0Name: property.name)
            append(amf0: property.value)
        }
        append(contentsOf: [0, 0, 9])
    }

    private mutating func append(amf0Name name: String) {
        let text = name.utf8.prefix(Int(UInt16.max))
        append(uint16: UInt16(clamping: text.count))
        append(contentsOf: text)
    }
}
