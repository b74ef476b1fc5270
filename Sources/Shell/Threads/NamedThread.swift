import CLinux
import Glibc

/// Starts threads of the system, for work that waits in a call: a loop's poll, `fdatasync`, a library's sockets.
public enum NamedThread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Runs `body` on a new thread called `name` (15 bytes at most), which ends with it.
    public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe clinux_name_thread(start.name)
                start.body()
                return nil
            }, Unmanaged.passRetained(Start(name, body)).toOpaque())
        precondition(code == 0, "no thread called \(name): error \(code)")
        pthread_detach(thread)
    }
}
