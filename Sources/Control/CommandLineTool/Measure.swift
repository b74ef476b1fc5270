/// Numbers as people read them.
enum Measure {
    /// As `12.0 s`, `3 min 5 s`, `1 h 2 min`.
    static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "? s" }
        guard seconds >= 100 else { return "\(tenths(seconds)) s" }
        let whole = Int(seconds)
        return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
    }

    /// As `3.1 MB`.
    static func bytes(_ bytes: Int64) -> String { scaled(Double(bytes), ["B", "kB", "MB", "GB", "TB"]) }

    /// As `2.5 Mbit/s`.
    static func bitrate(_ bps: Int64) -> String { scaled(Double(bps), ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]) }

    /// One decimal, or none when it is 0: `30`, `29.9`, `44.1`.
    static func short(_ value: Double) -> String {
        let text = tenths(value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    static func tenths(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "?" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }

    private static func scaled(_ value: Double, _ units: [String]) -> String {
        var value = value
        var index = 0
        while value >= 999.95, index + 1 < units.count {
            value /= 1000
            index += 1
        }
        return (index == 0 ? short(value) : tenths(value)) + " " + units[index]
    }
}

/// Text inside a URL's path or query (RFC 3986 section 2.3: only unreserved characters stay).
enum URLText {
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".utf8.contains(byte)
            return isPlain ? String(UnicodeScalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }
}
