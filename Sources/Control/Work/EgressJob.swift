import Feed
import Assignments
import LinkTransport
import Log
import Timing

/// One egress at work: its outputs, and what is told of them. Lives on the worker's loop.
final class EgressJob {
    let context: JobContext
    private(set) var outputs: [any OutputRunner] = []
    /// Something changed that the gateway is to know at once.
    private(set) var mustReport = true
    private var lastReport: Instant?
    private var limitReached: String?
    private var isStopping = false
    private var isPaused: Bool
    private var markers: [Marker]
    private var byteLimit: Int64?
    /// The state of each output that the log was last told of.
    private var logged: [String: OutputReport.State] = [:]

    init(_ context: JobContext) {
        self.context = context
        byteLimit = context.assignment.bytes
        isPaused = context.assignment.isPaused
        markers = context.assignment.markers
    }

    /// True once every output is; the last report can go out.
    var isEnded: Bool { outputs.allSatisfy(\.isEnded) }

    func start(at now: Instant) {
        for output in context.assignment.outputs { add(output, at: now) }
    }

    func apply(_ command: JobCommand, at now: Instant) {
        switch command {
        case .stop: stop(at: now)
        case .addOutput(let output):
            guard !isStopping, !outputs.contains(where: { $0.report.id == output.id }) else { return }
            add(output, at: now)
        case .removeOutput(let id):
            for output in outputs where output.report.id == id { output.remove(at: now) }
        case .pause:
            isPaused = true
            for output in outputs { output.pause(at: now) }
        case .resume:
            isPaused = false
            for output in outputs { output.resume(at: now) }
        case .split:
            for output in outputs { output.split(at: now) }
        case .mark(let marker):
            markers.append(marker)
            for output in outputs { output.mark(markers) }
        case .setLimits(let durationSeconds, let bytes):
            byteLimit = bytes
            for output in outputs { output.limit(to: durationSeconds.map { .seconds(max(0, $0)) }) }
        }
        mustReport = true
    }

    func stop(at now: Instant) {
        isStopping = true
        for output in outputs { output.stop(at: now) }
    }

    /// The end of a batch, and some ten times a second.
    func tick(at now: Instant) {
        for output in outputs { output.tick(at: now) }
        guard !isStopping else { return }
        if let limit = byteLimit, outputs.reduce(0, { $0 &+ $1.report.sizeBytes }) >= limit {
            reach("bytes")
        }
        if limitReached != nil { stop(at: now) }
    }

    /// The report that is due, if one is: at each change, and once a second.
    func takeReport(at now: Instant) -> JobReport? {
        let isDue = lastReport.map { now - $0 >= .seconds(1) } ?? true
        guard mustReport || isDue || isEnded else { return nil }
        mustReport = false
        lastReport = now
        logMoves()
        return JobReport(
            outputs: outputs.map { report(of: $0) }, isFinal: isEnded, limitReached: isEnded ? limitReached : nil)
    }

    private func report(of output: any OutputRunner) -> OutputReport {
        var report = output.report
        if isPaused, report.startedAt > 0, !output.isEnded { report.state = .paused }
        return report
    }

    /// What it is to make, for the log: no path, no URL.
    var outputNames: String { context.assignment.outputs.map(\.id).joined(separator: " ") }

    private func logMoves() {
        for report in outputs.map(\.report) where logged.updateValue(report.state, forKey: report.id) != report.state {
            context.worker.log.info(
                "output \(report.state.rawValue)",
                [
                    "job": context.job, "output": report.id, "seconds": report.durationSeconds,
                    "bytes": report.sizeBytes, "lost": report.unitsLost, "error": report.errorCode ?? "",
                ])
        }
    }

    private func add(_ output: OutputAssignment, at now: Instant) {
        let onChange = { [weak self] in self?.mustReport = true } as () -> Void
        let onLimit = { [weak self] limit in self?.reach(limit) } as (String) -> Void
        let runner: any OutputRunner =
            switch output.target {
            case .mp4(let root, let path):
                MP4Output(output, root: root, path: path, job: context, onChange: onChange, onLimit: onLimit)
            case .tape(let root, let path, let id):
                TapeOutput(
                    output, TapePlace(root: root, path: path, id: id), job: context, onChange: onChange,
                    onLimit: onLimit)
            case .hls(let root, let path, let plan):
                HLSOutput(
                    output, HLSOutput.Place(root: root, path: path), plan, job: context, onChange: onChange,
                    onLimit: onLimit)
            case .rtmp(let url): RTMPOutput(output, url: url, job: context, onChange: onChange, onLimit: onLimit)
            }
        outputs.append(runner)
        runner.mark(markers)
        runner.start(at: now)
        if isPaused { runner.pause(at: now) }
    }

    /// The job is to end by a limit of its own, with the next tick: an output may be in the middle of its work.
    private func reach(_ limit: String) {
        if !isStopping, limitReached == nil { limitReached = limit }
    }
}
