/// Why a YAML text was refused. *Refuse to start*: whoever wrote the text mends it; nothing of it is used.
public struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Cause: Equatable, Sendable {
        /// Not YAML; in the words of libyaml.
        case syntax(String)
        case duplicateKey(String, firstLine: Int)
        /// A mapping's key that is a list or a mapping.
        case keyNotScalar
        /// Anchors and aliases let a small text stand for a huge tree; configuration does not need them.
        case alias
        case secondDocument
        case tooLarge(bytes: Int, limit: Int)
        case tooDeep(limit: Int)
        case tooManyNodes(limit: Int)
    }

    public var cause: Cause
    /// Counted from 1.
    public var line: Int
    public var column: Int

    /// The cause in words, without its place.
    public var message: String {
        switch cause {
        case .syntax(let words): words
        case .duplicateKey(let key, let firstLine):
            "the key `\(key)` stands here a second time; first in line \(firstLine)"
        case .keyNotScalar: "a key must be plain text"
        case .alias: "anchors (&) and aliases (*) are not supported: write the value out"
        case .secondDocument: "a second document (---) begins here; one file holds one document"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes; at most \(limit) are read"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .tooManyNodes(let limit): "more than \(limit) values"
        }
    }

    public var description: String { "line \(line), column \(column): \(message)" }
}
