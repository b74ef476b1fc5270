import Config
import Testing

@testable import CommandLineTool

@Suite("Command line")
struct ToolTests {
    @Test("serve is handed to the program with its options")
    func serve() {
        let outcome = Tool.run(arguments: ["serve", "--dev", "--config=a.yaml", "--host", "::1"], environment: [:])
        let source = ConfigurationSource(file: "a.yaml", environment: [:], isDev: true, host: "::1")
        #expect(outcome == .serve(ServeOptions(source: source)))
    }

    static let misuses: [(words: [String], message: String)] = [
        (["recrod", "demo"], "unknown command `recrod`; did you mean `record`?"),
        (["ingress"], "`ingress` needs a verb: create, list, show, delete"),
        (["ingress", "lsit"], "`ingress lsit` is no command: create, list, show, delete; did you mean `list`?"),
        (["record"], "ROOM is missing"),
        (["record", "a", "b"], "`b` is one word too many"),
        (["record", "a", "--fro", "3s"], "unknown option --fro; did you mean --for?"),
        (["record", "a", "--for"], "--for needs a value: --for TIME"),
        (["record", "a", "--for", "3"], "--for needs a time as 30s, 5m or 2h, and got `3`"),
        (["record", "a", "--push", "http://x"], "--push needs an rtmp:// or rtmps:// URL"),
        (["serve", "--dev=yes"], "--dev takes no value"),
        (["ingress", "create"], "--room ROOM is missing"),
        (["jobs", "--limit", "0"], "--limit must be a number from 1 to 10000"),
    ]

    @Test("what is misused says how it is meant, and exits with 2", arguments: misuses)
    func misuse(words: [String], message: String) {
        var error: CommandError?
        do throws(CommandError) {
            let (command, rest) = try CommandSpec.find(words)
            let arguments = try Arguments(parsing: rest, for: command)
            _ = try command.run(Invocation(arguments: arguments, environment: [:]))
        } catch {
            #expect(error.message == message)
            #expect(error.exitCode == 2)
            #expect(error.remedy?.hasSuffix("--help`.") == true)
            return
        }
        error = nil
        Issue.record("\(words) was taken, \(String(describing: error))")
    }

    @Test("every command has a help that names all its options", arguments: CommandSpec.all.map(\.name))
    func help(name: String) throws {
        let command = try #require(CommandSpec.all.first { $0.name == name })
        let text = Help.text(for: command)
        #expect(text.contains("Usage: sluice \(name)"))
        for option in command.options { #expect(text.contains(option.name)) }
        #expect(Help.overview().contains(command.summary))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
        #expect(
            Tool.run(arguments: name.split(separator: " ").map(String.init) + ["--help"], environment: [:]) == .exit(0))
    }

    @Test("words after -- are no options")
    func doubleDash() throws {
        let (command, rest) = try CommandSpec.find(["record", "--out", "f.mp4", "--", "--odd-room"])
        let arguments = try Arguments(parsing: rest, for: command)
        #expect(arguments.rest == ["--odd-room"])
        #expect(arguments.value("--out") == "f.mp4")
    }

    @Test("columns are aligned")
    func table() {
        let text = Output.table(["ID", "STATE"], [["IN_1", "publishing"], ["IN_22", "-"]])
        #expect(text == "ID     STATE\nIN_1   publishing\nIN_22  -")
    }

    @Test("the pipelines and the configuration are checked without a gateway")
    func offline() {
        let tree = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let files = ["record-mp4", "push-rtmp", "record-and-push"].map { "\(tree)/pipelines/\($0).yaml" }
        #expect(Tool.run(arguments: ["pipelines", "check"] + files, environment: [:]) == .exit(0))
        #expect(Tool.run(arguments: ["pipelines", "check", "no-such.yaml"], environment: [:]) == .exit(1))
        #expect(Tool.run(arguments: ["config", "print"], environment: [:]) == .exit(0))
        #expect(Tool.run(arguments: ["config", "check"], environment: [:]) == .exit(1))
        #expect(Tool.run(arguments: ["config", "check", "no-such.yaml"], environment: [:]) == .exit(1))
        #expect(Tool.run(arguments: ["--version"], environment: [:]) == .exit(0))
        #expect(Tool.run(arguments: [], environment: [:]) == .exit(2))
    }

    @Test("a gateway that is not there is named, with what to do")
    func noGateway() {
        let arguments = ["jobs", "--url", "http://127.0.0.1:1"]
        #expect(Tool.run(arguments: arguments, environment: [:]) == .exit(1))
    }
}
