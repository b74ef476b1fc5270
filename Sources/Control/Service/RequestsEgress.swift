/// `POST /v1/egress`.
public struct CreateEgress: Equatable, Sendable {
    public enum Encoding: Equatable, Sendable {
        /// Fail rather than transcode.
        case passthrough
    }

    public var room: String
    public var createRoom: Bool
    /// `nil`: the pipeline's, else the whole room.
    public var source: EgressSource?
    /// A file of `pipelines/` whose spec fills what the request leaves out.
    public var pipeline: String?
    public var encoding: Encoding?
    /// Empty only if a pipeline is to give them.
    public var outputs: [OutputRequest]
    public var limits: EgressLimits
    public var start: EgressStart
    public var labels: [String: String]

    public init(room: String, createRoom: Bool = false, source: EgressSource? = nil, outputs: [OutputRequest]) {
        self.room = room
        self.createRoom = createRoom
        self.source = source
        self.outputs = outputs
        limits = EgressLimits()
        start = EgressStart()
        labels = [:]
    }

    /// - Throws: `invalid_request` with every field that is wrong; `not_supported` if all that is wrong comes later.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        fields.require("room")
        room = fields.text("room", bytes: Names.length) ?? ""
        createRoom = fields.flag("createRoom") ?? false
        source = fields.object("source") { $0.egressSource() } ?? nil
        pipeline = fields.pipelineName()
        if pipeline == nil { fields.require("outputs") }
        encoding = fields.encoding()
        outputs = OutputRequest.read("outputs", of: &fields)
        limits = fields.object("limits") { EgressLimits(&$0) } ?? EgressLimits()
        start = fields.object("start") { EgressStart(&$0) } ?? EgressStart()
        fields.refuseWebhooks()
        labels = fields.labels("labels") ?? [:]
        try fields.finish()
    }

    /// This request with what it leaves out taken from `base`, the request that a pipeline stands for.
    public func filled(from base: CreateEgress) -> CreateEgress {
        var result = self
        result.source = source ?? base.source
        result.encoding = encoding ?? base.encoding
        if outputs.isEmpty { result.outputs = base.outputs }
        result.limits = limits.filled(from: base.limits)
        result.start = start.filled(from: base.start)
        result.labels = base.labels.merging(labels) { _, own in own }
        return result
    }

    /// The request as JSON, defaults filled in. `reveal` keeps secrets, for the store; else they are `***`.
    public func json(reveal: Bool) -> JSONValue {
        .object([
            JSONMember("room", .string(room)),
            JSONMember("createRoom", .bool(createRoom)),
            JSONMember("source", (source ?? .room).json),
            JSONMember("pipeline", pipeline.map { .string($0) } ?? .null),
            JSONMember("encoding", encoding == nil ? .null : ["preset": "passthrough"]),
            JSONMember("outputs", .array(outputs.map { $0.json(reveal: reveal) })),
            JSONMember("limits", limits.json),
            JSONMember("start", start.json),
            JSONMember("webhooks", []),
            JSONMember(
                "labels", .object(labels.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })),
        ])
    }
}

/// What of the room goes out, passed through as it came.
public enum EgressSource: Equatable, Sendable {
    case room
    case participant(identity: String, screenShare: Bool)
    /// `TR_…`
    case track(String)
    case tracks(video: TrackChoice?, audio: AudioChoice?)

    public enum TrackChoice: Equatable, Sendable {
        case track(String)
        case identity(String)
    }

    public enum AudioChoice: Equatable, Sendable {
        case all
        case tracks([TrackChoice])
    }
}

/// When an egress ends by itself.
public struct EgressLimits: Codable, Equatable, Sendable {
    /// How long a room may be without media before its egress ends.
    public static let defaultEmptySeconds = 300.0

    public var durationSeconds: Double?
    public var bytes: Int64?
    /// Ends after the room was without media for this long.
    public var emptySeconds: Double?

    public init() {}

    init(_ fields: inout FieldReader) {
        durationSeconds = fields.number("durationSeconds", 0.1...31_536_000)
        bytes = fields.integer("bytes", 1...Int64.max)
        emptySeconds = fields.number("emptySeconds", 0...31_536_000)
    }

    func filled(from base: EgressLimits) -> EgressLimits {
        var result = self
        result.durationSeconds = durationSeconds ?? base.durationSeconds
        result.bytes = bytes ?? base.bytes
        result.emptySeconds = emptySeconds ?? base.emptySeconds
        return result
    }

    var json: JSONValue {
        [
            "durationSeconds": durationSeconds.map { .number($0) } ?? .null,
            "bytes": bytes.map { .integer($0) } ?? .null,
            "emptySeconds": emptySeconds.map { .number($0) } ?? .null,
        ]
    }
}

/// How an egress begins.
public struct EgressStart: Equatable, Sendable {
    public enum Preroll: Equatable, Sendable {
        /// From the key frame that the room already holds.
        case gop
        /// From the next key frame.
        case none
        case seconds(Double)
    }

    /// How long a room may stay without media before the egress is aborted.
    public static let defaultWaitSeconds = 30.0

    public var waitSeconds: Double?
    public var preroll: Preroll?

    public init() {}

    init(_ fields: inout FieldReader) {
        waitSeconds = fields.number("waitSeconds", 0...86_400)
        switch fields.value("preroll") {
        case .string("gop"): preroll = .gop
        case .string("none"): preroll = EgressStart.Preroll.none
        case nil: break
        case .string?:
            fields.note("preroll", "not_allowed", "`preroll` is neither gop, none nor a number.", "Use \"gop\".")
        default: preroll = fields.number("preroll", 0...60).map { .seconds($0) }
        }
    }

    func filled(from base: EgressStart) -> EgressStart {
        var result = self
        result.waitSeconds = waitSeconds ?? base.waitSeconds
        result.preroll = preroll ?? base.preroll
        return result
    }

    var json: JSONValue {
        let roll: JSONValue =
            switch preroll ?? .gop {
            case .gop: "gop"
            case .none: "none"
            case .seconds(let seconds): .number(seconds)
            }
        return ["waitSeconds": .number(waitSeconds ?? Self.defaultWaitSeconds), "preroll": roll]
    }
}

/// `PATCH /v1/egress/{id}`: a merge-patch of `limits` and `labels`.
public struct PatchEgress: Equatable, Sendable {
    public var durationSeconds: Patch<Double> = .keep
    public var bytes: Patch<Int64> = .keep
    public var emptySeconds: Patch<Double> = .keep
    /// By name; `clear` takes a label away.
    public var labels: [String: Patch<String>] = [:]

    /// - Throws: `invalid_request` with every field that is wrong; `not_supported` for a new layout.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        switch fields.raw("limits") {
        case nil: break
        case .null?: (durationSeconds, bytes, emptySeconds) = (.clear, .clear, .clear)
        case .some:
            let limits = fields.object("limits") { limits in
                (
                    limits.patch("durationSeconds") { $0.number("durationSeconds", 0.1...31_536_000) },
                    limits.patch("bytes") { $0.integer("bytes", 1...Int64.max) },
                    limits.patch("emptySeconds") { $0.number("emptySeconds", 0...31_536_000) }
                )
            }
            if let limits { (durationSeconds, bytes, emptySeconds) = limits }
        }
        labels = fields.labelPatches("labels")
        if fields.raw("source") != nil {
            fields.noteNotSupported("source", "This version has no layouts to change.", "Leave `source` out.")
        }
        try fields.finish()
    }

    /// The labels as they stand after this patch.
    /// - Throws: `invalid_request` when they are too many.
    public func applied(toLabels present: [String: String]) throws(ServiceError) -> [String: String] {
        var result = present
        for (name, patch) in labels {
            if case .set(let value) = patch { result[name] = value } else { result[name] = nil }
        }
        guard result.count <= max(FieldReader.labelLimit, present.count) else {
            throw ServiceError(
                .invalidRequest, "There would be \(result.count) labels.",
                remedy: "Give 0 to \(FieldReader.labelLimit) labels.")
        }
        return result
    }

    /// The limits as they stand after this patch.
    public func applied(toLimits present: EgressLimits) -> EgressLimits {
        var result = present
        func patched<Value>(_ patch: Patch<Value>, _ value: Value?) -> Value? {
            switch patch {
            case .keep: value
            case .clear: nil
            case .set(let new): new
            }
        }
        result.durationSeconds = patched(durationSeconds, present.durationSeconds)
        result.bytes = patched(bytes, present.bytes)
        result.emptySeconds = patched(emptySeconds, present.emptySeconds)
        return result
    }
}
