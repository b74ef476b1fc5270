import Config

/// One command: its words, what follows them, and what it does.
struct CommandSpec: Sendable {
    /// As `ingress create`.
    let name: String
    /// What may follow besides options, as `ROOM`; empty for nothing.
    var usage = ""
    var operands: ClosedRange<Int> = 0...0
    /// One line.
    let summary: String
    /// Further lines for its own help.
    var details: [String] = []
    let options: [OptionSpec]
    let run: @Sendable (Invocation) throws(CommandError) -> Tool.Outcome

    static let all: [CommandSpec] =
        [ServeCommand.spec, TokenCommand.spec] + IngressCommands.specs + [
            RecordCommand.spec, JobsCommand.spec, DrainCommand.spec,
        ]
        + TapeCommands.specs + PipelineCommands.specs + StoreCommands.specs + ConfigCommands.specs

    /// The commands of two words that begin with `first`.
    static func group(_ first: String) -> [CommandSpec] { all.filter { $0.name.hasPrefix(first + " ") } }

    /// The command that begins `words`, and the words after it.
    static func find(_ words: [String]) throws(CommandError) -> (CommandSpec, rest: [String]) {
        let pair = words.prefix(2).joined(separator: " ")
        if let command = all.first(where: { $0.name == pair }) { return (command, Array(words.dropFirst(2))) }
        guard let first = words.first else { throw .misused("no command", command: nil) }
        if let command = all.first(where: { $0.name == first }) { return (command, Array(words.dropFirst(1))) }
        let group = group(first).map { String($0.name.dropFirst(first.count + 1)) }
        if !group.isEmpty {
            let asked = words.dropFirst().first { !$0.hasPrefix("-") }
            let hint = asked.flatMap { Suggestion.name(to: $0, among: group) }.map { "; did you mean `\($0)`?" } ?? ""
            let what = asked.map { "`\(first) \($0)` is no command" } ?? "`\(first)` needs a verb"
            throw .misused("\(what): \(group.joined(separator: ", "))\(hint)", command: first)
        }
        let near = Suggestion.name(to: first, among: all.map(\.name)).map { "; did you mean `\($0)`?" } ?? ""
        throw .misused("unknown command `\(first)`\(near)", command: nil)
    }
}

/// Options that all commands share which talk to a gateway.
enum GatewayOptions {
    static let all = [
        OptionSpec("--url", "URL", "the gateway (SLUICE_URL; default http://127.0.0.1:7880)"),
        OptionSpec("--token", "TOKEN", "the access token (SLUICE_TOKEN)"),
        OptionSpec("--config", "FILE", "take address and key from a gateway's configuration (SLUICE_CONFIG)"),
        OptionSpec("--json", nil, "print the gateway's answer as it is"),
    ]
}
