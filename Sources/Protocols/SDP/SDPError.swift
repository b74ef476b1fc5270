/// Why a description cannot be read. *Answer 400 with the text; nothing was begun.*
public enum SDPError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooLong(bytes: Int, limit: Int)
    case tooManyLines(limit: Int)
    /// Lines are counted from 1.
    case malformed(line: Int, String)
    case tooMany(line: Int, String)

    public var description: String {
        switch self {
        case .tooLong(let bytes, let limit): "The description has \(bytes) bytes; \(limit) are allowed."
        case .tooManyLines(let limit): "The description has more than \(limit) lines."
        case .malformed(let line, let what): "Line \(line) is malformed: \(what)."
        case .tooMany(let line, let what): "Line \(line): there are too many \(what)."
        }
    }
}

/// One line of a description (RFC 8866 section 5): a letter and a value.
struct SDPLine {
    static let maximumBytes = 65_536
    static let maximumLines = 1000
    static let maximumLineBytes = 8192

    /// From 1.
    let number: Int
    let type: Character
    let value: String

    /// Cuts a description into lines, which end with CRLF or LF; the last may end with neither.
    static func lines(of text: [UInt8]) throws(SDPError) -> [SDPLine] {
        guard text.count <= maximumBytes else { throw .tooLong(bytes: text.count, limit: maximumBytes) }
        var lines: [SDPLine] = []
        var parts = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        while let last = parts.last, last.isEmpty || last.elementsEqual([0x0D]) { parts.removeLast() }
        guard parts.count <= maximumLines else { throw .tooManyLines(limit: maximumLines) }
        for (index, part) in parts.enumerated() {
            let bytes = part.last == 0x0D ? part.dropLast() : part
            guard bytes.count <= maximumLineBytes else {
                throw .malformed(line: index + 1, "it is longer than \(maximumLineBytes) bytes")
            }
            guard bytes.count >= 2, let type = bytes.first, UInt8(ascii: "a")...UInt8(ascii: "z") ~= type,
                bytes[bytes.startIndex + 1] == UInt8(ascii: "=")
            else { throw .malformed(line: index + 1, "it is no letter with `=` behind it") }
            guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .malformed(line: index + 1, "it holds a control character")
            }
            let value = String(decoding: bytes.dropFirst(2), as: UTF8.self)
            lines.append(SDPLine(number: index + 1, type: Character(UnicodeScalar(type)), value: value))
        }
        return lines
    }

    /// Name and value of an attribute; the value is empty if it has none.
    var attribute: (name: Substring, value: Substring) {
        guard let colon = value.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (value[...], "") }
        return (value[..<colon], value[value.utf8.index(after: colon)...])
    }

    func malformed(_ what: String) -> SDPError { .malformed(line: number, what) }

    func tooMany(_ what: String) -> SDPError { .tooMany(line: number, what) }

    /// Digits only, at most ten, within `range`.
    func number(_ text: some StringProtocol, in range: ClosedRange<Int>, _ what: String) throws(SDPError) -> Int {
        guard let value = Self.number(text), range.contains(value) else { throw malformed("\(what) is out of range") }
        return value
    }

    static func number(_ text: some StringProtocol) -> Int? {
        guard 1...10 ~= text.utf8.count, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int(text)
    }

    /// A token (RFC 8866 section 9) of at most `limit` bytes.
    func token(_ text: some StringProtocol, limit: Int, _ what: String) throws(SDPError) -> String {
        guard 1...limit ~= text.utf8.count, text.utf8.allSatisfy(Self.isToken) else {
            throw malformed("\(what) is no token of 1 to \(limit) bytes")
        }
        return String(text)
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x27, 0x2A...0x2B, 0x2D...0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7E: true
        default: false
        }
    }
}

extension StringProtocol {
    /// Words between spaces.
    var words: [SubSequence] { split(separator: " ") }
}
