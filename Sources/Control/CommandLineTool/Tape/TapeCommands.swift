import Config
import Feed
import JSON
import Storage
import Timing

/// `sluice tape info|verify|cut|plot|export FILE`: they work on a file, without a gateway.
enum TapeCommands {
    static let specs = [info, verify, export, cut, plot]

    private static let info = CommandSpec(
        name: "tape info", usage: "FILE", operands: 1...1, summary: "Tell who and what is on a tape, and its gaps.",
        options: [OptionSpec("--json", nil, "print it as JSON")]
    ) { invocation throws(CommandError) in
        let info = try TapeInfo(path: invocation.arguments.rest[0])
        Output.line(invocation.arguments.has("--json") ? info.json.text : info.text)
        return .exit(0)
    }

    private static let verify = CommandSpec(
        name: "tape verify", usage: "FILE", operands: 1...1,
        summary: "Read all of a tape, and name each place that is damaged.",
        details: ["Exit code 0: every byte is good. 1: something is damaged or missing; the rest can be exported."],
        options: [OptionSpec("--json", nil, "print it as JSON")]
    ) { invocation throws(CommandError) in
        let check = try TapeCheck(path: invocation.arguments.rest[0])
        Output.line(invocation.arguments.has("--json") ? check.json.text : check.text)
        return .exit(check.isGood ? 0 : 1)
    }

    private static let export = CommandSpec(
        name: "tape export", usage: "FILE", operands: 1...1,
        summary: "Make files that play from a tape, MP4 or Matroska, without transcoding.",
        details: [
            "All tracks in one file, or each in its own. -o may be a file (film.mp4, film.mkv) or a folder.",
            "What is damaged is named and left out. Times are the room's: separate tracks tell when they begin.",
        ],
        options: [
            OptionSpec("--out", short: "-o", "PATH", "the file or the folder to make (needed)"),
            OptionSpec("--format", "FORMAT", "mp4 or mkv; else by the name of -o, else mp4"),
            OptionSpec("--per-track", nil, "each track in a file of its own, in the folder of -o"),
            OptionSpec("--track", "ID", "only this track (TR_…); may be repeated"),
        ]
    ) { invocation throws(CommandError) in
        var exporting = try TapeExporting(invocation.arguments)
        return .exit(try exporting.run())
    }

    private static let cut = CommandSpec(
        name: "tape cut", usage: "FILE", operands: 1...1,
        summary: "Make a shorter tape of a part, from a key frame on.",
        details: ["Times count from the first media of the tape: 90, 1m30s or 0:01:30.5."],
        options: [
            OptionSpec("--from", "TIME", "begin here, at the key frame before it"),
            OptionSpec("--to", "TIME", "end here"),
            OptionSpec("--out", short: "-o", "FILE", "the tape to make (needed)"),
        ]
    ) { invocation throws(CommandError) in
        let arguments = invocation.arguments
        let cut = TapeCut(
            path: arguments.rest[0], out: try out(arguments, of: "tape cut"),
            from: try seconds("--from", arguments, of: "tape cut"), to: try seconds("--to", arguments, of: "tape cut"))
        try cut.run()
        return .exit(0)
    }

    private static let plot = CommandSpec(
        name: "tape plot", usage: "FILE", operands: 1...1,
        summary: "Draw a time line of a tape as SVG: who was there, bitrates, gaps, losses, named places.",
        options: [OptionSpec("--out", short: "-o", "FILE", "the SVG to make (needed)")]
    ) { invocation throws(CommandError) in
        let path = try out(invocation.arguments, of: "tape plot")
        let line = try TapeTimeline(path: invocation.arguments.rest[0])
        try OutputFile.write(Array(TapePlot(line).svg.utf8), to: path)
        Output.line("Drawn  \(path)")
        return .exit(0)
    }

    static func out(_ arguments: Arguments, of command: String) throws(CommandError) -> String {
        guard let path = arguments.value("--out"), !path.isEmpty else {
            throw .misused("-o is missing", command: command)
        }
        return path
    }

    private static func seconds(
        _ option: String, _ arguments: Arguments, of command: String
    ) throws(CommandError) -> Double? {
        guard let text = arguments.value(option) else { return nil }
        if let seconds = TapeTime.seconds(parsing: text) { return seconds }
        throw .misused("\(option) \(text) is no time: 90, 1m30s or 0:01:30.5", command: command)
    }
}

extension CommandError {
    init(_ error: TapeFileError) { self = .failed(error.message, remedy: error.remedy) }
}

/// Places on a tape, in seconds from its first media.
enum TapeTime {
    /// Reads `90`, `12.5`, `1m30s`, `1:30`, `0:01:30.5`.
    static func seconds(parsing text: String) -> Double? {
        if let seconds = number(text) { return seconds }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return Quantity.duration(parsing: text)?.inSeconds }
        var total = 0.0
        for part in parts {
            guard let value = number(String(part)) else { return nil }
            total = total * 60 + value
        }
        return total
    }

    /// As `0:01:30.5`, with as many digits as it needs.
    static func text(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "?" }
        let tenths = Int((abs(seconds) * 10).rounded())
        let (minutes, rest) = (tenths / 600, tenths % 600)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let clock = minutes < 60 ? "\(minutes):" : "\(minutes / 60):\(two(minutes % 60)):"
        return (seconds < 0 && tenths > 0 ? "-" : "") + clock + two(rest / 10) + ".\(rest % 10)"
    }

    private static func number(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2E }), let value = Double(text),
            value < 1e9
        else { return nil }
        return value
    }
}

/// A file that a command makes; one that is there is left alone.
enum OutputFile {
    static func requireFree(_ path: String) throws(CommandError) {
        guard FileFacts(path: path) == nil else {
            throw .failed("\(path) exists already", remedy: "Name another place with -o, or move it away.")
        }
    }

    /// The folder of `path`, and its last name.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    static func create(_ path: String) throws(CommandError) -> LocalFile {
        try requireFree(path)
        let (folder, name) = split(path)
        do throws(StorageError) {
            return try StorageRoot(folder).create(name, pool: SyncPool(threads: 1))
        } catch {
            throw .failed(error.message, remedy: nil)
        }
    }

    static func write(_ bytes: [UInt8], to path: String) throws(CommandError) {
        let file = try create(path)
        try append(bytes, to: file)
    }

    static func append(_ bytes: [UInt8], to file: LocalFile) throws(CommandError) {
        do throws(StorageError) {
            try file.append(bytes.span)
        } catch {
            throw .failed(error.message, remedy: nil)
        }
    }
}
