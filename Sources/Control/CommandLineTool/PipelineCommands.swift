import Config

/// `sluice pipelines check|list`.
enum PipelineCommands {
    private static let options = [
        OptionSpec("--config", "FILE", "the configuration, for its `pipelines:` (SLUICE_CONFIG)")
    ]

    static let specs = [
        CommandSpec(
            name: "pipelines list", summary: "List the pipelines that a request may name.", options: options
        ) { invocation throws(CommandError) in
            let folder = try folder(invocation)
            let pipelines = try CommandError.wrapping { () throws(ConfigurationError) in try folder.load() }
            let rows = pipelines.map { [$0.name, $0.outputs.map(words).joined(separator: ", "), $0.title] }
            Output.line(Output.table(["NAME", "OUTPUTS", "TITLE"], rows))
            return .exit(0)
        },
        CommandSpec(
            name: "pipelines check", usage: "[FILE…]", operands: 0...1000,
            summary: "Check pipeline files; without a name, all of the folder.", options: options
        ) { invocation throws(CommandError) in
            let files = invocation.arguments.rest
            if files.isEmpty {
                let folder = try folder(invocation)
                let pipelines = try CommandError.wrapping { () throws(ConfigurationError) in try folder.load() }
                Output.line("\(pipelines.count) pipelines in \(folder.path): ok")
                return .exit(0)
            }
            var problems: [ConfigurationProblem] = []
            for file in files {
                do throws(ConfigurationError) {
                    _ = try PipelineFolder.load(file: file)
                    Output.line("\(file): ok")
                } catch {
                    problems += error.problems
                }
            }
            if problems.isEmpty { return .exit(0) }
            throw .failed(ConfigurationError(problems: problems).description, remedy: nil)
        },
    ]

    private static func folder(_ invocation: Invocation) throws(CommandError) -> PipelineFolder {
        let configuration = try Credentials.configuration(invocation) ?? Configuration()
        guard let folder = PipelineFolder(of: configuration) else {
            throw .failed(
                "no folder of pipelines beside this program",
                remedy: "Name one with `pipelines:` in the configuration, or put it beside the program.")
        }
        return folder
    }

    private static func words(_ output: Pipeline.Output) -> String {
        switch output.target {
        case .mp4: "\(output.id) (mp4)"
        case .rtmp: "\(output.id) (rtmp)"
        }
    }
}
