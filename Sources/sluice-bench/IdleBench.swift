import LoadGenerator
import Terminal
import Timing

/// Memory of a gateway and its workers that have nothing to do.
enum IdleBench {
    private static let bar = 60.0

    static func run(_ options: Options) throws(BenchError) -> Report {
        let workspace = try Workspace()
        let gateway = try GatewayUnderTest(in: workspace)
        defer { gateway.stop() }
        Terminal.pause(.seconds(options.isSmoke ? 1 : 5))
        let peer = try NginxPeer(in: workspace)
        defer { peer.stop() }
        var totals: [Double] = []
        for _ in 0..<(options.rounds ?? 5) {
            totals.append(Double(gateway.proportionalBytes()) / 1e6)
            Terminal.pause(.milliseconds(200))
        }
        var report = Report("Memory at rest: proportional set size in MB", columns: ["process", "PSS MB"])
        for processID in gateway.processIDs {
            let name = processID == gateway.processID ? "sluice" : "sluice-worker"
            report.row(name, Report.text(Double(ProcessFile.proportionalBytes(of: processID) ?? 0) / 1e6))
        }
        report.row("together", Report.text(median(totals)))
        report.row("nginx-rtmp", Report.text(Double(peer.proportionalBytes()) / 1e6))
        report.bar("gateway and workers", median(totals), atMost: bar, unit: " MB")
        return report
    }
}
