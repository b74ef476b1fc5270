import Assignments
import FoundationEssentials
import MediaLoop
import Storage
import Timing
import Terminal

/// What `sluice tape export` does: asks a worker for the files, shows how far it is, and tells what came.
///
/// Files are made by `sluice-worker`: this program links no codec library.
struct TapeExporting {
    private let request: ExportRequest
    private var progress = ProgressLine()
    private var told: Set<String> = []
    private var files = 0
    private let startedAt = Clocks.now()

    init(_ arguments: Arguments) throws(CommandError) {
        let out = try TapeCommands.out(arguments, of: "tape export")
        let (folder, name) = OutputFile.split(out)
        let stem = OutputFile.split(arguments.rest[0]).name
        let named = ExportRequest.Format.allCases.first { name.hasSuffix("." + $0.rawValue) }
        var format = named
        if let text = arguments.value("--format") {
            guard let wanted = ExportRequest.Format(rawValue: text) else {
                throw .misused("--format \(text) is neither mp4 nor mkv", command: "tape export")
            }
            guard named == nil || named == wanted else {
                throw .misused("-o \(name) and --format \(text) differ", command: "tape export")
            }
            format = wanted
        }
        let isFolder = named == nil
        if !isFolder, arguments.has("--per-track") {
            throw .misused("--per-track makes several files: -o is to be a folder", command: "tape export")
        }
        // A tape is named after its id; its files take that name in a folder.
        let plain = stem.hasSuffix(".tape") ? String(stem.dropLast(5)) : stem
        let fileName = named.map { String(name.dropLast($0.rawValue.count + 1)) }
        request = ExportRequest(
            tape: arguments.rest[0], folder: isFolder ? out : folder, name: fileName ?? plain, format: format ?? .mp4,
            perTrack: arguments.has("--per-track"), tracks: arguments.values("--track"))
    }

    mutating func run() throws(CommandError) -> Int32 {
        _ = try TapeReading.open(request.tape)  // its own words for a file that is not there
        guard let data = try? JSONEncoder().encode(request) else {
            throw .failed("the request cannot be written as JSON", remedy: nil)
        }
        var worker = try start(String(decoding: data, as: UTF8.self))
        while let line = worker.nextLine() {
            guard let line = try? JSONDecoder().decode(ExportLine.self, from: Data(line.utf8)) else { continue }
            try show(line)
        }
        progress.clear()
        let code = worker.wait()
        guard code == 0 else {
            throw .failed("sluice-worker ended with \(code)", remedy: "Is it of the same version? See its words above.")
        }
        if files == 0 {
            Output.warning("nothing on the tape can be shown", remedy: "`sluice tape info` tells what is on it.")
        }
        return files > 0 ? 0 : 1
    }

    private func start(_ request: String) throws(CommandError) -> ToolProcess {
        do throws(ToolError) {
            return try ToolProcess(Programs.worker, ["export", request])
        } catch {
            throw .failed(error.message, remedy: "It stands beside `sluice`: install both.")
        }
    }

    private mutating func show(_ line: ExportLine) throws(CommandError) {
        if case .progress(let pass, let passes, let done, let total) = line {
            guard Clocks.now() - startedAt >= .seconds(1) else { return }
            let fraction = (Double(pass - 1) + Double(done) / Double(max(1, total))) / Double(max(1, passes))
            let text = "exporting \(request.tape)  \(Measure.bytes(done)) of \(Measure.bytes(total))"
            return progress.show(
                passes > 1 ? text + ", pass \(pass) of \(passes)" : text, stage: "pass \(pass)", fraction: fraction,
                at: Clocks.now())
        }
        progress.clear()
        switch line {
        case .progress: break
        case .damage(let text): Output.warning("damaged: \(text)", remedy: nil)
        case .warning(let message, let remedy):
            if told.insert(message).inserted { Output.warning(message, remedy: remedy) }
        case .file(let path, let tracks, let start, let duration, let size):
            files += 1
            let count = tracks == 1 ? "1 track" : "\(tracks) tracks"
            Output.line(
                "Made  \(path) (\(Measure.seconds(duration)), \(count), \(Measure.bytes(size)), begins at \(TapeTime.text(start)))"
            )
        case .failed(let message, let remedy): throw .failed(message, remedy: remedy)
        }
    }
}
