/// One value of a YAML document and where it stands, so that an error about it can name the line.
public struct YAMLNode: Equatable, Sendable {
    public enum Value: Equatable, Sendable {
        /// `isPlain`: written without quotes, so `yes`, `12` or `null` may mean more than text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the document; keys are unique.
        case mapping([YAMLEntry])
    }

    public var value: Value
    /// Counted from 1.
    public var line: Int
    /// Counted from 1.
    public var column: Int

    public init(_ value: Value, line: Int, column: Int) {
        self.value = value
        self.line = line
        self.column = column
    }
}

/// One key of a mapping with its value.
public struct YAMLEntry: Equatable, Sendable {
    public var key: String
    public var line: Int
    public var column: Int
    public var value: YAMLNode
}

/// What a plain scalar means in the core schema (YAML 1.2.2 section 10.3.2). Quoted scalars are text.
public enum YAMLScalar: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
}

extension YAMLNode {
    /// The scalar by the core schema, or `nil` for a sequence or a mapping.
    public var scalar: YAMLScalar? {
        guard case .scalar(let text, let isPlain) = value else { return nil }
        return isPlain ? YAMLScalar(plain: text) : .text(text)
    }

    /// The text of a scalar as it was written, whatever it means.
    public var text: String? {
        if case .scalar(let text, _) = value { text } else { nil }
    }

    /// The items of a sequence.
    public var items: [YAMLNode]? {
        if case .sequence(let items) = value { items } else { nil }
    }

    /// The entries of a mapping.
    public var entries: [YAMLEntry]? {
        if case .mapping(let entries) = value { entries } else { nil }
    }

    public var isNull: Bool { scalar == .null }

    /// The value of `key`, when this is a mapping that has it.
    public subscript(key: String) -> YAMLNode? {
        entries?.first { $0.key == key }?.value
    }
}

extension YAMLScalar {
    init(plain text: String) {
        switch text {
        case "", "~", "null", "Null", "NULL": self = .null
        case "true", "True", "TRUE": self = .bool(true)
        case "false", "False", "FALSE": self = .bool(false)
        default:
            if let integer = Self.integer(text) {
                self = .integer(integer)
            } else if let number = Self.number(text) {
                self = .number(number)
            } else {
                self = .text(text)
            }
        }
    }

    private static func integer(_ text: String) -> Int64? {
        if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8) }
        return Int64(text)
    }

    /// Only what begins like a number: `Double` would also take `infinity` and `nan`.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
        guard text.utf8.contains(where: { (0x30...0x39).contains($0) }) else { return nil }
        return Double(text)
    }
}
