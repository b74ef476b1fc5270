import Config

/// `sluice serve`: only its words are read here; the program runs the gateway.
enum ServeCommand {
    static let spec = CommandSpec(
        name: "serve", summary: "Run the gateway.",
        details: [
            "Without --config every key has its default; `sluice config print` shows them all. SIGTERM and Ctrl-C refuse new",
            "work, wait for running egress (shutdown.wait), seal what still runs, and end.",
        ],
        options: [
            OptionSpec("--config", "FILE", "the configuration (SLUICE_CONFIG)"),
            OptionSpec("--dev", nil, "to try it: key devkey, secret secret, every listener on 127.0.0.1 only"),
            OptionSpec("--host", "ADDRESS", "listen on this address, for HTTP and RTMP"),
        ]
    ) { invocation throws(CommandError) in
        let arguments = invocation.arguments
        let source = ConfigurationSource(
            file: arguments.value("--config"), environment: invocation.environment, isDev: arguments.has("--dev"),
            host: arguments.value("--host"))
        return .serve(ServeOptions(source: source))
    }
}
