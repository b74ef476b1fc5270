import Config

/// One option of a command.
struct OptionSpec: Sendable {
    /// As `--out`.
    let name: String
    /// As `-o`.
    var short: String?
    /// What follows it, as `FILE`; `nil` for a flag.
    var value: String?
    let help: String

    init(_ name: String, short: String? = nil, _ value: String? = nil, _ help: String) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
    }
}

/// The words of one call, sorted into options and the rest.
struct Arguments: Equatable {
    private var options: [String: [String]] = [:]
    private(set) var rest: [String] = []

    /// - Throws: ``CommandError/misused(_:command:)`` for an option that the command does not have.
    init(parsing words: [String], for command: CommandSpec) throws(CommandError) {
        var words = words[...]
        while let word = words.popFirst() {
            guard word.hasPrefix("-"), word != "-" else {
                rest.append(word)
                continue
            }
            if word == "--" {
                rest += words
                break
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let option = try Self.option(parts[0], of: command)
            if option.value == nil {
                guard parts.count == 1 else { throw .misused("\(option.name) takes no value", command: command.name) }
                options[option.name, default: []].append("")
            } else if parts.count == 2 {
                options[option.name, default: []].append(parts[1])
            } else if let value = words.popFirst() {
                options[option.name, default: []].append(value)
            } else {
                throw .misused(
                    "\(option.name) needs a value: \(option.name) \(option.value ?? "")", command: command.name)
            }
        }
        guard command.operands.contains(rest.count) else {
            let missing = rest.count < command.operands.lowerBound
            let words = missing ? "\(command.usage) is missing" : "`\(rest.last ?? "")` is one word too many"
            throw .misused(words, command: command.name)
        }
    }

    func has(_ option: String) -> Bool { options[option] != nil }

    /// The last value given for an option that may be repeated by mistake.
    func value(_ option: String) -> String? { options[option]?.last }

    func values(_ option: String) -> [String] { options[option] ?? [] }

    private static func option(_ name: String, of command: CommandSpec) throws(CommandError) -> OptionSpec {
        if let option = command.options.first(where: { $0.name == name || $0.short == name }) { return option }
        let near = Suggestion.name(to: name, among: command.options.map(\.name))
        let hint = near.map { "; did you mean \($0)?" } ?? ""
        throw .misused("unknown option \(name)\(hint)", command: command.name)
    }
}
