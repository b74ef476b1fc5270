import FoundationEssentials
import LinkTransport
import Log

/// The worker as a program: its name is the only argument, the link is an inherited descriptor.
///
/// It ends with 0 when all is sealed: after the link's `shutdown`, after SIGTERM, and when the gateway is gone. Its log is
/// JSON, a line an entry, on stderr, which the gateway reads.
public enum WorkerProgram {
    public static func run(arguments: [String], environment: [String: String]) -> Never {
        if arguments.count == 3, arguments[1] == "export" { WorkerProcessSetup.end(ExportProgram.run(arguments[2])) }
        guard arguments.count == 2 else {
            WorkerProcessSetup.writeLogLine("usage: sluice-worker NAME (started by sluice; the link is descriptor 3)")
            WorkerProcessSetup.end(2)
        }
        WorkerProcessSetup.prepareSignals()
        let level = environment["SLUICE_LOG_LEVEL"].flatMap { LogEntry.Level(rawValue: $0) }
        LogOutput.install(threshold: level ?? .info) { WorkerProcessSetup.writeLogLine(line(of: $0)) }
        let options = WorkerOptions(
            name: arguments[1],
            linkDescriptor: environment["SLUICE_LINK_DESCRIPTOR"].flatMap { Int32($0) } ?? 3,
            flightMark: environment["SLUICE_FLIGHT_MARK"],
            diskReserve: environment["SLUICE_DISK_RESERVE"].flatMap { Int64($0) })
        let worker = WorkerHandle(options) { WorkerProcessSetup.end(0) }
        while true {
            WorkerProcessSetup.waitForTermination()
            worker.shutDown()
        }
    }

    private struct Line: Encodable {
        var level: String
        var label: String
        var message: String
        var fields: [String: String]
    }

    static func line(of entry: LogEntry) -> String {
        let fields = Dictionary(entry.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let line = Line(level: entry.level.rawValue, label: entry.label, message: entry.message, fields: fields)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? entry.message
    }
}
