import CommandLineTool
import FoundationEssentials
import Glibc

@main
struct Main {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch Tool.run(arguments: arguments, environment: ProcessInfo.processInfo.environment) {
        case .exit(let code): exit(code)
        case .serve(let options): exit(await Serve.run(options))
        }
    }
}
