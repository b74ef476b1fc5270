import FoundationEssentials
import LoadGenerator
import Timing

/// A folder for one bench's files, removed with it, and the programs beside this one.
final class Workspace {
    let path: String
    private let programs: String

    init() throws(BenchError) {
        let folder = FileManager.default.temporaryDirectory
        path = folder.appendingPathComponent("sluice-bench-\(UUID().uuidString)").path
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        programs = String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)])
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .failed("cannot make the folder \(path): \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A program of this package.
    func program(_ name: String) throws(BenchError) -> String {
        let path = "\(programs)/\(name)"
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw .failed("\(path) is not there. Build it: swift build -c release")
        }
        return path
    }

    func text(of name: String) -> String {
        FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Starts a program whose output goes to the file `log` here.
    func start(
        _ executable: String, _ arguments: [String], environment: [String]? = nil, log: String
    ) throws(BenchError) -> ChildProcess {
        do throws(LoadError) {
            return try ChildProcess(executable, arguments, environment: environment, output: file(log))
        } catch {
            throw .failed(error.description)
        }
    }

    /// Runs a program to its end.
    /// - Returns: what it printed.
    func run(_ executable: String, _ arguments: [String], limit: Duration = .seconds(60)) throws(BenchError) -> String {
        let log = "output-\(UUID().uuidString)"
        let process = try start(executable, arguments, log: log)
        do throws(LoadError) {
            try process.wait(limit)
        } catch {
            throw .failed("\(error.description)\n\(text(of: log).suffix(1000))")
        }
        return text(of: log)
    }

    /// Eight seconds of a moving picture and a tone, made by ffmpeg: H.264 Main at 2.34 Mbit/s without B-frames, a key
    /// frame each 2 s, AAC at 160 kbit/s.
    func clip() throws(BenchError) -> MediaClip {
        let output = file("clip.flv")
        var arguments = "-nostdin -v error -f lavfi -i testsrc2=size=1280x720:rate=30".words
        arguments += "-f lavfi -i sine=frequency=437:sample_rate=48000 -t \(MediaClip.seconds).2".words
        arguments += "-vf noise=alls=12:allf=t -c:v libx264 -preset ultrafast -profile:v main -bf 0".words
        arguments += "-g 60 -keyint_min 60 -sc_threshold 0 -b:v 2340k -maxrate 2340k -bufsize 2340k".words
        arguments += "-pix_fmt yuv420p -c:a aac -b:a 160k -ac 2 -f flv".words
        _ = try run("ffmpeg", arguments + [output])
        guard let bytes = FileManager.default.contents(atPath: output) else { throw .failed("ffmpeg made no clip") }
        do throws(LoadError) {
            return try MediaClip(flv: [UInt8](bytes).span)
        } catch {
            throw .failed(error.description)
        }
    }
}

extension String {
    /// The parts between spaces.
    var words: [String] { split(separator: " ").map(String.init) }
}
