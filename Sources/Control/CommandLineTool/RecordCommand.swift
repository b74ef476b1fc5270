import Service

/// `sluice record ROOM`.
enum RecordCommand {
    static let spec = CommandSpec(
        name: "record", usage: "ROOM", operands: 1...1,
        summary: "Record a room, push it on, or both; wait for the end and fetch the file.",
        details: [
            "Without --for it records until the room is empty for a while, or until Ctrl-C: that stops the recording,",
            "waits until the file is whole, and fetches it. Ctrl-C again leaves the recording to the gateway.",
        ],
        options: [
            OptionSpec("--out", short: "-o", "FILE", "download the recording to this file at the end"),
            OptionSpec("--for", "TIME", "stop after this much, as 30s or 2h"),
            OptionSpec("--hls", nil, "cut an HLS presentation that can be watched while it grows"),
            OptionSpec("--push", "URL", "push to this RTMP URL with its key; may be repeated"),
            OptionSpec("--path", "PATH", "its path in the gateway's recordings folder, as {room}/{time}.mp4"),
            OptionSpec("--layout", "NAME", "compose the participants into one picture, as grid"),
            OptionSpec("--pipeline", "NAME", "start from this pipeline; see `sluice pipelines list`"),
            OptionSpec("--wait", "TIME", "make the room if there is none, and wait this long for a publisher"),
        ] + GatewayOptions.all
    ) { invocation throws(CommandError) in try run(invocation) }

    private static func run(_ invocation: Invocation) throws(CommandError) -> Tool.Outcome {
        let request = try RecordRequest(invocation.arguments)
        var gateway = try Gateway(invocation)
        let isJSON = invocation.arguments.has("--json")
        var session = RecordSession(request: request) { isJSON ? Output.note($0) : Output.line($0) }
        let egress = try session.run(&gateway)
        let code = try session.report(egress, &gateway)
        if isJSON { _ = Output.json(try gateway.bytes("GET", "/v1/egress/" + egress.id)) }
        return .exit(code)
    }
}
