import HTTPTransfer
import MediaLoop
import Service
import Terminal
import Timing

/// One recording, watched from its request to its file.
struct RecordSession {
    /// Between two looks at the egress.
    private static let interval: Duration = .milliseconds(500)

    let request: RecordRequest
    private let say: (String) -> Void
    private var progress = ProgressLine()
    private var told: Set<String> = []
    private var isStopping = false

    /// - Parameter say: prints a line of the result.
    init(request: RecordRequest, say: @escaping (String) -> Void) {
        self.request = request
        self.say = say
    }

    /// Starts the egress and returns its record once it has ended.
    mutating func run(_ gateway: inout Gateway) throws(CommandError) -> EgressRecord {
        Interrupts.watch()
        let key = (0..<4).map { _ in String(UInt32.random(in: 0...UInt32.max), radix: 36) }.joined(separator: "-")
        var egress = try gateway.record(
            EgressRecord.self, "POST", "/v1/egress", body: request.body, idempotencyKey: key)
        var looks = 0
        while !egress.state.isFinal {
            show(egress)
            warn(egress.warnings)
            sayWhereToWatch(egress, &gateway)
            if looks % 10 == 4 { warnOfPublishers(&gateway) }
            try stopIfAsked(egress, &gateway)
            Terminal.pause(Self.interval)
            egress = try gateway.record(EgressRecord.self, "GET", "/v1/egress/" + egress.id)
            looks += 1
        }
        progress.clear()
        warn(egress.warnings)
        return egress
    }

    /// Says what came of it, fetches the file, and gives the exit code.
    mutating func report(_ egress: EgressRecord, _ gateway: inout Gateway) throws(CommandError) -> Int32 {
        switch egress.state {
        case .aborted:
            throw .failed(
                "nothing was recorded: \(egress.stateReason ?? "stopped before the first picture")",
                remedy: egress.error?.remedy ?? "Publish into the room first; --wait TIME waits for a publisher.")
        case .failed:
            throw .failed(egress.error?.message ?? "the recording failed", remedy: egress.error?.remedy)
        case .queued, .starting, .active, .waiting, .paused, .ending, .complete, .limitReached:
            break
        }
        var code: Int32 = 0
        for output in egress.outputs {
            if output.state == .failed { code = 1 }
            try report(output, of: egress, &gateway)
        }
        return code
    }

    private mutating func report(
        _ output: OutputRecord, of egress: EgressRecord, _ gateway: inout Gateway
    ) throws(CommandError) {
        if let error = output.error {
            Output.warning("\(output.id): \(error.message)", remedy: error.remedy)
        }
        // A file that failed in the middle holds what came before.
        guard output.state != .failed || (output.href != nil && output.startedAt != nil) else { return }
        guard let href = output.href else {
            say("Pushed    \(output.location ?? output.id) (\(Measure.seconds(output.durationSeconds)))")
            return
        }
        let size = "\(Measure.seconds(output.durationSeconds)), \(Measure.bytes(output.sizeBytes))"
        if output.type == .hls { return say("Playlist  \(output.location ?? href) (\(size))") }
        if let file = request.file { try fetch(href, to: file, size: output.sizeBytes, &gateway) }
        say("Recorded  \(request.file ?? output.location ?? href) (\(size))")
        for part in output.parts where output.parts.count > 1 {
            say("  part \(part.number)  \(part.location) (\(Measure.seconds(part.durationSeconds)))")
        }
    }

    private mutating func fetch(
        _ href: String, to file: String, size: Int64, _ gateway: inout Gateway
    ) throws(CommandError) {
        let line = Box(ProgressLine())
        try gateway.download(href, to: file) { progress in
            let total = progress.total ?? size
            let text = "fetching \(file)  \(Measure.bytes(progress.received)) of \(Measure.bytes(total))"
            let fraction = total > 0 ? Double(progress.received) / Double(total) : 0
            line.value.show(text, stage: "fetching", fraction: fraction, at: Clocks.now())
            return true
        }
        line.value.clear()
    }

    private mutating func show(_ egress: EgressRecord) {
        let longest = egress.outputs.map(\.durationSeconds).max() ?? 0
        let stage = isStopping ? "ending" : egress.state.rawValue
        var text = "\(Output.pad(stage, to: 9)) \(egress.room)  \(Measure.seconds(longest))"
        if let limit = request.duration { text += " of \(Measure.seconds(limit.inSeconds))" }
        for output in egress.outputs {
            text +=
                output.href == nil ? "  \(output.id) \(output.state.rawValue)" : "  \(Measure.bytes(output.sizeBytes))"
        }
        if let queue = egress.queue { text += "  number \(queue.position) in the line, waits for \(queue.waitingFor)" }
        if egress.state == .starting || egress.state == .waiting, let reason = egress.stateReason {
            text += "  \(reason)"
        }
        let fraction = request.duration.map { longest / $0.inSeconds }
        progress.show(text, stage: stage, fraction: fraction, at: Clocks.now())
    }

    /// A link to the presentation, once there is something to see.
    private mutating func sayWhereToWatch(_ egress: EgressRecord, _ gateway: inout Gateway) {
        guard egress.outputs.contains(where: { $0.type == .hls && $0.state == .active }), told.insert("watch").inserted,
            let links = try? gateway.record(
                LinksRecord.self, "POST", "/v1/egress/\(egress.id)/links", body: ["ttlSeconds": 86_400])
        else { return }
        progress.clear()
        for link in links.outputs where link.type == .hls { say("Watch     \(link.url)") }
    }

    private mutating func stopIfAsked(_ egress: EgressRecord, _ gateway: inout Gateway) throws(CommandError) {
        switch Interrupts.count {
        case 0: return
        case 1:
            guard !isStopping else { return }
            isStopping = true
            progress.clear()
            Output.note("stopping; Ctrl-C again leaves it to the gateway")
            _ = try gateway.bytes("POST", "/v1/egress/\(egress.id)/stop", body: .object([]))
        default:
            progress.clear()
            throw .failed("left \(egress.id) to the gateway", remedy: "GET /v1/egress/\(egress.id) tells how it ended.")
        }
    }

    private mutating func warn(_ notices: [Notice]) {
        for notice in notices where told.insert(notice.code + notice.message).inserted {
            progress.clear()
            Output.warning(notice.message, remedy: notice.remedy)
        }
    }

    /// What the encoders that stream into the room should mend. Not for those who may not see ingresses.
    private mutating func warnOfPublishers(_ gateway: inout Gateway) {
        let path = "/v1/ingress?room=" + URLText.escaped(request.room)
        guard let ingresses = try? gateway.items(IngressRecord.self, path, limit: 50) else { return }
        for ingress in ingresses { warn(ingress.session?.warnings ?? []) }
    }
}

/// A value that a closure changes.
private final class Box<Value> {
    var value: Value
    init(_ value: Value) { self.value = value }
}
