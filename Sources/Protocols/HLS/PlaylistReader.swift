import Bytes
import Timing

/// One line of a playlist that says something: a tag, or a URI.
struct PlaylistLine {
    /// From 1.
    var number: Int
    /// The whole line.
    var text: String
    /// The tag's name without `#`; `nil` for a URI.
    var tag: String?
    /// What stands behind the tag's colon.
    var value: String

    var malformed: HLSError { .malformed(tag: tag ?? "", line: number) }

    /// A decimal-integer (section 4.2): at most 2^64 − 1.
    func integer() throws(HLSError) -> UInt64 {
        guard !value.isEmpty, value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt64(value) else {
            throw malformed
        }
        return number
    }

    /// The duration before the comma of `EXTINF`: a decimal number of seconds, read to the microsecond.
    func duration() throws(HLSError) -> Duration {
        let text = value.prefix { $0 != "," }.utf8
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.allSatisfy { 0x30...0x39 ~= $0 } }),
            let seconds = Int64(Substring(parts[0])), seconds < 1 << 32
        else { throw malformed }
        var microseconds: Int64 = 0
        for index in 0..<6 {
            let digit = parts.count == 2 ? parts[1].dropFirst(index).first : nil
            microseconds = microseconds * 10 + Int64((digit ?? 0x30) - 0x30)
        }
        return .nanoseconds(seconds * 1_000_000_000 + microseconds * 1000)
    }
}

/// Goes through a playlist's lines (section 4.1): blank ones and comments are skipped.
struct PlaylistReader {
    /// Most bytes of a text that are read.
    private static let byteLimit = 64 << 20

    private let text: [UInt8]
    private var offset = 0
    private var number = 0

    /// - Throws: `notAPlaylist` when the text does not begin with its tag, is not UTF-8, or holds control characters.
    init(_ bytes: Span<UInt8>) throws(HLSError) {
        guard bytes.count <= Self.byteLimit else { throw .tooLarge(line: 0) }
        text = [UInt8](copying: bytes)
        guard String(validating: text, as: UTF8.self) != nil, !Self.hasControls(text) else { throw .notAPlaylist }
        guard takeLine() == "#EXTM3U" else { throw .notAPlaylist }
    }

    /// The next line that says something; `nil` at the end.
    mutating func next() -> PlaylistLine? {
        while let line = takeLine() {
            if line.isEmpty { continue }
            guard line.hasPrefix("#") else { return PlaylistLine(number: number, text: line, tag: nil, value: "") }
            guard line.hasPrefix("#EXT") else { continue }
            let colon = line.utf8.firstIndex(of: UInt8(ascii: ":"))
            let name = line[..<(colon ?? line.endIndex)].dropFirst()
            let value = colon.map { String(line[line.utf8.index(after: $0)...]) } ?? ""
            return PlaylistLine(number: number, text: line, tag: String(name), value: value)
        }
        return nil
    }

    /// Section 4.1: no control characters but those that end lines.
    private static func hasControls(_ text: [UInt8]) -> Bool {
        text.indices.contains { index in
            switch text[index] {
            case 0x0A: false
            case 0x0D: index + 1 < text.count && text[index + 1] != 0x0A
            case let byte: byte < 0x20 || byte == 0x7F
            }
        }
    }

    /// A line without its end, which is LF or CR LF.
    private mutating func takeLine() -> String? {
        guard offset < text.count else { return nil }
        let end = text[offset...].firstIndex(of: 0x0A) ?? text.count
        var line = text[offset..<end]
        offset = end + 1
        number += 1
        if line.last == 0x0D { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

/// The attributes of one tag (section 4.2): `NAME=value` separated by commas, each name once.
struct AttributeList {
    private var values: [String: String] = [:]

    /// A quoted string gives what stands between its quotes.
    subscript(name: String) -> String? { values[name] }

    init(_ line: PlaylistLine) throws(HLSError) {
        var rest = line.value.utf8[...]
        while !rest.isEmpty {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { throw line.malformed }
            let name = rest[..<equals]
            guard !name.isEmpty, name.allSatisfy(Self.isName) else { throw line.malformed }
            rest = rest[rest.index(after: equals)...]
            let value: Substring.UTF8View
            if rest.first == UInt8(ascii: "\"") {
                let body = rest.dropFirst()
                guard let quote = body.firstIndex(of: UInt8(ascii: "\"")) else { throw line.malformed }
                value = body[..<quote]
                rest = body[body.index(after: quote)...]
            } else {
                value = rest.prefix { $0 != UInt8(ascii: ",") }
                guard !value.contains(UInt8(ascii: "\"")) else { throw line.malformed }
                rest = rest[value.endIndex...]
            }
            guard values.updateValue(String(Substring(value)), forKey: String(Substring(name))) == nil else {
                throw line.malformed
            }
            guard let separator = rest.popFirst() else { return }
            guard separator == UInt8(ascii: ","), !rest.isEmpty else { throw line.malformed }
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        0x41...0x5A ~= byte || 0x30...0x39 ~= byte || byte == UInt8(ascii: "-")
    }
}
