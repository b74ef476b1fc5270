import JSON
import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// What a recording of a live room costs: many beside none, then 200 at once, of which nothing may be lost.
enum RecordBench {
    private static let processorBar = 3.0
    private static let memoryBar = 2.0
    private static let settling: Duration = .seconds(4)

    private struct Load {
        /// Milli-cores, and bytes, of gateway and workers together.
        var processor: Double
        var memory: Double
    }

    private struct Recording {
        var id: String
        var path: String
        var begin: Instant
    }

    static func run(_ options: Options) throws(BenchError) -> Report {
        let count = options.recordings ?? (options.isSmoke ? 4 : 100)
        let atOnce = options.isSmoke ? 2 * count : max(200, count)
        let rooms = options.isSmoke ? 2 : 20
        let rounds = options.rounds ?? (options.isSmoke ? 1 : 3)
        let window: Duration = .seconds(options.seconds ?? (options.isSmoke ? 2 : 10))
        let workspace = try Workspace()
        let clip = try workspace.clip()
        let gateway = try GatewayUnderTest(in: workspace)
        defer { gateway.stop() }
        let fleet = Fleet(clip)
        defer { fleet.finish() }
        var keys: [String] = []
        for room in 0..<rooms { keys.append(try gateway.makeIngress(room: "room-\(room)")) }
        try fleet.start(keys, port: gateway.rtmpPort)
        let none = load(gateway, rounds, window)
        var recordings: [Recording] = []
        try record(count, rooms, gateway, &recordings)
        let many = load(gateway, rounds, window)
        try record(atOnce - count, rooms, gateway, &recordings)
        Terminal.pause(window)
        let status = fleet.look()
        if let failure = status.failures.first { throw .failed("a publisher ended: \(failure)") }
        let problems = try finish(recordings, gateway, RecordingCheck(clip))

        var report = Report(
            "Recordings of \(rooms) live rooms at 2.5 Mbit/s, \(rounds) windows of \(Report.text(window.inSeconds)) s",
            columns: ["recordings", "milli-cores", "PSS MB"])
        report.row("0", Report.text(none.processor), Report.text(none.memory / 1e6))
        report.row(String(count), Report.text(many.processor), Report.text(many.memory / 1e6))
        let each = Load(
            processor: (many.processor - none.processor) / Double(count),
            memory: (many.memory - none.memory) / Double(count))
        report.row("each", Report.text(each.processor), Report.text(each.memory / 1e6))
        report.note("publishers at most \(Report.text(status.lateness.inSeconds * 1000)) ms late")
        for problem in problems.prefix(5) { report.note(problem) }
        report.bar("processor of one recording", each.processor, atMost: processorBar, unit: " milli-cores")
        report.bar("memory of one recording", each.memory / 1e6, atMost: memoryBar, unit: " MB")
        report.bar("\(atOnce) at once: recordings with a loss", Double(problems.count), atMost: 0)
        return report
    }

    private static func load(_ gateway: GatewayUnderTest, _ rounds: Int, _ window: Duration) -> Load {
        Terminal.pause(settling)
        var loads: [Load] = []
        for _ in 0..<rounds {
            let begin = (time: Clocks.now(), usage: gateway.usage())
            Terminal.pause(window)
            let used = (gateway.usage() - begin.usage).processor.inSeconds
            let seconds = (Clocks.now() - begin.time).inSeconds
            loads.append(Load(processor: used / seconds * 1000, memory: Double(gateway.proportionalBytes())))
        }
        return Load(processor: median(loads.map(\.processor)), memory: median(loads.map(\.memory)))
    }

    private static func record(
        _ count: Int, _ rooms: Int, _ gateway: GatewayUnderTest, _ recordings: inout [Recording]
    ) throws(BenchError) {
        let first = recordings.count
        for number in first..<first + count {
            let answer = try gateway.record(room: "room-\(number % rooms)", path: "film-\(number).mp4")
            guard let id = answer["id"]?.string else { throw .failed("an egress came without its id") }
            recordings.append(Recording(id: id, path: "", begin: Clocks.now()))
        }
        for index in first..<first + count {
            recordings[index].path = try gateway.waitUntilActive(recordings[index].id)
            recordings[index].begin = Clocks.now()
        }
    }

    /// Stops all recordings.
    /// - Returns: what is wrong with those that lost something.
    private static func finish(
        _ recordings: [Recording], _ gateway: GatewayUnderTest, _ check: RecordingCheck
    ) throws(BenchError) -> [String] {
        var problems: [String] = []
        let end = Clocks.now()
        for recording in recordings { try gateway.request("POST", "/v1/egress/\(recording.id)/stop") }
        for recording in recordings {
            let record = try gateway.waitForEnd(of: recording.id)
            let frames = Int((end - recording.begin).inSeconds * Double(MediaSchedule.framesPerSecond)) - 30
            guard record["state"]?.string == "complete" else {
                problems.append("\(recording.id) is \(record["state"]?.string ?? "?")")
                continue
            }
            if let words = check.problem(with: recording.path, frames: frames) {
                problems.append("\(recording.path): \(words)")
            }
        }
        return problems
    }
}
