/// The texts of `--help`, made from the table of commands.
enum Help {
    static func overview() -> String {
        """
        sluice \(Tool.version): a media gateway. Streams go into rooms; recordings and pushes come out.

        Usage: sluice COMMAND [OPTIONS]

        \(list(CommandSpec.all))

        `sluice COMMAND --help` tells more. Exit code: 0 done, 1 failed, 2 misused.

        To try it:  sluice serve --dev
                    sluice ingress create --room demo
                    sluice record demo -o demo.mp4 --for 30s
        """
    }

    /// The help of `sluice help WORDS` and of `sluice GROUP --help`.
    static func text(for words: [String]) throws(CommandError) -> String {
        guard let first = words.first else { return overview() }
        if words.count == 1, !CommandSpec.group(first).isEmpty { return text(forGroup: first) }
        return text(for: try CommandSpec.find(words).0)
    }

    static func text(forGroup name: String) -> String {
        "Usage: sluice \(name) VERB [OPTIONS]\n\n\(list(CommandSpec.group(name)))\n\n`sluice \(name) VERB --help` tells more."
    }

    private static func list(_ commands: [CommandSpec]) -> String {
        let width = commands.map { line($0).count }.max() ?? 0
        return commands.map { "  \(Output.pad(line($0), to: width))  \($0.summary)" }.joined(separator: "\n")
    }

    static func text(for command: CommandSpec) -> String {
        var lines = [
            command.summary, "", "Usage: sluice \(line(command))\(command.options.isEmpty ? "" : " [OPTIONS]")",
        ]
        if !command.options.isEmpty {
            let heads = command.options.map(head)
            let width = heads.map(\.count).max() ?? 0
            lines += [""] + zip(heads, command.options).map { "  \(Output.pad($0, to: width))  \($1.help)" }
        }
        if !command.details.isEmpty { lines += [""] + command.details }
        return lines.joined(separator: "\n")
    }

    private static func line(_ command: CommandSpec) -> String {
        command.usage.isEmpty ? command.name : "\(command.name) \(command.usage)"
    }

    private static func head(_ option: OptionSpec) -> String {
        let names = [option.short, option.name].compactMap { $0 }.joined(separator: ", ")
        return option.value.map { "\(names) \($0)" } ?? names
    }
}
