import JSON
import Config
import Service
import Timing

/// What `sluice record` asks of the gateway.
struct RecordRequest: Equatable {
    var room: String
    /// The file to download at the end.
    var file: String?
    var duration: Duration?
    /// The path on the gateway, when it is not the pipeline's or the default.
    var path: String?
    /// Destinations with their keys.
    var pushes: [String] = []
    /// Cut an HLS presentation.
    var isSegmented = false
    var layout: String?
    var pipeline: String?
    /// Make the room if there is none, and wait this long for a publisher.
    var wait: Duration?

    init(_ arguments: Arguments) throws(CommandError) {
        room = arguments.rest[0]
        file = arguments.value("--out")
        path = arguments.value("--path")
        layout = arguments.value("--layout")
        pipeline = arguments.value("--pipeline")
        pushes = arguments.values("--push")
        isSegmented = arguments.has("--hls")
        duration = try Self.duration("--for", arguments)
        wait = try Self.duration("--wait", arguments)
        for url in pushes where !url.hasPrefix("rtmp://") && !url.hasPrefix("rtmps://") {
            throw .misused("--push needs an rtmp:// or rtmps:// URL", command: "record")
        }
    }

    /// Whether a file is recorded: always, unless the call only pushes or cuts.
    var isRecorded: Bool { file != nil || path != nil || pushes.isEmpty && !isSegmented }

    /// The body of `POST /v1/egress`.
    var body: JSONValue {
        var members = [JSONMember("room", .string(room))]
        if let pipeline { members.append(JSONMember("pipeline", .string(pipeline))) }
        if let layout {
            let source: JSONValue = ["type": "room"]
            members.append(JSONMember("source", source.adding("layout", .string(layout))))
        }
        members.append(JSONMember("outputs", .array(outputs)))
        if let duration {
            members.append(JSONMember("limits", .object([JSONMember("durationSeconds", .number(duration.inSeconds))])))
        }
        if let wait {
            members.append(JSONMember("createRoom", true))
            members.append(JSONMember("start", .object([JSONMember("waitSeconds", .number(wait.inSeconds))])))
        }
        return .object(members)
    }

    private var outputs: [JSONValue] {
        var outputs: [JSONValue] = []
        if isRecorded {
            let film: JSONValue = ["id": "film", "type": "mp4"]
            outputs.append(path.map { film.adding("path", .string($0)) } ?? film)
        }
        if isSegmented { outputs.append(["id": "live", "type": "hls"]) }
        for (index, url) in pushes.enumerated() {
            let id = pushes.count == 1 ? "push" : "push-\(index + 1)"
            outputs.append(
                .object([JSONMember("id", .string(id)), JSONMember("type", "rtmp"), JSONMember("url", .string(url))]))
        }
        return outputs
    }

    private static func duration(_ option: String, _ arguments: Arguments) throws(CommandError) -> Duration? {
        guard let text = arguments.value(option) else { return nil }
        guard let duration = Quantity.duration(parsing: text), duration > .zero else {
            throw .misused("\(option) needs a time as 30s, 5m or 2h, and got `\(text)`", command: "record")
        }
        return duration
    }
}

extension JSONValue {
    /// This object with one member more.
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members + [JSONMember(name, value)])
    }
}
