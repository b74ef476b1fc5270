import FoundationEssentials
import Work

@main
struct Main {
    static func main() {
        WorkerProgram.run(arguments: CommandLine.arguments, environment: ProcessInfo.processInfo.environment)
    }
}
