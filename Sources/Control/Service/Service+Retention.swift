import Config
import Log
import MediaLoop
import Store
import Timing

extension Service {
    /// Forgets what is older than `retention.records`, and answers kept for idempotency keys after their day.
    func forgetOldRecords() async {
        let now = Clocks.wall()
        var retention = Retention()
        retention.answersBefore = WallTime(nanoseconds: now.nanoseconds - IdempotentAnswer.lifetime.nanoseconds)
        if let age = configuration.retention.records {
            let limit = WallTime(nanoseconds: now.nanoseconds - age.nanoseconds)
            retention.documents[.egress] = limit
            retention.jobsEndedBefore = limit
            retention.eventsBefore = limit
        }
        do throws(StoreError) {
            while try await store.prune(retention) > 0 {}
        } catch {
            Logger("service").warning("old records were not removed", ["error": error.message])
        }
    }
}
