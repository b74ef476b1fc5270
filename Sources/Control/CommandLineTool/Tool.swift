public import Config
import Service

/// The command line of `sluice`: everything but running the gateway, which the program wires.
public enum Tool {
    public static let version = Build.version

    /// What `main` does with the arguments.
    public enum Outcome: Equatable, Sendable {
        /// Run the gateway.
        case serve(ServeOptions)
        /// Done: leave with this code (0 done, 1 failed, 2 misused).
        case exit(Int32)
    }

    /// Runs the command that `arguments` (without the program's name) ask for, unless it is `serve`.
    public static func run(arguments: [String], environment: [String: String]) -> Outcome {
        do throws(CommandError) {
            return try dispatch(arguments, environment)
        } catch {
            Output.error(error)
            return .exit(error.exitCode)
        }
    }

    private static func dispatch(_ arguments: [String], _ environment: [String: String]) throws(CommandError) -> Outcome
    {
        guard let first = arguments.first else {
            Output.line(Help.overview())
            return .exit(2)
        }
        switch first {
        case "--help", "-h", "help":
            Output.line(try Help.text(for: Array(arguments.dropFirst())))
            return .exit(0)
        case "--version", "version":
            Output.line("sluice \(version)")
            return .exit(0)
        case _ where arguments.count == 2 && arguments[1] == "--help" && !CommandSpec.group(first).isEmpty:
            Output.line(Help.text(forGroup: first))
            return .exit(0)
        default:
            let (command, rest) = try CommandSpec.find(arguments)
            if rest.contains("--help") || rest.contains("-h") {
                Output.line(Help.text(for: command))
                return .exit(0)
            }
            let parsed = try Arguments(parsing: rest, for: command)
            return try command.run(Invocation(arguments: parsed, environment: environment))
        }
    }
}

/// What `sluice serve` was asked for. ``ConfigurationSource/load()`` gives the configuration, again on SIGHUP.
public struct ServeOptions: Equatable, Sendable {
    public var source: ConfigurationSource
}

/// One call of one command.
struct Invocation {
    let arguments: Arguments
    let environment: [String: String]

    /// A variable that is set and not empty.
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
}
