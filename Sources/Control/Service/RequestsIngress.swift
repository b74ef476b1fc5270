public import Log

/// `POST /v1/ingress`.
public struct CreateIngress: Equatable, Sendable {
    public var type: IngressType
    public var name: String
    public var room: String
    public var identity: String
    public var participantName: String
    public var enabled: Bool
    /// Chosen by the client; `nil`: the gateway makes one.
    public var streamKey: Secret?
    public var pipeline: String
    public var onConflict: OnConflict
    public var onDisconnect: OnDisconnect
    public var labels: [String: String]

    public init(room: String, identity: String? = nil, name: String = "", streamKey: Secret? = nil) {
        type = .rtmp
        self.name = name
        self.room = room
        self.identity = identity ?? "ingress"
        participantName = name
        enabled = true
        self.streamKey = streamKey
        pipeline = "auto"
        onConflict = .takeOver
        onDisconnect = OnDisconnect()
        labels = [:]
    }

    /// - Throws: `invalid_request` with every field that is wrong; `not_supported` for a type that comes later.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        fields.require("type")
        fields.require("room")
        type = fields.ingressType() ?? .rtmp
        let name = fields.text("name", bytes: 0...256) ?? ""
        self.name = name
        room = fields.text("room", bytes: Names.length) ?? ""
        let identity = fields.text("identity", bytes: Names.length) ?? (name.isEmpty ? "ingress" : name)
        self.identity = identity
        participantName = fields.text("participantName", bytes: 0...256) ?? (name.isEmpty ? identity : name)
        enabled = fields.flag("enabled") ?? true
        streamKey = fields.streamKey()
        pipeline = fields.ingressPipeline() ?? "auto"
        onConflict = fields.choice("onConflict") ?? .takeOver
        onDisconnect = fields.onDisconnect() ?? OnDisconnect()
        labels = fields.labels("labels") ?? [:]
        try fields.finish()
    }
}

/// `PATCH /v1/ingress/{id}`: a merge-patch. What connected before keeps what it began with, but `enabled: false` ends it.
public struct PatchIngress: Equatable, Sendable {
    public var name: Patch<String>
    public var room: Patch<String>
    public var identity: Patch<String>
    public var participantName: Patch<String>
    public var enabled: Patch<Bool>
    public var pipeline: Patch<String>
    public var onConflict: Patch<OnConflict>
    public var onDisconnect: Patch<OnDisconnect>
    public var labels: Patch<[String: String]>

    /// - Throws: `invalid_request` with every field that is wrong.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        name = fields.patch("name") { $0.text("name", bytes: 0...256) }
        room = fields.patch("room") { $0.text("room", bytes: Names.length) }
        identity = fields.patch("identity") { $0.text("identity", bytes: Names.length) }
        participantName = fields.patch("participantName") { $0.text("participantName", bytes: 0...256) }
        enabled = fields.patch("enabled") { $0.flag("enabled") }
        pipeline = fields.patch("pipeline") { $0.ingressPipeline() }
        onConflict = fields.patch("onConflict") { $0.choice("onConflict") }
        onDisconnect = fields.patch("onDisconnect") { $0.onDisconnect() }
        labels = fields.patch("labels") { $0.labels("labels") }
        if case .clear = room { fields.note("room", "not_allowed", "An ingress needs a room.", "Name one.") }
        if case .clear = identity {
            fields.note("identity", "not_allowed", "An ingress needs an identity.", "Name one.")
        }
        if let key = fields.raw("streamKey"), key != .null {
            fields.note(
                "streamKey", "not_allowed", "The key is not changed here.", "POST …/rotate-key makes a new one.")
        }
        try fields.finish()
    }

    /// The request as it would stand after this patch.
    public func applied(to request: CreateIngress) -> CreateIngress {
        var result = request
        result.name = name.applied(to: request.name, default: "")
        result.room = room.applied(to: request.room, default: request.room)
        result.identity = identity.applied(to: request.identity, default: request.identity)
        result.participantName = participantName.applied(to: request.participantName, default: result.identity)
        result.enabled = enabled.applied(to: request.enabled, default: true)
        result.pipeline = pipeline.applied(to: request.pipeline, default: "auto")
        result.onConflict = onConflict.applied(to: request.onConflict, default: .takeOver)
        result.onDisconnect = onDisconnect.applied(to: request.onDisconnect, default: OnDisconnect())
        result.labels = labels.applied(to: request.labels, default: [:])
        return result
    }
}

/// `POST /v1/ingress/{id}/rotate-key`: the body may choose the new key; without one the gateway makes it.
public struct RotateKey: Equatable, Sendable {
    public var streamKey: Secret?

    /// - Throws: `invalid_request` with every field that is wrong.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        streamKey = fields.streamKey()
        try fields.finish()
    }
}

extension FieldReader {
    fileprivate mutating func ingressType() -> IngressType? {
        switch value("type") {
        case .string("whip"), .string("url"):
            noteNotSupported("type", "This version takes streams by RTMP only.", "Use \"type\": \"rtmp\".")
            return nil
        default:
            return choice("type")
        }
    }

    /// 8 to 128 of `[A-Za-z0-9_-]`, so that it can stand in a URL and in every encoder's field.
    fileprivate mutating func streamKey() -> Secret? {
        guard let key = text("streamKey", bytes: 8...128) else { return nil }
        guard key.utf8.allSatisfy(PlainName.allows) else {
            note("streamKey", "not_allowed", "`streamKey` holds other characters.", "Use A-Z, a-z, 0-9, _ and -.")
            return nil
        }
        return Secret(key)
    }

    fileprivate mutating func ingressPipeline() -> String? {
        guard let name = text("pipeline", bytes: 1...64) else { return nil }
        guard name == "auto" || name == "passthrough" else {
            noteNotSupported("pipeline", "This version forwards an ingress as it came.", "Use \"auto\".")
            return nil
        }
        return name
    }

    fileprivate mutating func onDisconnect() -> OnDisconnect? {
        object("onDisconnect") { fields in
            let action: OnDisconnect.Action? = fields.choice("action")
            return OnDisconnect(action: action ?? .hold, holdSeconds: fields.number("holdSeconds", 0...3600) ?? 10)
        }
    }
}

/// Names that clients choose for outputs and keys: `[A-Za-z0-9_-]`.
enum PlainName {
    static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
