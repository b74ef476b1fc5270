import Config

/// `sluice config check|print`.
enum ConfigCommands {
    private static let options = [OptionSpec("--config", "FILE", "the configuration (SLUICE_CONFIG)")]

    static let specs = [
        CommandSpec(
            name: "config check", usage: "[FILE]", operands: 0...1,
            summary: "Say whether a gateway would start on this configuration.", options: options
        ) { invocation throws(CommandError) in
            let source = source(invocation)
            let loaded = try CommandError.wrapping { () throws(ConfigurationError) in try source.load() }
            warn(loaded)
            Output.line("\(source.file ?? "the defaults and the environment"): ok")
            return .exit(0)
        },
        CommandSpec(
            name: "config print", usage: "[FILE]", operands: 0...1,
            summary: "Print the full configuration in effect, commented; secrets as ***.",
            details: ["`sluice config print > sluice.yaml` without a file is a good start for one."], options: options
        ) { invocation throws(CommandError) in
            let source = source(invocation)
            let loaded = try CommandError.wrapping { () throws(ConfigurationError) in try source.preview() }
            warn(loaded)
            Output.text(loaded.configuration.commentedYAML())
            return .exit(0)
        },
    ]

    private static func source(_ invocation: Invocation) -> ConfigurationSource {
        let file = invocation.arguments.rest.first ?? invocation.arguments.value("--config")
        return ConfigurationSource(file: file, environment: invocation.environment)
    }

    private static func warn(_ loaded: LoadedConfiguration) {
        for warning in loaded.warnings { Output.warning(warning, remedy: nil) }
    }
}
