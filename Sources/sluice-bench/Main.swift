import Glibc
import Terminal

/// `sluice-bench`: measures the gateway against its bars, with a peer beside it in the same run.
@main
struct Main {
    static func main() {
        do throws(BenchError) {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            guard let names = options.benches else { return Terminal.write(Options.help) }
            if let port = options.floorPort { FloorPeer.serve(port) }
            var missed = 0
            for bench in names {
                let report = try bench.run(options)
                Terminal.write(report.text)
                missed += report.missedCount
            }
            if missed > 0, !options.isSmoke { exit(1) }
        } catch {
            Terminal.writeError("sluice-bench: \(error.description)\n")
            exit(error.exitCode)
        }
    }
}

/// Why a bench could not run; a bar that is missed is no error but a line of the report.
enum BenchError: Error, CustomStringConvertible {
    /// The command line; exit code 2.
    case usage(String)
    /// Something that the bench needs is missing or failed; exit code 1.
    case failed(String)

    var description: String {
        switch self {
        case .usage(let words): "\(words)\nTry `sluice-bench --help`."
        case .failed(let words): words
        }
    }

    var exitCode: Int32 {
        switch self {
        case .usage: 2
        case .failed: 1
        }
    }
}

/// What can be measured.
enum Bench: String, CaseIterable {
    case chunks, ingest, record, start, idle

    func run(_ options: Options) throws(BenchError) -> Report {
        switch self {
        case .chunks: ChunkBench.run(options)
        case .ingest: try IngestBench.run(options)
        case .record: try RecordBench.run(options)
        case .start: try StartBench.run(options)
        case .idle: try IdleBench.run(options)
        }
    }
}
