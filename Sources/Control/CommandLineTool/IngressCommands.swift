import JSON
import Service

/// `sluice ingress create|list|show|delete`.
enum IngressCommands {
    static let specs = [create, list, show, delete]

    private static let create = CommandSpec(
        name: "ingress create", summary: "Make a stream key by which an encoder (OBS, ffmpeg) streams into a room.",
        options: [
            OptionSpec("--room", "ROOM", "the room it streams into (needed)"),
            OptionSpec("--name", "NAME", "what you call it"),
            OptionSpec("--identity", "ID", "the participant's identity in the room"),
            OptionSpec("--stream-key", "KEY", "a key of your own: 8 to 128 of A-Z a-z 0-9 _ -"),
        ] + GatewayOptions.all
    ) { invocation throws(CommandError) in
        let arguments = invocation.arguments
        guard let room = arguments.value("--room") else {
            throw .misused("--room ROOM is missing", command: "ingress create")
        }
        var members = [JSONMember("type", "rtmp"), JSONMember("room", .string(room))]
        let texts = [("--name", "name"), ("--identity", "identity"), ("--stream-key", "streamKey")]
        for (option, field) in texts {
            if let value = arguments.value(option) { members.append(JSONMember(field, .string(value))) }
        }
        var gateway = try Gateway(invocation)
        return try print(invocation, try gateway.bytes("POST", "/v1/ingress", body: .object(members)))
    }

    private static let list = CommandSpec(
        name: "ingress list", summary: "List the ingresses and what streams through them.",
        options: [OptionSpec("--room", "ROOM", "of this room only")] + GatewayOptions.all
    ) { invocation throws(CommandError) in
        var gateway = try Gateway(invocation)
        let path = "/v1/ingress" + (invocation.arguments.value("--room").map { "?room=" + URLText.escaped($0) } ?? "")
        if invocation.arguments.has("--json") { return Output.json(try gateway.bytes("GET", path)) }
        let rows = try gateway.items(IngressRecord.self, path, limit: 1000).map { ingress in
            [ingress.id, ingress.state.rawValue, ingress.room, ingress.name, ingress.session.map(stream) ?? "-"]
        }
        Output.line(Output.table(["ID", "STATE", "ROOM", "NAME", "STREAM"], rows))
        return .exit(0)
    }

    private static let show = CommandSpec(
        name: "ingress show", usage: "ID", operands: 1...1,
        summary: "Show an ingress: what to put into the encoder, its stream, its warnings.", options: GatewayOptions.all
    ) { invocation throws(CommandError) in
        var gateway = try Gateway(invocation)
        return try print(
            invocation, try gateway.bytes("GET", "/v1/ingress/" + URLText.escaped(invocation.arguments.rest[0])))
    }

    private static let delete = CommandSpec(
        name: "ingress delete", usage: "ID", operands: 1...1,
        summary: "Delete an ingress; who streams through it is cut off.", options: GatewayOptions.all
    ) { invocation throws(CommandError) in
        var gateway = try Gateway(invocation)
        let id = invocation.arguments.rest[0]
        _ = try gateway.bytes("DELETE", "/v1/ingress/" + URLText.escaped(id))
        Output.line("deleted \(id)")
        return .exit(0)
    }

    private static func print(_ invocation: Invocation, _ bytes: [UInt8]) throws(CommandError) -> Tool.Outcome {
        if invocation.arguments.has("--json") { return Output.json(bytes) }
        let ingress = try Gateway.decode(IngressRecord.self, bytes)
        for line in lines(ingress) { Output.line(line) }
        for warning in ingress.session?.warnings ?? [] { Output.warning(warning.message, remedy: warning.remedy) }
        if let error = ingress.error { Output.warning(error.message, remedy: error.remedy) }
        return .exit(0)
    }

    private static func lines(_ ingress: IngressRecord) -> [String] {
        var pairs = [("Ingress", ingress.id), ("Room", ingress.room), ("State", ingress.state.rawValue)]
        if let rtmp = ingress.publish.rtmp {
            pairs += [("Server", rtmp.server), ("Stream key", rtmp.streamKey)]
        }
        pairs.append(("In OBS", "Settings > Stream > Custom; Settings > Output > Keyframe Interval 2 s"))
        if let session = ingress.session {
            pairs += [
                ("Stream", stream(session)), ("From", "\(session.remote) (\(session.encoder ?? "unknown encoder"))"),
            ]
        }
        return pairs.map { Output.pad($0.0, to: 10) + "  " + $0.1 }
    }

    /// As `h264 1280x720 30 fps 2.5 Mbit/s, aac 48 kHz stereo`.
    private static func stream(_ session: IngressSession) -> String {
        var parts: [String] = []
        if let video = session.video {
            let rate = video.framesPerSecond.map { " \(Measure.short($0)) fps" } ?? ""
            let bits = video.bitrateBps.map { " \(Measure.bitrate($0))" } ?? ""
            parts.append("\(video.codec) \(video.width)x\(video.height)\(rate)\(bits)")
        }
        if let audio = session.audio {
            parts.append("\(audio.codec) \(Measure.short(Double(audio.sampleRateHz) / 1000)) kHz \(audio.channels) ch")
        }
        return parts.isEmpty ? "no media yet" : parts.joined(separator: ", ")
    }
}
