import Service
import Store

/// `sluice jobs`.
enum JobsCommand {
    static let spec = CommandSpec(
        name: "jobs", summary: "List the jobs: what runs, what waits and for what, what failed and why.",
        options: [
            OptionSpec("--all", nil, "also those that ended"),
            OptionSpec("--limit", "N", "at most this many (50)"),
        ] + GatewayOptions.all
    ) { invocation throws(CommandError) in
        let arguments = invocation.arguments
        guard let limit = Int(arguments.value("--limit") ?? "50"), (1...10_000).contains(limit) else {
            throw .misused("--limit must be a number from 1 to 10000", command: "jobs")
        }
        var gateway = try Gateway(invocation)
        let path = "/v1/jobs" + (arguments.has("--all") ? "" : "?active=true")
        if arguments.has("--json") { return Output.json(try gateway.bytes("GET", path)) }
        let jobs = try gateway.items(JobRecord.self, path, limit: limit)
        if jobs.isEmpty {
            Output.note(arguments.has("--all") ? "no jobs yet" : "no job runs or waits; --all shows those that ended")
            return .exit(0)
        }
        let rows = jobs.map { job in
            [job.id, job.state.rawValue, job.type, job.subject, job.room, "\(job.attempt)", note(job)]
        }
        Output.line(Output.table(["ID", "STATE", "TYPE", "SUBJECT", "ROOM", "TRY", "NOTE"], rows))
        return .exit(0)
    }

    private static func note(_ job: JobRecord) -> String {
        if let queue = job.queue { return "number \(queue.position) in the line, waits for \(queue.waitingFor)" }
        return job.error?.message ?? "-"
    }
}
