/// Why bytes are not JSON. *Answer 400*, with the place.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Cause: String, Sendable {
        case notUTF8 = "the text is not UTF-8"
        case truncated = "the text ends too early"
        case unexpected = "unexpected character"
        case tooDeep = "nested too deep"
        case duplicateName = "the object has this name twice"
        case badString = "a control character or a bad escape in a string"
        case badNumber = "not a number that JSON can write"
        case trailing = "more text after the value"
    }

    public var cause: Cause
    /// Bytes before the offending one.
    public var offset: Int

    public var description: String { "\(cause.rawValue), at byte \(offset)" }
}

extension JSONValue {
    /// Levels of arrays and objects that a text may nest.
    public static let maximumDepth = 32

    /// Reads one JSON text (RFC 8259): strict grammar, names unique, numbers finite, nothing after the value.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw error(.notUTF8) }
        let value = try value(depth: 0)
        skipSpace()
        guard offset == bytes.count else { throw error(.trailing) }
        return value
    }

    private func error(_ cause: JSONError.Cause) -> JSONError { JSONError(cause: cause, offset: offset) }

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard let byte = peek else { throw error(.truncated) }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error(.unexpected)
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for character in "\(word)".utf8 {
            guard let byte = peek else { throw error(.truncated) }
            guard byte == character else { throw error(.unexpected) }
            offset += 1
        }
        return value
    }

    /// True when another element follows: at a comma; false at `end`, which is consumed.
    private mutating func hasNext(end: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        guard let byte = peek else { throw error(.truncated) }
        guard byte == UInt8(ascii: ",") || byte == end else { throw error(.unexpected) }
        offset += 1
        return byte != end
    }

    private mutating func isEmpty(end: UInt8, depth: Int) throws(JSONError) -> Bool {
        guard depth <= JSONValue.maximumDepth else { throw error(.tooDeep) }
        offset += 1
        skipSpace()
        guard peek == end else { return false }
        offset += 1
        return true
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        let end = UInt8(ascii: "]")
        guard try !isEmpty(end: end, depth: depth) else { return .array([]) }
        var elements: [JSONValue] = []
        repeat { elements.append(try value(depth: depth)) } while try hasNext(end: end)
        return .array(elements)
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        let end = UInt8(ascii: "}")
        guard try !isEmpty(end: end, depth: depth) else { return .object([]) }
        var members: [JSONMember] = []
        var names: Set<String> = []
        repeat {
            skipSpace()
            let start = offset
            guard let quote = peek else { throw error(.truncated) }
            guard quote == UInt8(ascii: "\"") else { throw error(.unexpected) }
            let name = try string()
            guard names.insert(name).inserted else { throw JSONError(cause: .duplicateName, offset: start) }
            skipSpace()
            guard let colon = peek else { throw error(.truncated) }
            guard colon == UInt8(ascii: ":") else { throw error(.unexpected) }
            offset += 1
            members.append(JSONMember(name, try value(depth: depth)))
        } while try hasNext(end: end)
        return .object(members)
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        if peek == UInt8(ascii: "-") { offset += 1 }
        let whole = try digits()
        if whole > 1 {
            let first = bytes[offset - whole]
            guard first != UInt8(ascii: "0") else { throw JSONError(cause: .badNumber, offset: start) }
        }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            offset += 1
            isInteger = false
            _ = try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            offset += 1
            isInteger = false
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { offset += 1 }
            _ = try digits()
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw JSONError(cause: .badNumber, offset: start) }
        return .number(value)
    }

    /// Skips digits, at least one; returns their count.
    private mutating func digits() throws(JSONError) -> Int {
        let start = offset
        while let byte = peek, UInt8(ascii: "0") <= byte, byte <= UInt8(ascii: "9") { offset += 1 }
        guard offset > start else { throw error(peek == nil ? .truncated : .badNumber) }
        return offset - start
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                offset += 1
                try escape(into: &text)
            case 0..<0x20: throw error(.badString)
            default:
                text.append(byte)
                offset += 1
            }
        }
        throw error(.truncated)
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw error(.truncated) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += String(Character(try escapedScalar())).utf8
        default:
            offset -= 1
            throw error(.badString)
        }
    }

    /// The scalar of `\uXXXX` or of a surrogate pair, from behind the `u`. A lone surrogate is refused.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
        guard first < 0xDC00 else { throw error(.badString) }
        guard offset + 1 < bytes.count else { throw error(.truncated) }
        guard bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u") else {
            throw error(.badString)
        }
        offset += 2
        let second = try hexadecimal()
        guard 0xDC00..<0xE000 ~= second,
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw error(.badString) }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        guard offset + 4 <= bytes.count else { throw error(.truncated) }
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue, bytes[offset] < 0x80 else {
                throw error(.badString)
            }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}
