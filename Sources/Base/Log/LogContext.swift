/// What stands in every entry that is written within a task, and in the tasks and actors that it calls.
public enum LogContext {
    /// The id of the request (`RQ_…`) that the work is for: the answer's `X-Request-Id`.
    @TaskLocal public static var request: String?
}
