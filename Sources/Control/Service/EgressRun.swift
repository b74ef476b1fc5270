import Assignments
import Jobs
import Store
import Timing

/// One egress that has not ended: its record, what its worker is to do, and what follows from what the worker reports.
///
/// A value without I/O; ``EgressControl`` is the shell around it. It is stored whole, so that the next gateway goes on.
struct EgressRun: Codable, Equatable, Sendable {
    enum End: Equatable, Sendable {
        case succeeded, cancelled, failed
    }

    var record: EgressRecord
    /// `JB_…`
    let job: String
    /// What a worker is told; the URLs in it are secrets.
    var outputs: [OutputAssignment]
    var preroll: Preroll
    var limits: EgressLimits
    var waitSeconds: Double
    var poison = false
    /// Why it is to end, once that is decided: `stop_requested`, `no_media`, `room_empty`, `source_gone`, `room_closed`.
    var endReason: String?
    /// The reason of an end by `limits.emptySeconds`.
    static let roomEmpty = "room_empty"
    /// As the store has it once what is pending is written.
    var jobState = JobState.queued
    /// How often a worker got it.
    var attempts = 0
    /// What verbs asked for, and what came of it; `nil` in records of an older version.
    var verbs: EgressVerbs?
    /// By output: what its files hold.
    var files: [String: OutputFiles]?
    /// Outputs that are to go: asked for, and told to every worker until one has done it.
    var removals: [String] = []
    /// Files that end before their time, and why: each is sealed, stays, and counts as failed.
    var cuts: [String: Notice]?
    /// What is on its tapes, by the ids of the outputs.
    var tapes: [String: TapeReport]?

    /// True once an output has held a first frame: what was recorded is kept, whatever comes.
    var hasBegun: Bool { record.startedAt != nil }

    /// True while it is to go on: not ended, nor to end.
    var isOpen: Bool { endReason == nil && !record.state.isFinal }

    /// What the next worker is to do.
    var assignment: EgressAssignment {
        EgressAssignment(
            egress: record.id, roomID: record.roomId, room: record.room, attempt: record.attempt,
            outputs: outputs.filter { output in
                record.outputs.contains { $0.id == output.id && !$0.state.isFinal }
            }.map(withEarlier),
            preroll: preroll, durationSeconds: limits.durationSeconds, bytes: limits.bytes, isPaused: isPaused,
            markers: verbs?.markers ?? [], poison: poison)
    }

    // MARK: What happens

    /// A worker gets it.
    mutating func leased() {
        attempts += 1
        jobState = .leased
        record.attempt = attempts
        record.queue = nil
        if record.state == .queued { move(to: .starting, "waiting_for_media") }
    }

    /// The feed from `position` on is held for the next worker.
    mutating func held(from position: UInt64) {
        for index in outputs.indices { outputs[index].resumeFrom = position }
    }

    /// The worker is gone; another will take it.
    mutating func lostWorker() {
        jobState = .queued
        if record.state == .starting { move(to: .queued, "worker_lost") }
    }

    /// The gateway was started anew: what had begun waits for its room.
    mutating func survivedRestart() {
        for index in outputs.indices { outputs[index].resumeFrom = nil }  // of a feed that is no more
        if hasBegun && endReason == nil && !isPaused { move(to: .waiting, "source_away") }
    }

    /// The room has media again, or none any more. A recording that began waits for it.
    mutating func media(flows: Bool) {
        guard !isPaused else { return }
        if !flows && record.state == .active { move(to: .waiting, "source_away") }
        let records = jobState == .running && record.outputs.contains { $0.state == .active }
        if flows && record.state == .waiting && records { move(to: .active, nil) }
    }

    /// It is to end: by a request, or because what it waits for will not come.
    mutating func end(because reason: String) {
        guard endReason == nil else { return }
        endReason = reason
        if hasBegun || record.state == .starting { move(to: .ending, reason) }
    }

    /// Outputs at work at once, as in a request; and all that it ever had.
    static let outputLimit = (open: 16, ever: 256)

    /// - Throws: `conflict` when it has an output of that id, or as many as it takes.
    mutating func add(_ output: OutputAssignment, as new: OutputRecord) throws(ServiceError) {
        guard !record.outputs.contains(where: { $0.id == new.id }) else {
            throw ServiceError(
                .conflict, "The egress has an output `\(new.id)` already.", remedy: "Choose another id.")
        }
        guard record.outputs.count < Self.outputLimit.ever,
            record.outputs.count(where: { !$0.state.isFinal }) < Self.outputLimit.open
        else {
            throw ServiceError(
                .conflict, "The egress has as many outputs as it takes.", remedy: "Start another egress of the room.")
        }
        outputs.append(output)
        record.outputs.append(new)
        linkTapes()
    }

    /// Its files are to end, by their ids, while what else it has may go on.
    mutating func cutFiles(because cause: Notice) -> [String] {
        let files = record.outputs.filter { $0.type.isFileLike && !$0.state.isFinal && cuts?[$0.id] == nil }
        guard !files.isEmpty else { return [] }
        cuts = (cuts ?? [:]).merging(files.map { ($0.id, cause) }) { known, _ in known }
        record.partial = true
        warn(cause.code, cause.message, cause.remedy)
        return files.map(\.id)
    }

    /// Whether an output is left that was not cut.
    var hasMoreThanCuts: Bool { record.outputs.contains { !$0.state.isFinal && cuts?[$0.id] == nil } }

    /// A worker that ends, by no wish of the job's, has sealed its files: the job goes on in another.
    func isCutShort(by report: JobReport) -> Bool {
        report.isSealed == true && endReason == nil && report.limitReached == nil
    }

    /// Takes what a worker tells.
    /// - Returns: true if something changed that is more than progress.
    mutating func apply(_ report: JobReport, at now: WallTime) -> Bool {
        let before = record
        let isCut = isCutShort(by: report)
        for output in report.outputs { apply(output, isCut: isCut, at: now) }
        if record.startedAt == nil { record.startedAt = record.outputs.compactMap(\.startedAt).min() }
        if record.state == .starting, record.outputs.contains(where: { $0.state == .active || $0.state == .complete }) {
            move(to: .active, nil)
        }
        record.partial = record.partial || hasLostAndLives
        record.updatedAt = Timestamp(now)
        return before.state != record.state || before.outputs.map(\.state) != record.outputs.map(\.state)
            || before.warnings != record.warnings || before.outputs.map(\.location) != record.outputs.map(\.location)
    }

    /// An output has failed, and another goes on or is complete.
    private var hasLostAndLives: Bool {
        record.outputs.contains { $0.state == .failed }
            && record.outputs.contains { !$0.state.isFinal || $0.state == .complete }
    }

    private mutating func apply(_ report: OutputReport, isCut: Bool, at now: WallTime) {
        guard let index = record.outputs.firstIndex(where: { $0.id == report.id }) else { return }
        var output = record.outputs[index]
        guard !output.state.isFinal else { return }
        if !isCut || report.state != .complete {
            output.state = OutputState(rawValue: report.state.rawValue) ?? output.state
        }
        if output.startedAt == nil, report.startedAt > 0 {
            output.startedAt = Timestamp(WallTime(nanoseconds: report.startedAt))
        }
        output.durationSeconds = report.durationSeconds
        output.sizeBytes = report.sizeBytes
        for path in report.parts + [report.location].compactMap({ $0 }) { output.moved(to: path) }
        note(report, of: &output)
        output.retries = report.retries
        output.error = report.errorCode.map { code in
            let remedy = ErrorCode(rawValue: code)?.remedy ?? ""
            return Notice(code: code, message: report.errorMessage ?? code, remedy: remedy)
        }
        output = cut(output)
        if output.state.isFinal { output.endedAt = Timestamp(now) }
        record.outputs[index] = output
        for warning in report.warnings { warn(warning.code, warning.message, warning.remedy) }
        if let location = report.location { adopt(location, for: report.id) }
        if let tape = report.tape { tapes = (tapes ?? [:]).merging([report.id: tape]) { $1 } }
    }

    /// What was cut has failed once it has ended, whatever its worker calls it.
    private func cut(_ output: OutputRecord) -> OutputRecord {
        guard let cause = cuts?[output.id], output.state.isFinal else { return output }
        var output = output
        output.state = .failed
        output.error = output.error ?? cause
        return output
    }

    /// The next attempt goes on in the file that this one made.
    private mutating func adopt(_ location: String, for id: String) {
        guard let index = outputs.firstIndex(where: { $0.id == id }) else { return }
        func path(in root: String) -> String? {
            location.hasPrefix(root + "/") ? String(location.dropFirst(root.count + 1)) : nil
        }
        switch outputs[index].target {
        case .mp4(let root, _):
            guard let path = path(in: root) else { return }
            outputs[index].target = .mp4(root: root, path: path)
        case .tape(let root, _, let tape):
            guard let path = path(in: root) else { return }
            outputs[index].target = .tape(root: root, path: path, id: tape)
        case .hls(let root, _, let plan):
            guard let path = path(in: root) else { return }
            outputs[index].target = .hls(root: root, path: String(path.prefix(upToLast: "/")), plan)
            guard let shown = record.outputs.firstIndex(where: { $0.id == id }) else { break }
            let names = path.split(separator: "/").map { URLPath.escaped(String($0)) }
            record.outputs[shown].href = "/v1/egress/\(record.id)/files/\(names.joined(separator: "/"))"
        case .rtmp: return
        }
        outputs[index].adopts = true
    }

    mutating func warn(_ code: String, _ message: String, _ remedy: String) {
        let notice = Notice(code: code, message: message, remedy: remedy)
        guard !record.warnings.contains(where: { $0.code == code && $0.message == message }) else { return }
        record.warnings.append(notice)
    }

    /// It has ended: every output is final, or there was never a worker. `cause` is set when a worker could not run it.
    mutating func finish(limitReached: Bool, cause: Notice? = nil, at now: WallTime) -> End {
        for index in record.outputs.indices where !record.outputs[index].state.isFinal {
            record.outputs[index].state = cause == nil ? .removed : .failed
            record.outputs[index].error = record.outputs[index].error ?? cause
            record.outputs[index].endedAt = Timestamp(now)
            record.outputs[index] = cut(record.outputs[index])
        }
        for index in record.outputs.indices
        where record.outputs[index].state == .complete && record.outputs[index].startedAt == nil {
            record.outputs[index].state = .removed  // nothing was ever in it
        }
        record.queue = nil
        record.endedAt = Timestamp(now)
        record.updatedAt = Timestamp(now)
        let counted = record.outputs.filter { $0.state != .removed }
        let files = counted.filter(\.type.isFileLike)
        let judged = files.isEmpty ? counted : files
        let survived = judged.filter(\.survived)
        let failed = judged.filter { $0.state == .failed }
        record.partial = !survived.isEmpty && counted.contains { $0.state == .failed }
        record.error = cause ?? failed.first?.error
        if survived.isEmpty && (cause != nil || !failed.isEmpty) {
            move(to: .failed, cause?.code ?? failed.first?.error?.code)
            return .failed
        }
        if survived.isEmpty {
            move(to: .aborted, endReason ?? "no_media")
            return .cancelled
        }
        if !record.partial { record.error = nil }
        let isLimit = limitReached || endReason == Self.roomEmpty
        move(to: isLimit ? .limitReached : .complete, limitReached ? "limit_reached" : endReason)
        return .succeeded
    }

    mutating func move(to state: EgressState, _ reason: String?) {
        guard !record.state.isFinal else { return }
        record.state = state
        record.stateReason = reason
    }
}

extension OutputRecord {
    /// Whether what it made is there to be used: a file that was ended because its disk filled plays up to there.
    fileprivate var survived: Bool {
        let isCut = type.isFileLike && error?.code == ErrorCode.diskFull.rawValue
        return startedAt != nil && (state == .complete || state == .failed && isCut)
    }

    /// The output writes `path` from here on. What it wrote before is a part of its own.
    fileprivate mutating func moved(to path: String) {
        guard let present = location, present != path, type.isFileLike else {
            location = path
            return
        }
        if parts.isEmpty { parts.append(part(1, at: present)) }
        if !parts.contains(where: { $0.location == path }) { parts.append(part(parts.count + 1, at: path)) }
        location = path
    }

    private func part(_ number: Int, at path: String) -> PartRecord {
        PartRecord(
            number: number, location: path, href: href ?? "", durationSeconds: durationSeconds, sizeBytes: sizeBytes)
    }
}
