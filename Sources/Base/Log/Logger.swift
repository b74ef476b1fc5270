import Synchronization

/// One line of the log: what happened, and the facts as fields.
public struct LogEntry: Sendable {
    public enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, warning, error

        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }
    }

    public let level: Level
    /// The part that speaks, as `rtmp` or `egress`.
    public let label: String
    public let message: String
    public let fields: [(name: String, value: String)]

    public init(level: Level, label: String, message: String, fields: [(name: String, value: String)] = []) {
        self.level = level
        self.label = label
        self.message = message
        self.fields = fields
    }
}

/// Where log entries go. A program installs its sink once, at start; without one they are dropped.
public enum LogOutput {
    private struct State {
        var threshold = LogEntry.Level.info
        var sink: (@Sendable (LogEntry) -> Void)?
    }

    private static let state = Mutex(State())

    public static func install(threshold: LogEntry.Level, _ sink: @escaping @Sendable (LogEntry) -> Void) {
        state.withLock { $0 = State(threshold: threshold, sink: sink) }
    }

    /// The lowest level that is written.
    public static var threshold: LogEntry.Level { state.withLock { $0.threshold } }

    /// Writes an entry that was made elsewhere: a worker's.
    public static func write(_ entry: LogEntry) { sink(for: entry.level)?(entry) }

    static func sink(for level: LogEntry.Level) -> (@Sendable (LogEntry) -> Void)? {
        state.withLock { $0.threshold <= level ? $0.sink : nil }
    }
}

/// Writes log entries under one label. Values of type ``Secret`` print as `***`.
public struct Logger: Sendable {
    public let label: String

    public init(_ label: String) { self.label = label }

    public func debug(_ message: String, _ fields: KeyValuePairs<String, any CustomStringConvertible> = [:]) {
        write(.debug, message, fields)
    }

    public func info(_ message: String, _ fields: KeyValuePairs<String, any CustomStringConvertible> = [:]) {
        write(.info, message, fields)
    }

    public func warning(_ message: String, _ fields: KeyValuePairs<String, any CustomStringConvertible> = [:]) {
        write(.warning, message, fields)
    }

    public func error(_ message: String, _ fields: KeyValuePairs<String, any CustomStringConvertible> = [:]) {
        write(.error, message, fields)
    }

    private func write(
        _ level: LogEntry.Level, _ message: String, _ fields: KeyValuePairs<String, any CustomStringConvertible>
    ) {
        guard let sink = LogOutput.sink(for: level) else { return }
        var named = fields.map { (name: $0.key, value: $0.value.description) }
        if let request = LogContext.request { named.append((name: "request", value: request)) }
        sink(LogEntry(level: level, label: label, message: message, fields: named))
    }
}
