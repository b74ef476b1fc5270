extension EgressSource {
    /// The source as it stands in a request.
    public var json: JSONValue {
        switch self {
        case .room: ["type": "room"]
        case .participant(let identity, let screenShare):
            ["type": "participant", "identity": .string(identity), "screenShare": .bool(screenShare)]
        case .track(let track): ["type": "track", "track": .string(track)]
        case .tracks(let video, let audio):
            ["type": "tracks", "video": video?.json ?? .null, "audio": audio?.json ?? .null]
        }
    }
}

extension EgressSource.TrackChoice {
    fileprivate var json: JSONValue {
        switch self {
        case .track(let track): ["track": .string(track)]
        case .identity(let identity): ["identity": .string(identity)]
        }
    }
}

extension EgressSource.AudioChoice {
    fileprivate var json: JSONValue {
        switch self {
        case .all: ["all": true]
        case .tracks(let choices): ["routes": .array(choices.map(\.json))]
        }
    }
}

extension FieldReader {
    /// The members of `source`, by its `type`.
    mutating func egressSource() -> EgressSource? {
        require("type")
        switch value("type") {
        case nil: return nil
        case .string("room"):
            if value("layout") != nil {
                noteNotSupported("layout", "This version passes tracks through: no layouts.", "Leave `layout` out.")
            }
            return .room
        case .string("participant"):
            require("identity")
            let identity = text("identity", bytes: Names.length) ?? ""
            return .participant(identity: identity, screenShare: flag("screenShare") ?? false)
        case .string("track"):
            require("track")
            return .track(text("track", bytes: 1...64) ?? "")
        case .string("tracks"): return trackSource()
        case .string("web"):
            skip("url")
            noteNotSupported("type", "This version renders no web pages.", "Use room, participant, track or tracks.")
            return nil
        default:
            note(
                "type", "not_allowed", "`type` is no kind of source.",
                "Use one of: room, participant, track, tracks.")
            return nil
        }
    }

    private mutating func trackSource() -> EgressSource {
        let video = object("video") { $0.trackChoice() } ?? nil
        let audio = object("audio") { $0.audioChoice() } ?? nil
        if value("video") == nil, value("audio") == nil {
            note(nil, "missing", "Neither `video` nor `audio` names a track.", "Name at least one of them.")
        }
        return .tracks(video: video, audio: audio)
    }

    private mutating func trackChoice() -> EgressSource.TrackChoice? {
        let track = text("track", bytes: 1...64)
        let identity = text("identity", bytes: Names.length)
        switch (track, identity) {
        case (let track?, nil): return .track(track)
        case (nil, let identity?): return .identity(identity)
        default:
            note(nil, "missing", "Name either `track` or `identity`.", "Use {\"track\": \"TR_…\"}.")
            return nil
        }
    }

    private mutating func audioChoice() -> EgressSource.AudioChoice? {
        let all = flag("all") ?? false
        let routes = objects("routes", count: 1...16) { route in
            if route.value("channel") != nil {
                route.noteNotSupported("channel", "This version does not mix sound.", "Leave `channel` out.")
            }
            return route.trackChoice()
        }
        switch (all, routes) {
        case (true, nil): return .all
        case (false, let routes?): return .tracks(routes.compactMap(\.self))
        default:
            note(nil, "missing", "Give either `all: true` or `routes`.", "Use {\"all\": true}.")
            return nil
        }
    }

    /// Knows a member without reading it, so that one error about its object suffices.
    mutating func skip(_ names: String...) {
        for name in names { _ = raw(name) }
    }

    mutating func pipelineName() -> String? {
        guard let value = value("pipeline") else { return nil }
        if case .object = value {
            noteNotSupported("pipeline", "This version takes a pipeline by name only.", "Name a file of `pipelines/`.")
            return nil
        }
        guard let name = text("pipeline", bytes: 1...64) else { return nil }
        guard name.utf8.allSatisfy(PlainName.allows) else {
            note("pipeline", "not_allowed", "`pipeline` is no name of a pipeline.", "GET /v1/pipelines lists them.")
            return nil
        }
        return name
    }

    mutating func encoding() -> CreateEgress.Encoding? {
        let encoding = object("encoding") { fields -> CreateEgress.Encoding? in
            fields.require("preset")
            let preset = fields.text("preset", bytes: 1...64)
            fields.skip("video", "audio")
            if preset != "passthrough", preset != nil || fields.value("video") != nil || fields.value("audio") != nil {
                fields.noteNotSupported(
                    "preset", "This version does not transcode.", "Leave `encoding` out, or use preset passthrough.")
            }
            return .passthrough
        }
        return encoding ?? nil
    }

    mutating func refuseWebhooks() {
        guard let value = value("webhooks") else { return }
        guard let hooks = value.array else {
            note("webhooks", "wrong_type", "Expected an array, found \(value.kind).", "Give [] or leave it out.")
            return
        }
        if !hooks.isEmpty {
            noteNotSupported("webhooks", "This version calls no webhooks.", "Poll GET /v1/egress/{id}.")
        }
    }

    /// A merge-patch of labels: a text sets one, `null` takes it away; `null` for all of them is not read as "none".
    mutating func labelPatches(_ name: String) -> [String: Patch<String>] {
        guard let value = raw(name) else { return [:] }
        guard case .object(let members) = value else {
            note(name, "wrong_type", "Expected an object, found \(value.kind).", "Give {\"name\": \"value\" or null}.")
            return [:]
        }
        var patches: [String: Patch<String>] = [:]
        for member in members {
            switch member.value {
            case .null: patches[member.name] = .clear
            case .string(let text) where 1...63 ~= member.name.utf8.count && text.utf8.count <= 256:
                patches[member.name] = .set(text)
            default:
                noteAt(
                    place(name, member.name), "not_allowed", "A label is a short string or null.",
                    "Names 1 to 63 bytes, values to 256.")
            }
        }
        return patches
    }
}
