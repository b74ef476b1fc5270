import Glibc

import Timing

/// The process's terminal: standard output and error, and how wide they are.
public enum Terminal {
    /// Writes to standard output. A closed pipe is not an error: nobody reads any more.
    public static func write(_ text: String) { write(text, to: 1) }

    /// Writes to standard error: progress, warnings, errors.
    public static func writeError(_ text: String) { write(text, to: 2) }

    /// Whether a person looks at standard error.
    public static var isInteractive: Bool { isatty(2) == 1 }

    /// Columns of standard error's terminal; 80 when it is none.
    public static var width: Int {
        var size = winsize()
        guard unsafe ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20 else { return 80 }
        return Int(size.ws_col)
    }

    /// Waits, or returns early when a watched signal comes.
    public static func pause(_ duration: Duration) {
        let nanoseconds = max(0, duration.nanoseconds)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        unsafe nanosleep(&time, nil)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                return
            }
            done += count
        }
    }
}
