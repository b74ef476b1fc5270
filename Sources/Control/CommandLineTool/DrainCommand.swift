import MediaLoop
import Service
import Terminal
import Timing

/// `sluice drain`.
enum DrainCommand {
    static let spec = CommandSpec(
        name: "drain",
        summary: "End the gateway as SIGTERM does: no new work, recordings sealed; the next start goes on with them.",
        options: [OptionSpec("--no-wait", nil, "return at once")] + GatewayOptions.all
    ) { invocation throws(CommandError) in
        var gateway = try Gateway(invocation)
        _ = try gateway.bytes("POST", "/v1/drain", body: .object([]))
        guard !invocation.arguments.has("--no-wait") else { return .exit(0) }
        var lastNote = Clocks.now()
        Output.note("draining: what is recorded is sealed after shutdown.wait, or when its sources end")
        while isThere(&gateway) {
            if Clocks.now() - lastNote >= .seconds(5) {
                lastNote = Clocks.now()
                Output.note("still draining")
            }
            Terminal.pause(.milliseconds(300))
        }
        Output.note("the gateway has ended")
        return .exit(0)
    }

    private static func isThere(_ gateway: inout Gateway) -> Bool { (try? gateway.bytes("GET", "/v1/workers")) != nil }
}
