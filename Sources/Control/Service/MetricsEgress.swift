import Assignments
import Jobs
import Store
import Timing

/// What ``EgressControl`` counts as it happens, since this gateway was started.
struct EgressCounters: Sendable {
    private(set) var ended = Tally("state", "code")
    private(set) var outputsEnded = Tally("type", "state", "code")
    private(set) var outputBytes = Tally("type")
    private(set) var outputRetries = Tally("type")
    private(set) var lostUnits = Tally("type")
    private(set) var gapSeconds = Tally("type")
    private(set) var workersStarted = 0
    private(set) var workersEnded = Tally("cause")
    /// From the request to the first frame that is durable or taken.
    private(set) var startSeconds = Histogram(bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300])
    /// From the request to the first lease.
    private(set) var waitSeconds = Histogram(bounds: [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800])
    /// What an output had told by its last report; a report below it is of a new attempt, which counts from zero.
    private var told: [String: [String: Int64]] = [:]

    init() {
        // A counter that begins to exist with its first event hides that event from a rate.
        for type in OutputType.allCases.map(\.rawValue) {
            outputBytes.add(0, type)
            outputRetries.add(0, type)
            lostUnits.add(0, type)
            gapSeconds.add(0, type)
        }
        for cause in ["exit", "signal", "frozen", "not_started"] { workersEnded.add(0, cause) }
        for code in Self.failures(isFile: true) + Self.failures(isFile: false) {
            ended.add(0, EgressState.failed.rawValue, code.rawValue)
        }
        for type in OutputType.allCases {
            for code in Self.failures(isFile: type.isFileLike) {
                outputsEnded.add(0, type.rawValue, OutputState.failed.rawValue, code.rawValue)
            }
        }
    }

    /// Counts what `report` says beyond what `run`, which does not have it yet, knows.
    mutating func note(_ report: JobReport, of run: EgressRun) {
        let record = run.record
        for output in report.outputs {
            guard let known = record.outputs.first(where: { $0.id == output.id }) else { continue }
            let type = known.type.rawValue
            outputBytes.add(Double(max(0, output.sizeBytes &- known.sizeBytes)), type)
            outputRetries.add(Double(max(0, output.retries &- known.retries)), type)
            // A later attempt tells the gaps of its file again.
            let gaps = run.files?[output.id]?.gapSeconds ?? 0
            gapSeconds.add(max(0, output.gapSeconds - gaps), type)
            let before = told[record.id]?[output.id] ?? 0
            lostUnits.add(
                Double(max(0, output.unitsLost < before ? output.unitsLost : output.unitsLost &- before)), type)
            told[record.id, default: [:]][output.id] = output.unitsLost
        }
    }

    mutating func noteLease(after wait: Duration) { waitSeconds.observe(max(0, wait.inSeconds)) }

    mutating func noteStart(after time: Duration) { startSeconds.observe(max(0, time.inSeconds)) }

    mutating func noteEnd(of record: EgressRecord) {
        ended.add(1, record.state.rawValue, Self.code(record.error?.code ?? record.stateReason))
        for output in record.outputs {
            outputsEnded.add(1, output.type.rawValue, output.state.rawValue, Self.code(output.error?.code))
        }
        told[record.id] = nil
    }

    mutating func noteWorkerStart() { workersStarted += 1 }

    mutating func noteWorkerEnd(_ cause: String) { workersEnded.add(1, cause) }

    /// What an output fails with.
    private static func failures(isFile: Bool) -> [ErrorCode] {
        isFile
            ? [.workerCrashed, .diskFull, .storageFailed]
            : [
                .workerCrashed, .destinationUnreachable, .destinationRefused, .destinationStalled, .destinationDropped,
            ]
    }

    /// Codes come from a closed list of ours; what a worker of another version says must not become a label.
    private static func code(_ text: String?) -> String {
        guard let text else { return "none" }
        return known.contains(text) || ErrorCode(rawValue: text) != nil ? text : "other"
    }

    private static let known: Set<String> = [
        "stop_requested", "no_media", "room_empty", "source_gone", "room_closed", "limit_reached", "disk_full",
    ]

    /// As families of ``Service/metrics()``.
    var families: [MetricFamily] {
        [
            ended.family(.counter, "sluice_egress_ended_total", "Egress that ended, by final state and code."),
            outputsEnded.family(
                .counter, "sluice_outputs_ended_total", "Outputs of egress that ended, by kind, final state and code."),
            outputBytes.family(.counter, "sluice_output_bytes_total", "Bytes that outputs wrote or sent."),
            outputRetries.family(.counter, "sluice_output_retries_total", "Times that an output lost its destination."),
            lostUnits.family(
                .counter, "sluice_output_lost_units_total",
                "Access units and audio frames that an output lost: not held any more, or no destination took them."),
            gapSeconds.family(
                .counter, "sluice_output_gap_seconds_total", "Time in which a track of an output has a gap."),
            MetricFamily(
                "sluice_egress_start_seconds", "From the request of an egress to its first frame: active.",
                startSeconds),
            MetricFamily("sluice_job_wait_seconds", "From the request of a job to its first lease.", waitSeconds),
            MetricFamily(
                .counter, "sluice_worker_starts_total", "Worker processes that were started.", Double(workersStarted)),
            workersEnded.family(
                .counter, "sluice_worker_restarts_total", "Workers that ended unasked and were replaced, by how."),
        ]
    }
}

extension EgressControl {
    /// What runs and waits now, and what was counted.
    func metrics() -> [MetricFamily] {
        var states = Tally("state")
        for state in EgressState.allCases where !state.isFinal { states.add(0, state.rawValue) }
        var jobs = Tally("state")
        for state in ["queued", "leased", "running"] { jobs.add(0, state) }
        var outputs = Tally("type", "state")
        for entry in entries.values where !entry.run.record.state.isFinal {
            states.add(1, entry.run.record.state.rawValue)
            jobs.add(1, entry.run.jobState.rawValue)
            for output in entry.run.record.outputs { outputs.add(1, output.type.rawValue, output.state.rawValue) }
        }
        return [
            states.family(.gauge, "sluice_egress", "Egress that has not ended, by state."),
            outputs.family(.gauge, "sluice_outputs", "Outputs of egress that has not ended, by kind and state."),
            jobs.family(.gauge, "sluice_jobs", "Jobs that have not ended, by state."),
        ] + workerMetrics() + counters.families
    }

    private func workerMetrics() -> [MetricFamily] {
        var states = Tally("state")
        for state in WorkerRecord.State.allCases { states.add(0, state.rawValue) }
        for worker in workerRecords() { states.add(1, worker.state.rawValue) }
        return [
            states.family(.gauge, "sluice_workers", "Worker processes, by state."),
            MetricFamily(
                .gauge, "sluice_worker_capacity_cores", "Processor cores that jobs may take together.",
                Double(limits.capacity.milliCores) / 1000),
            MetricFamily(
                .gauge, "sluice_worker_used_cores", "Processor cores that jobs have taken of them.",
                Double(queue.inUse.milliCores) / 1000),
            MetricFamily(
                .gauge, "sluice_worker_capacity_memory_bytes", "Memory that jobs may take together.",
                Double(limits.capacity.memoryBytes)),
            MetricFamily(
                .gauge, "sluice_worker_used_memory_bytes", "Memory that jobs have taken of it.",
                Double(queue.inUse.memoryBytes)),
        ]
    }
}
