import Config
import FoundationEssentials
import Log
import MediaLoop
import Service
import Terminal

/// Writes the log to standard error: text for a person at a terminal, else one JSON object a line.
enum LogLines {
    private struct Line: Encodable {
        var time: String
        var level: String
        var label: String
        var message: String
        var fields: [String: String]
    }

    static func install(_ configuration: Config.Configuration.Log) {
        let asText: Bool =
            switch configuration.format {
            case .text: true
            case .json: false
            case .auto: Terminal.isInteractive
            }
        LogOutput.install(threshold: configuration.level) { entry in
            Terminal.writeError((asText ? text(entry) : json(entry)) + "\n")
        }
    }

    private static func text(_ entry: LogEntry) -> String {
        let time = Timestamp(Clocks.wall()).description.dropFirst(11).dropLast()
        let mark = entry.level == .info ? "" : entry.level.rawValue.uppercased() + " "
        let fields = entry.fields.map { " \($0.name)=\(quoted($0.value))" }.joined()
        return "\(time) \(mark)\(entry.label): \(oneLine(entry.message))\(fields)"
    }

    private static func json(_ entry: LogEntry) -> String {
        let fields = Dictionary(entry.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let line = Line(
            time: Timestamp(Clocks.wall()).description, level: entry.level.rawValue, label: entry.label,
            message: entry.message, fields: fields)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? entry.message
    }

    /// Values come from strangers too: nothing in them may begin a line or move a cursor.
    private static func quoted(_ value: String) -> String {
        value.isEmpty || value.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" || $0.isNewline })
            ? "\"\(oneLine(value))\"" : oneLine(value)
    }

    private static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
    }
}
