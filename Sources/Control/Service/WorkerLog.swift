import FoundationEssentials
import Log

/// A worker's log, which comes as JSON lines on its standard error, in the gateway's own.
enum WorkerLog {
    private struct Line: Decodable {
        var level: String
        var label: String
        var message: String
        var fields: [String: String]
    }

    static func write(_ text: String, of worker: String) {
        guard let line = try? JSONDecoder().decode(Line.self, from: Data(text.utf8)) else {
            // What a runtime or a library says on its way down; the frames of a stack are for those who ask for debug.
            return LogOutput.write(
                LogEntry(
                    level: text.contains("Fatal error") ? .error : .debug, label: "worker", message: text,
                    fields: [(name: "worker", value: worker)]))
        }
        let fields = line.fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        LogOutput.write(
            LogEntry(
                level: LogEntry.Level(rawValue: line.level) ?? .info, label: line.label, message: line.message,
                fields: fields + [(name: "worker", value: worker)]))
    }
}
