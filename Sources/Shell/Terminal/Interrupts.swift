import Glibc
import Synchronization

/// Ctrl-C and SIGTERM, counted instead of ending the process once they are watched; and SIGHUP.
public enum Interrupts {
    private static let counter = Atomic<Int>(0)
    private static let hangUpCounter = Atomic<Int>(0)

    /// From here on SIGHUP only counts: it asks a gateway to read its configuration again.
    public static func watchHangUps() {
        _ = hangUps
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in
            Interrupts.hangUpCounter.wrappingAdd(1, ordering: .relaxed)
        }
        unsafe sigaction(SIGHUP, &action, nil)
    }

    /// How many SIGHUP came since they are watched.
    public static var hangUps: Int { hangUpCounter.load(ordering: .relaxed) }

    /// From here on the two signals only count.
    public static func watch() {
        _ = count  // makes the counter, so that the handler finds it
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in Interrupts.counter.wrappingAdd(1, ordering: .relaxed) }
        for signal in [SIGINT, SIGTERM] { unsafe sigaction(signal, &action, nil) }
    }

    /// How many came since they are watched.
    public static var count: Int { counter.load(ordering: .relaxed) }
}
