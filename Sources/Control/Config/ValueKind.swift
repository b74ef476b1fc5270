import YAML

/// Why a value does not fit its key, in words that follow "`key`: ".
struct ValueError: Error {
    var message: String
    var line: Int
    var column: Int
    /// What stands below the key, as `.cert`, when that is what is wrong.
    var subkey = ""

    init(_ message: String, at node: YAMLNode) {
        self.message = message
        line = node.line
        column = node.column
    }
}

/// How one kind of value is read from YAML or a variable, and written back.
struct ValueKind<Value: Sendable>: Sendable {
    /// What it must be, as `a port from 1 to 65535`.
    let words: String
    /// Lists and mappings: a variable's text is then YAML.
    var isStructured = false
    let read: @Sendable (YAMLNode) throws(ValueError) -> Value
    /// As YAML on one line.
    let write: @Sendable (Value) -> String
}

extension ValueKind {
    /// A scalar that `parse` understands.
    static func scalar(
        _ words: String, parse: @escaping @Sendable (String) -> Value?, write: @escaping @Sendable (Value) -> String
    ) -> Self {
        ValueKind(
            words: words,
            read: { node throws(ValueError) in
                guard !node.isNull, let text = node.text else { throw ValueError("must be \(words)", at: node) }
                guard let value = parse(text) else {
                    throw ValueError("must be \(words), and is `\(text)`", at: node)
                }
                return value
            },
            write: write)
    }

    /// `word` (or null) for `nil`, else a value of this kind.
    func optional(_ word: String = "null") -> ValueKind<Value?> {
        ValueKind<Value?>(
            words: "\(words), or \(word)", isStructured: isStructured,
            read: { [self] node throws(ValueError) in
                if node.isNull || node.text == word { return nil }
                return try read(node)
            },
            write: { [self] value in value.map(write) ?? word })
    }

    /// A list of values of this kind; a single scalar is split at commas, for variables.
    func list() -> ValueKind<[Value]> {
        ValueKind<[Value]>(
            words: "a list, each \(words)", isStructured: true,
            read: { [self] node throws(ValueError) in
                switch node.value {
                case .sequence(let items):
                    return try items.map { item throws(ValueError) in try read(item) }
                case .scalar(let text, let isPlain) where !node.isNull:
                    let parts = text.split(separator: ",").map { String($0).trimmed }
                    return try parts.map { part throws(ValueError) in
                        try read(YAMLNode(.scalar(part, isPlain: isPlain), line: node.line, column: node.column))
                    }
                case .scalar, .mapping:
                    throw ValueError("must be a list", at: node)
                }
            },
            write: { [self] values in "[" + values.map(write).joined(separator: ", ") + "]" })
    }
}

extension ValueKind where Value == String {
    static var text: Self { .scalar("text", parse: { $0.isEmpty ? nil : $0 }, write: Quantity.quoted) }
}

extension ValueKind where Value == UInt16 {
    static var port: Self {
        .scalar("a port from 1 to 65535", parse: { UInt16($0).flatMap { $0 > 0 ? $0 : nil } }, write: { "\($0)" })
    }
}

extension ValueKind where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> Self {
        .scalar(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } }, write: { "\($0)" })
    }

    static func size(_ range: ClosedRange<Int>) -> Self {
        .scalar(
            "a size from \(Quantity.size(range.lowerBound)) to \(Quantity.size(range.upperBound)), as 64MiB",
            parse: { Quantity.size(parsing: $0).flatMap { range.contains($0) ? $0 : nil } },
            write: { Quantity.size($0) })
    }

    static func bitrate(_ range: ClosedRange<Int>) -> Self {
        .scalar(
            "a rate from \(Quantity.bitrate(range.lowerBound)) to \(Quantity.bitrate(range.upperBound)), as 50Mbit/s",
            parse: { Quantity.bitrate(parsing: $0).flatMap { range.contains($0) ? $0 : nil } },
            write: { Quantity.bitrate($0) })
    }
}

extension ValueKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        .scalar(
            "a time from \(Quantity.duration(range.lowerBound)) to \(Quantity.duration(range.upperBound)), as 500ms, 60s, 2h or 30d",
            parse: { Quantity.duration(parsing: $0).flatMap { range.contains($0) ? $0 : nil } },
            write: { Quantity.duration($0) })
    }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var choice: Self {
        .scalar(
            "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "), parse: { Value(rawValue: $0) },
            write: { $0.rawValue })
    }
}

extension String {
    /// Without spaces and line ends at both ends.
    var trimmed: String {
        let blank: (Character) -> Bool = { $0.isWhitespace }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
