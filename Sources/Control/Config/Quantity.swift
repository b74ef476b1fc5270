import YAML

import Timing

/// Durations, sizes and rates as people write them. What is written reads back as the same value.
public enum Quantity {
    private static let durationUnits: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    private static let sizeUnits: [(name: String, bytes: Int)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20),
        ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1000), ("B", 1),
    ]
    private static let rateUnits: [(name: String, bps: Int)] = [
        ("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1000), ("bit/s", 1),
    ]

    /// Reads `500ms`, `60s`, `5m`, `2h`, `30d` and sums as `1h30m`. A number without its unit is not a duration.
    public static func duration(parsing text: String) -> Duration? {
        var total: Int64 = 0
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            guard let count = Int64(digits), let scale = durationUnits.first(where: { $0.name == unit }) else {
                return nil
            }
            let (part, tooLong) = count.multipliedReportingOverflow(by: scale.milliseconds)
            let (sum, tooMuch) = total.addingReportingOverflow(part)
            guard !tooLong, !tooMuch else { return nil }
            total = sum
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return .milliseconds(total)
    }

    /// Writes the largest unit that leaves no rest: `90s`, `2h`, `500ms`.
    public static func duration(_ duration: Duration) -> String {
        let milliseconds = duration.nanoseconds / 1_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = durationUnits.first { milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// Reads `64MiB`, `500 MB`, or bytes without a unit.
    public static func size(parsing text: String) -> Int? { scaled(text, by: sizeUnits.map { ($0.name, $0.bytes) }) }

    /// Writes the largest unit that leaves no rest.
    public static func size(_ bytes: Int) -> String { whole(bytes, of: sizeUnits.map { ($0.name, $0.bytes) }) }

    /// Reads `50Mbit/s`, `2500kbit/s`, or bits a second without a unit.
    public static func bitrate(parsing text: String) -> Int? { scaled(text, by: rateUnits.map { ($0.name, $0.bps) }) }

    public static func bitrate(_ bps: Int) -> String { whole(bps, of: rateUnits.map { ($0.name, $0.bps) }) }

    /// `text` as a YAML scalar that reads back as this text.
    public static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "_-./".utf8.contains(byte)
        }
        let node = YAMLNode(.scalar(text, isPlain: true), line: 1, column: 1)
        if plain, text.first != "-", case .text = node.scalar { return text }
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            default: scalar.value < 0x20 ? "\\x" + hex(scalar.value) : String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return digits.count < 2 ? "0" + digits : digits
    }

    private static func scaled(_ text: String, by units: [(String, Int)]) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits) else { return nil }
        let unit = String(text.dropFirst(digits.count)).trimmed
        if unit.isEmpty { return count }
        guard let scale = units.first(where: { $0.0 == unit })?.1 else { return nil }
        let (value, overflow) = count.multipliedReportingOverflow(by: scale)
        return overflow ? nil : value
    }

    private static func whole(_ value: Int, of units: [(String, Int)]) -> String {
        guard value != 0, let unit = units.first(where: { value % $0.1 == 0 }) else { return "\(value)" }
        return unit.1 == 1 ? "\(value)" : "\(value / unit.1)\(unit.0)"
    }
}
