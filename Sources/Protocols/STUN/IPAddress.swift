/// An IP address of either version.
public enum IPAddress: Hashable, Sendable {
    /// The first byte of the address is the highest.
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// The IPv4 address inside `::ffff:0:0/96` (RFC 4291 section 2.5.5.2), as a socket of both versions gives it; else itself.
    public var unmapped: IPAddress {
        if case .v6(0, let low) = self, low >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: low)) }
        return self
    }

    public var isV4: Bool { if case .v4 = self { true } else { false } }
}

extension IPAddress {
    /// Reads a dotted quad or the text of RFC 4291 section 2.2. No zone, no leading zeros in a quad, no name.
    public init?(_ text: String) {
        guard 2...45 ~= text.utf8.count else { return nil }
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: ":")) else {
            guard let quad = Self.quad(bytes[...]) else { return nil }
            self = .v4(quad)
            return
        }
        guard let groups = Self.groups(bytes) else { return nil }
        let halves = (groups[..<4], groups[4...])
        self = .v6(
            high: halves.0.reduce(0) { $0 << 16 | UInt64($1) }, low: halves.1.reduce(0) { $0 << 16 | UInt64($1) })
    }

    private static func quad(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard 1...3 ~= part.count, part.count == 1 || part.first != UInt8(ascii: "0"),
                part.allSatisfy({ 0x30...0x39 ~= $0 })
            else { return nil }
            let number = part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    /// Eight groups, with `::` filled up.
    private static func groups(_ text: [UInt8]) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        let gap = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
        guard let gap else {
            guard let all = parts(text[...], endsInQuad: true), all.count == 8 else { return nil }
            return all
        }
        guard let head = parts(text[..<gap], endsInQuad: false), let tail = parts(text[(gap + 2)...], endsInQuad: true),
            head.count + tail.count <= 7
        else { return nil }
        return head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    private static func parts(_ text: ArraySlice<UInt8>, endsInQuad: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let words = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard words.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (index, word) in words.enumerated() {
            if endsInQuad, index == words.count - 1, let quad = quad(word) {
                groups += [UInt16(truncatingIfNeeded: quad >> 16), UInt16(truncatingIfNeeded: quad)]
                continue
            }
            guard 1...4 ~= word.count, word.first != UInt8(ascii: "+"), word.first != UInt8(ascii: "-"),
                let value = UInt16(String(decoding: word, as: UTF8.self), radix: 16)
            else { return nil }
            groups.append(value)
        }
        return groups
    }
}

extension IPAddress: CustomStringConvertible {
    /// A dotted quad, or the canonical text of RFC 5952 section 4.
    public var description: String {
        switch self {
        case .v4(let value): return "\(value >> 24).\(value >> 16 & 0xFF).\(value >> 8 & 0xFF).\(value & 0xFF)"
        case .v6(let high, let low):
            let groups = [high, low].flatMap { half in
                [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
            }
            let text = { (part: Range<Int>) in groups[part].map { String($0, radix: 16) }.joined(separator: ":") }
            guard let run = Self.longestZeros(groups) else { return text(0..<8) }
            return text(0..<run.lowerBound) + "::" + text(run.upperBound..<8)
        }
    }

    /// The first of the longest runs of two or more zero groups.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start >= 2, index - start > best?.count ?? 0 { best = start..<index }
            start = index + 1
        }
        return best
    }
}

/// Where a datagram comes from or goes to.
public struct TransportAddress: Hashable, Sendable, CustomStringConvertible {
    public var ip: IPAddress
    public var port: UInt16

    public init(_ ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    public var description: String { ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)" }
}
