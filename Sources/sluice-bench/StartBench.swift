import FoundationEssentials
import JSON
import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// From `POST /v1/egress` to the instant when another process, this one, can decode the first frame from the file.
enum StartBench {
    private static let bar = 100.0
    private static let rooms = 5
    private static let limit: Duration = .seconds(10)

    private struct Start {
        /// When the request was answered, when the file could be decoded, when the state was seen active.
        var answered: Duration
        var decodable: Duration
        var active: Duration
        /// The state was `active` while the file could not be decoded.
        var isEarly = false
        /// The file as it was when it could first be decoded.
        var bytes: [UInt8] = []
    }

    static func run(_ options: Options) throws(BenchError) -> Report {
        let times = options.times ?? (options.isSmoke ? 3 : 50)
        let workspace = try Workspace()
        let clip = try workspace.clip()
        let gateway = try GatewayUnderTest(in: workspace)
        defer { gateway.stop() }
        let fleet = Fleet(clip)
        defer { fleet.finish() }
        var keys: [String] = []
        for room in 0..<rooms { keys.append(try gateway.makeIngress(room: "room-\(room)")) }
        try fleet.start(keys, port: gateway.rtmpPort)
        Terminal.pause(.seconds(3))
        var starts: [Start] = []
        for number in 0..<times {
            starts.append(try start(number, gateway, workspace))
            // Not always at the same place of a group of pictures.
            Terminal.pause(.milliseconds(Int64(number % 7) * 37))
        }
        let frames = try starts.first.map { start throws(BenchError) in try decodedFrames(start.bytes, workspace) } ?? 0
        return report(starts, decodedFrames: frames)
    }

    private static func start(
        _ number: Int, _ gateway: GatewayUnderTest, _ workspace: Workspace
    ) throws(BenchError) -> Start {
        let begin = Clocks.now()
        let answer = try gateway.record(room: "room-\(number % rooms)", path: "start-\(number).mp4")
        guard let id = answer["id"]?.string else { throw .failed("an egress came without its id") }
        var start = Start(answered: Clocks.now() - begin, decodable: .zero, active: .zero)
        let path = gateway.recordingPath("start-\(number).mp4")
        var isActive = false
        var turn = 0
        while start.decodable == .zero || !isActive {
            guard Clocks.now() - begin < limit else {
                throw .failed("recording \(number): no frame within \(limit); \(try gateway.egress(id).text)")
            }
            if start.decodable == .zero, let bytes = decodableBytes(at: path) {
                start.decodable = Clocks.now() - begin
                start.bytes = bytes
            }
            turn += 1
            // The state is asked for less often, so that asking does not blur the other time.
            if !isActive, turn % 4 == 0 || start.decodable != .zero, try gateway.egress(id)["state"] == "active" {
                isActive = true
                start.active = Clocks.now() - begin
                if start.decodable == .zero, decodableBytes(at: path) == nil { start.isEarly = true }
            }
            Terminal.pause(.microseconds(500))
        }
        try gateway.request("POST", "/v1/egress/\(id)/stop")
        _ = try gateway.waitForEnd(of: id)
        return start
    }

    /// The file's bytes, if its first frame can be decoded.
    private static func decodableBytes(at path: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return nil }
        let bytes = [UInt8](data)
        return RecordingCheck.isDecodable(bytes) ? bytes : nil
    }

    /// Frames that ffmpeg decodes of the first; the reader here and ffmpeg must agree.
    private static func decodedFrames(_ bytes: [UInt8], _ workspace: Workspace) throws(BenchError) -> Int {
        let path = workspace.file("first.mp4")
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
            throw .failed("cannot write \(path)")
        }
        let options = "-v error -select_streams v:0 -read_intervals %+#1 -count_frames".words
        let entries = "-show_entries stream=nb_read_frames -of csv=p=0".words
        let text = try workspace.run("ffprobe", options + entries + [path])
        return text.words.first.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    private static func report(_ starts: [Start], decodedFrames: Int) -> Report {
        func milliseconds(_ path: KeyPath<Start, Duration>) -> [Double] {
            starts.map { $0[keyPath: path].inSeconds * 1000 }
        }
        var report = Report(
            "Start of a recording, \(starts.count) times: milliseconds from POST /v1/egress",
            columns: ["until", "median", "fastest", "slowest"])
        for (name, path) in [
            ("answered", \Start.answered), ("first frame decodes", \Start.decodable), ("state active", \Start.active),
        ] {
            let values = milliseconds(path)
            report.row(
                name, Report.text(median(values)), Report.text(values.min() ?? .nan), Report.text(values.max() ?? .nan))
        }
        report.bar("first frame decodes, median", median(milliseconds(\.decodable)), atMost: bar, unit: " ms")
        report.bar("times `active` before the file decodes", Double(starts.count { $0.isEarly }), atMost: 0)
        report.bar("frames that ffmpeg decodes of the first such file", Double(decodedFrames), atLeast: 1)
        return report
    }
}
