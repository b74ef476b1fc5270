import CLinux
import Glibc
import Synchronization
import Threads

/// Ctrl-C and SIGTERM, counted instead of ending the process once they are watched; and SIGHUP.
public enum Interrupts {
    private static let counter = Atomic<Int>(0)
    private static let asks = Atomic<Int>(0)
    private static let hangUpCounter = Atomic<Int>(0)
    /// Written at each signal, so that nobody has to look again and again.
    private static let wake = eventfd(0, Int32(EFD_CLOEXEC))

    /// From here on SIGHUP only counts: it asks a gateway to read its configuration again.
    public static func watchHangUps() {
        _ = hangUps  // makes what the handler uses, so that it finds it
        _ = wake
        handle([SIGHUP]) { _ in Interrupts.came(Interrupts.hangUpCounter) }
    }

    /// How many SIGHUP came since they are watched.
    public static var hangUps: Int { hangUpCounter.load(ordering: .relaxed) }

    /// From here on the two signals only count.
    public static func watch() {
        _ = count
        _ = wake
        handle([SIGINT, SIGTERM]) { _ in Interrupts.came(Interrupts.counter) }
    }

    /// Asks for the end without a signal, as often as one likes: only signals are counted, and a second one is urgent.
    public static func ask() { came(asks) }

    /// Whether somebody asked without a signal.
    public static var isAsked: Bool { asks.load(ordering: .relaxed) > 0 }

    /// How many came since they are watched.
    public static var count: Int { counter.load(ordering: .relaxed) }

    /// An element after each signal that is watched, or after several; for one reader, to the end of the process.
    public static func changes() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            NamedThread.start("signals") {
                var number: UInt64 = 0
                while unsafe read(wake, &number, 8) == 8 || errno == EINTR { continuation.yield() }
            }
        }
    }

    private static func handle(_ signals: [Int32], _ handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = handler
        for signal in signals { unsafe sigaction(signal, &action, nil) }
    }

    /// Runs in the signal's handler: nothing but what may be called there.
    private static func came(_ counter: borrowing Atomic<Int>) {
        counter.wrappingAdd(1, ordering: .relaxed)
        var one: UInt64 = 1
        let code = errno
        unsafe write(wake, &one, 8)
        errno = code
    }
}
