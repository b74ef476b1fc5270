import Log
import Synchronization
import Testing

@Suite("Log", .serialized)
struct LogTests {
    /// What the sink got, in a box that the sink may share.
    private final class Lines: Sendable {
        let lines = Mutex<[String]>([])
    }

    @Test("entries below the threshold are dropped, and secrets are ***")
    func entries() {
        let written = Lines()
        LogOutput.install(threshold: .info) { entry in
            let fields = entry.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            if entry.label == "log-test" {
                written.lines.withLock { $0.append("\(entry.level) \(entry.message) \(fields)") }
            }
        }
        let log = Logger("log-test")
        log.debug("not shown")
        log.info("opened", ["port": 1935, "key": Secret("hunter2")])
        log.warning("slow")
        log.error("closed", ["cause": "timeout"])
        LogOutput.install(threshold: .error) { _ in }
        log.warning("no sink takes it")
        #expect(
            written.lines.withLock { $0 } == [
                "info opened port=1935 key=***", "warning slow ", "error closed cause=timeout",
            ])
    }

    @Test("what is written for a request carries its id, in the tasks that it calls too")
    func context() async {
        let written = Lines()
        LogOutput.install(threshold: .info) { entry in
            guard entry.label == "log-context" else { return }
            let fields = entry.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            written.lines.withLock { $0.append("\(entry.message) \(fields)") }
        }
        let log = Logger("log-context")
        log.info("before")
        await LogContext.$request.withValue("RQ_1") {
            log.info("in", ["a": 1])
            await withTaskGroup { group in group.addTask { log.info("below") } }
        }
        log.info("after")
        LogOutput.install(threshold: .error) { _ in }
        #expect(written.lines.withLock { $0 } == ["before ", "in a=1 request=RQ_1", "below request=RQ_1", "after "])
    }

    @Test("a secret shows itself in no description, dump or interpolation")
    func secret() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped, "\([secret])"] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.reveal() == "hunter2")
        #expect(secret == Secret("hunter2") && secret != Secret("hunter3"))
    }

    @Test("levels are ordered")
    func levels() { #expect(LogEntry.Level.allCases == LogEntry.Level.allCases.sorted()) }
}
