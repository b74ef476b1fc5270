import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// Processor time that publishers of 2.5 Mbit/s cost, beside nginx-rtmp, in the same run and in turns.
enum IngestBench {
    private static let userBar = 0.6
    private static let totalBar = 1.0
    /// How much more a publisher may cost among many than among the fewest that measure well.
    private static let flatBar = 1.25
    /// After the last publisher began.
    private static let settling: Duration = .seconds(3)

    /// Milli-cores of one publisher.
    private struct Cost {
        var user: Double
        var total: Double
    }

    private struct Result {
        var publishers: Int
        var gateway: [Cost] = []
        var peer: [Cost] = []
        var floor: [Cost] = []
        var lateness: Duration = .zero
    }

    static func run(_ options: Options) throws(BenchError) -> Report {
        let counts = options.publishers ?? (options.isSmoke ? [2] : [1, 50, 200])
        let rounds = options.rounds ?? (options.isSmoke ? 1 : 3)
        let window: Duration = .seconds(options.seconds ?? (options.isSmoke ? 2 : 20))
        let workspace = try Workspace()
        let clip = try workspace.clip()
        var results: [Result] = []
        for count in counts {
            var result = Result(publishers: count)
            // Few publishers use little time: a longer window measures it better.
            let window = count < 10 && !options.isSmoke ? window * 2 : window
            for _ in 0..<rounds {
                result.peer.append(try peer(workspace, clip, count, window, &result.lateness))
                result.gateway.append(try gateway(workspace, clip, count, window, &result.lateness))
                result.floor.append(try floor(workspace, clip, count, window, &result.lateness))
            }
            results.append(result)
        }
        return report(results, rounds, window)
    }

    private static func gateway(
        _ workspace: Workspace, _ clip: MediaClip, _ count: Int, _ window: Duration, _ lateness: inout Duration
    ) throws(BenchError) -> Cost {
        let gateway = try GatewayUnderTest(in: workspace)
        defer { gateway.stop() }
        var keys: [String] = []
        for index in 0..<count { keys.append(try gateway.makeIngress(room: "room-\(index)")) }
        return try cost(clip, keys, gateway.rtmpPort, window, &lateness, gateway.processIDs, workspace)
    }

    private static func peer(
        _ workspace: Workspace, _ clip: MediaClip, _ count: Int, _ window: Duration, _ lateness: inout Duration
    ) throws(BenchError) -> Cost {
        let peer = try NginxPeer(in: workspace)
        defer { peer.stop() }
        return try cost(clip, keys(count), peer.port, window, &lateness, peer.processIDs, workspace)
    }

    private static func floor(
        _ workspace: Workspace, _ clip: MediaClip, _ count: Int, _ window: Duration, _ lateness: inout Duration
    ) throws(BenchError) -> Cost {
        let floor = try FloorPeer(in: workspace)
        defer { floor.stop() }
        return try cost(clip, keys(count), floor.port, window, &lateness, floor.processIDs, workspace)
    }

    private static func keys(_ count: Int) -> [String] { (0..<count).map { "key\($0)" } }

    private static func cost(
        _ clip: MediaClip, _ keys: [String], _ port: UInt16, _ window: Duration, _ lateness: inout Duration,
        _ processIDs: [Int32], _ workspace: Workspace
    ) throws(BenchError) -> Cost {
        let fleet = Fleet(clip)
        defer { fleet.finish() }
        try fleet.start(keys, port: port)
        Terminal.pause(settling)
        _ = fleet.look()
        let share = UserShare(of: processIDs, for: window, in: workspace)
        let begin = (time: Clocks.now(), usage: ProcessUsage(ofAll: processIDs))
        Terminal.pause(window)
        let end = (time: Clocks.now(), usage: ProcessUsage(ofAll: processIDs))
        let status = fleet.look()
        if let failure = status.failures.first { throw .failed("a publisher of \(keys.count) ended: \(failure)") }
        lateness = max(lateness, status.lateness)
        let used = end.usage - begin.usage
        let unit = (end.time - begin.time).inSeconds * Double(keys.count) / 1000
        let total = used.processor.inSeconds / unit
        return Cost(user: share?.finish().map { total * $0 } ?? used.user.inSeconds / unit, total: total)
    }

    private static func report(_ results: [Result], _ rounds: Int, _ window: Duration) -> Report {
        var report = Report(
            "RTMP ingest at 2.5 Mbit/s: milli-cores a publisher, \(rounds) rounds of \(Report.text(window.inSeconds)) s",
            columns: [
                "publishers", "user", "total", "nginx user", "nginx total", "floor user", "floor total", "user/nginx",
                "total/nginx", "user/floor", "total/floor", "late ms",
            ])
        for result in results {
            let (gateway, peer, floor) = (middle(result.gateway), middle(result.peer), middle(result.floor))
            report.row(
                String(result.publishers), Report.text(gateway.user), Report.text(gateway.total),
                Report.text(peer.user), Report.text(peer.total), Report.text(floor.user), Report.text(floor.total),
                Report.text(gateway.user / peer.user), Report.text(gateway.total / peer.total),
                Report.text(gateway.user / floor.user), Report.text(gateway.total / floor.total),
                Report.text(result.lateness.inSeconds * 1000))
        }
        report.note(
            "late: how late the publishers themselves ever sent a message; large when the machine is short of time.")
        report.note(
            "user: the total by the share that `perf` samples; by the kernel's 250 Hz account where there is no perf.")
        report.note("floor: what comes is read each 40 ms and copied once into memory; nothing else is done with it.")
        for result in results {
            let (gateway, peer) = (middle(result.gateway), middle(result.peer))
            let name = result.publishers == 1 ? "1 publisher" : "\(result.publishers) publishers"
            report.bar("\(name), user / nginx", gateway.user / peer.user, atMost: userBar)
            report.bar("\(name), total / nginx", gateway.total / peer.total, atMost: totalBar)
        }
        if let first = results.first, let last = results.last, results.count > 1 {
            let growth = middle(last.gateway).total / middle(first.gateway).total
            report.bar("flat: total at \(last.publishers) / at \(first.publishers)", growth, atMost: flatBar)
        }
        return report
    }

    private static func middle(_ costs: [Cost]) -> Cost {
        Cost(user: median(costs.map(\.user)), total: median(costs.map(\.total)))
    }
}
