import Feed
import Jobs
import Timing

/// Stand-in until the push lands in this branch.
final class RTMPOutput: OutputRunner {
    let subscription: UInt32
    private(set) var report: OutputReport
    private(set) var isEnded = false
    init(_ output: OutputAssignment, url: String, job: JobContext, onChange: @escaping () -> Void) {
        subscription = job.worker.nextSubscription()
        report = OutputReport(id: output.id, state: .failed)
    }
    func start(at now: Instant) { isEnded = true }
    func subscribed(from position: UInt64) {}
    func receive(_ record: Record, at now: Instant) {}
    func drained(at now: Instant) {}
    func tick(at now: Instant) {}
    func feedEnded(_ reason: EndReason, at now: Instant) {}
    func stop(at now: Instant) {}
    func remove(at now: Instant) {}
    func seal(at now: Instant) {}
}
