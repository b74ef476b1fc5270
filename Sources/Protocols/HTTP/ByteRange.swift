/// What a `Range` header asks of a representation of known length (RFC 9110 section 14.2).
public enum ByteRange: Equatable, Sendable {
    /// No range, more than one, or one that is not understood: the whole is sent.
    case whole
    case part(Range<Int64>)
    /// 416.
    case unsatisfiable

    public init(_ header: String?, length: Int64) {
        guard let header, header.utf8.count <= 256, header.lowercased().hasPrefix("bytes=") else {
            self = .whole
            return
        }
        let spec = header.dropFirst(6).filter { $0 != " " && $0 != "\t" }
        guard let dash = spec.firstIndex(of: "-"), !spec.contains(",") else {
            self = .whole
            return
        }
        let first = Self.position(spec[..<dash])
        let last = Self.position(spec[spec.index(after: dash)...])
        switch (first, last) {
        case (.some(.some(let first)), .some(let last)):
            if let last, last < first {
                self = .whole  // not a range at all
            } else if first >= length {
                self = .unsatisfiable
            } else {
                self = .part(first..<min(last ?? Int64.max, length - 1) + 1)
            }
        case (.some(.none), .some(.some(let suffix))):
            self = suffix == 0 || length == 0 ? .unsatisfiable : .part(max(0, length - suffix)..<length)
        default: self = .whole
        }
    }

    /// The number, clamped; an empty text is `.some(nil)`, anything else that is no number `nil`.
    private static func position(_ text: some StringProtocol) -> Int64?? {
        guard !text.isEmpty else { return .some(nil) }
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return .some(Int64(text) ?? Int64.max)
    }
}
