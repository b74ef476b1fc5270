import FoundationEssentials
public import Store
public import Timing

/// What `sluice store check` finds in a data folder, whether its gateway runs or not.
public struct StoreInspection: Sendable {
    /// What SQLite says is wrong with the file.
    public private(set) var faults: [String] = []
    /// Records and jobs that contradict each other.
    public private(set) var contradictions: [String] = []
    public let schema: (found: Int64, known: Int64)
    public private(set) var egressCount = 0
    public private(set) var unfinishedJobCount = 0
    public private(set) var audit: DataAudit

    /// True when nothing is damaged or missing; orphans harm nobody.
    public var isSound: Bool { faults.isEmpty && contradictions.isEmpty && audit.missing.isEmpty }

    /// - Parameter data: the data folder, absolute.
    /// - Throws: when there is no store, or it cannot be read.
    public init(data: String, at now: WallTime) throws(StoreError) {
        let path = data + "/store/sluice.db"
        faults = try StoreFile.check(path)
        schema = try StoreFile.schema(path)
        var named = NamedFiles()
        var active: Set<String> = []
        for body in try StoreFile.bodies(path, of: .egress) {
            guard let run = try? JSONDecoder().decode(EgressRun.self, from: Data(body)) else {
                contradictions.append("a record of an egress cannot be read")
                continue
            }
            egressCount += 1
            named.add(run.record)
            if !run.record.state.isFinal { active.insert(run.record.id) }
        }
        for body in try StoreFile.bodies(path, of: .tape) {
            if let tape = try? JSONDecoder().decode(TapeRecord.self, from: Data(body)) { named.add(tape) }
        }
        let jobs = try StoreFile.unfinishedJobs(path)
        unfinishedJobCount = jobs.count
        for job in jobs where !active.contains(job.subject) {
            contradictions.append("job \(job.id) has not ended, and \(job.subject) is not there or has")
        }
        for id in active.subtracting(jobs.map(\.subject)).sorted() {
            contradictions.append("egress \(id) has not ended, and has no job")
        }
        audit = DataAudit(data: data, named: named, at: now)
    }
}
