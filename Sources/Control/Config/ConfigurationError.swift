/// Why a configuration was refused: everything that is wrong with it at once. *Refuse to start*; on a reload nothing changes.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public var problems: [ConfigurationProblem]

    public init(problems: [ConfigurationProblem]) { self.problems = problems }

    /// One problem a line.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One thing that is wrong, where, and what to do.
public struct ConfigurationProblem: Equatable, Sendable, CustomStringConvertible {
    public enum Place: Equatable, Sendable {
        case file(String, line: Int, column: Int)
        /// An environment variable.
        case variable(String)
        case commandLine
        /// Of the whole: no key, for example.
        case whole
    }

    public var place: Place
    /// The dotted key, as `http.port`; empty when the text itself is wrong.
    public var key: String
    public var message: String

    public var description: String {
        let start =
            switch place {
            case .file(let name, let line, let column): "\(name):\(line):\(column): "
            case .variable(let name): "\(name): "
            case .commandLine, .whole: ""
            }
        return start + (key.isEmpty ? message : "\(key): \(message)")
    }
}
