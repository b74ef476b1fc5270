import Glibc

/// What a worker's process asks of the system, beside its link.
public enum WorkerProcessSetup {
    /// Before any thread is started: SIGINT is the gateway's to act on, a broken pipe and a limit on file size are errors
    /// of one write, and SIGTERM waits for ``waitForTermination()``.
    public static func prepareSignals() {
        for number in [SIGPIPE, SIGINT, SIGXFSZ] { signal(number, SIG_IGN) }
        var set = termination
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Returns with each SIGTERM.
    public static func waitForTermination() {
        var set = termination
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
    }

    /// One line to the log that the gateway reads, in one write.
    public static func writeLogLine(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { text in _ = unsafe write(STDERR_FILENO, text.baseAddress, text.count) }
    }

    public static func end(_ code: Int32) -> Never { exit(code) }

    private static var termination: sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        return set
    }
}
