import Assignments
import Jobs
import Store
import Testing
import Timing

@testable import Service

@Suite("What becomes of an egress")
struct EgressRunTests {
    typealias State = OutputReport.State

    /// How two outputs ended (a file and a push; `nil`: there is none), and whether each had begun.
    struct Row: Sendable, CustomTestStringConvertible {
        var file: State?
        var push: State?
        var isLimited = false
        var begun = true
        var state: EgressState
        var job: EgressRun.End
        var partial = false
        var testDescription: String { "\(String(describing: file)) \(String(describing: push)) → \(state.rawValue)" }
    }

    static let rows: [Row] = [
        Row(file: .complete, state: .complete, job: .succeeded),
        Row(file: .complete, isLimited: true, state: .limitReached, job: .succeeded),
        Row(file: .complete, push: .failed, state: .complete, job: .succeeded, partial: true),
        Row(file: .complete, push: .complete, state: .complete, job: .succeeded),
        Row(file: .failed, push: .complete, state: .failed, job: .failed),
        Row(file: .failed, state: .failed, job: .failed),
        Row(push: .complete, state: .complete, job: .succeeded),
        Row(push: .failed, state: .failed, job: .failed),
        Row(file: .complete, begun: false, state: .aborted, job: .cancelled),
        Row(file: .removed, state: .aborted, job: .cancelled),
        Row(file: .complete, push: .removed, state: .complete, job: .succeeded),
    ]

    @Test("follows from how its outputs ended", arguments: rows)
    func ends(row: Row) {
        var run = Self.run(file: row.file != nil, push: row.push != nil)
        run.leased()
        var reports: [OutputReport] = []
        if let file = row.file { reports.append(Self.report("film", file, begun: row.begun)) }
        if let push = row.push { reports.append(Self.report("live", push, begun: row.begun)) }
        _ = run.apply(JobReport(outputs: reports, isFinal: true), at: WallTime(nanoseconds: 5))
        let end = run.finish(limitReached: row.isLimited, at: WallTime(nanoseconds: 9))
        #expect(end == row.job)
        #expect(run.record.state == row.state)
        #expect(run.record.partial == row.partial)
        #expect(
            run.record.state.row.job.contains(end == .succeeded ? .succeeded : end == .failed ? .failed : .cancelled))
    }

    @Test("is active once one output holds a first frame, and not before")
    func active() {
        var run = Self.run(file: true, push: true)
        run.leased()
        #expect(run.record.state == .starting)
        _ = run.apply(JobReport(outputs: [Self.report("film", .starting, begun: false)], isFinal: false), at: Self.now)
        #expect(run.record.state == .starting)
        let changed = run.apply(JobReport(outputs: [Self.report("film", .active)], isFinal: false), at: Self.now)
        #expect(changed && run.record.state == .active && run.record.startedAt != nil)
        let again = run.apply(JobReport(outputs: [Self.report("film", .active)], isFinal: false), at: Self.now)
        #expect(!again)
    }

    @Test("is partial as soon as one output has failed and another goes on")
    func partialAtOnce() {
        var run = Self.run(file: true, push: true)
        run.leased()
        let active = [Self.report("film", .active), Self.report("live", .active)]
        _ = run.apply(JobReport(outputs: active, isFinal: false), at: Self.now)
        #expect(!run.record.partial)
        _ = run.apply(JobReport(outputs: [Self.report("film", .failed), active[1]], isFinal: false), at: Self.now)
        #expect(run.record.state == .active && run.record.partial)
        _ = run.apply(JobReport(outputs: [Self.report("live", .failed)], isFinal: true), at: Self.now)
        #expect(run.finish(limitReached: false, at: Self.now) == .failed && !run.record.partial)
    }

    @Test("waits when its source is away, and goes on by itself")
    func waits() {
        var run = Self.run(file: true, push: false)
        run.leased()
        run.media(flows: false)
        #expect(run.record.state == .starting)
        _ = run.apply(JobReport(outputs: [Self.report("film", .active)], isFinal: false), at: Self.now)
        run.jobState = .running
        run.media(flows: false)
        #expect(run.record.state == .waiting && run.record.stateReason == "source_away")
        run.media(flows: true)
        #expect(run.record.state == .active && run.record.stateReason == nil)
    }

    @Test("keeps its file over a worker's death: the next attempt is told the file's own name")
    func adopts() {
        var run = Self.run(file: true, push: false)
        run.leased()
        var report = Self.report("film", .active)
        report.location = "/data/recordings/demo/film-2.mp4"
        _ = run.apply(JobReport(outputs: [report], isFinal: false), at: Self.now)
        run.lostWorker()
        run.leased()
        let next = run.assignment
        #expect(next.attempt == 2)
        #expect(next.outputs.first?.target == .mp4(root: "/data/recordings", path: "demo/film-2.mp4"))
        #expect(run.record.state == .active)
    }

    @Test("that no worker could run fails with the cause, and its files say so")
    func crashed() {
        var run = Self.run(file: true, push: false)
        run.leased()
        let cause = Notice(.workerCrashed, "the worker ended 3 times")
        #expect(run.finish(limitReached: false, cause: cause, at: Self.now) == .failed)
        #expect(run.record.state == .failed && run.record.error == cause)
        #expect(run.record.outputs.first?.state == .failed && run.record.outputs.first?.error == cause)
    }

    /// What had begun when the files were cut, and how the push ended (`nil`: there is none).
    static let cuts: [(file: Bool, push: State?, state: EgressState, partial: Bool)] = [
        (true, nil, .complete, true), (true, .complete, .complete, true), (true, .failed, .complete, true),
        (false, nil, .failed, false), (false, .complete, .failed, false),
    ]

    @Test("whose files were cut goes on with what is left, keeps what they hold, and says why", arguments: cuts)
    func cut(hadBegun: Bool, push: State?, state: EgressState, partial: Bool) {
        var run = Self.run(file: true, push: push != nil)
        run.leased()
        let before = [Self.report("film", hadBegun ? .active : .starting, begun: hadBegun)]
        _ = run.apply(JobReport(outputs: before, isFinal: false), at: Self.now)
        let cause = Notice(.diskFull, "the disk is full")
        #expect(run.cutFiles(because: cause) == ["film"])
        #expect(run.cutFiles(because: cause).isEmpty)
        #expect(run.hasMoreThanCuts == (push != nil) && run.record.warnings == [cause])
        _ = run.apply(
            JobReport(outputs: [Self.report("film", .removed, begun: hadBegun)], isFinal: false), at: Self.now)
        #expect(run.record.outputs[0].state == .failed && run.record.outputs[0].error == cause)
        #expect(!run.record.state.isFinal && run.isOpen)
        if let push { _ = run.apply(JobReport(outputs: [Self.report("live", push)], isFinal: true), at: Self.now) }
        _ = run.finish(limitReached: false, at: Self.now)
        #expect(run.record.state == state && run.record.partial == partial && run.record.error == cause)
    }

    @Test("whose worker saw the full disk first ends the same way", arguments: [true, false])
    func fullDisk(hadBegun: Bool) {
        var run = Self.run(file: true, push: false)
        run.leased()
        var report = Self.report("film", .failed, begun: hadBegun)
        (report.errorCode, report.errorMessage) = ("disk_full", "the disk is full")
        _ = run.apply(JobReport(outputs: [report], isFinal: true), at: Self.now)
        _ = run.finish(limitReached: false, at: Self.now)
        #expect(run.record.state == (hadBegun ? .complete : .failed) && run.record.partial == hadBegun)
        #expect(run.record.outputs[0].state == .failed && run.record.error?.code == "disk_full")
    }

    @Test("is split once until there is another part; of segments nobody tells")
    func split() {
        var run = Self.run(file: true, push: false)
        let onceForFiles = (run.split(), run.split())
        #expect(onceForFiles == (true, false))
        run.record.outputs = [OutputRecord(id: "live", type: .hls)]
        let everyTime = (run.split(), run.split())
        #expect(everyTime == (true, true))
    }

    static let now = WallTime(nanoseconds: 7)

    static func run(file: Bool, push: Bool, id: String = "EG_1") -> EgressRun {
        var outputs: [OutputAssignment] = []
        var records: [OutputRecord] = []
        if file {
            outputs.append(
                OutputAssignment(
                    id: "film", target: .mp4(root: "/data/recordings", path: "demo/film.mp4"),
                    selection: .all))
            records.append(OutputRecord(id: "film", type: .mp4))
        }
        if push {
            outputs.append(OutputAssignment(id: "live", target: .rtmp(url: "rtmp://a/b/c"), selection: .all))
            records.append(OutputRecord(id: "live", type: .rtmp))
        }
        let record = EgressRecord(
            id: id, roomId: "RM_1", room: "demo", state: .queued, createdAt: Timestamp(now),
            updatedAt: Timestamp(now), spec: .null, outputs: records)
        return EgressRun(
            record: record, job: "JB_1", outputs: outputs, preroll: .gop, limits: EgressLimits(), waitSeconds: 30)
    }

    static func report(_ id: String, _ state: State, begun: Bool = true) -> OutputReport {
        var report = OutputReport(id: id, state: state)
        report.startedAt = begun ? 3 : 0
        return report
    }
}
