import Assignments

/// What an `hls` output is asked to be.
public struct HLSRequest: Equatable, Sendable {
    /// How the playlists grow.
    public enum Playlist: String, Sendable, CaseIterable {
        /// They keep every segment, and become a recording at the end.
        case event
        /// They keep the last segments; older ones are deleted.
        case live
    }

    /// Who may fetch it without a token or a link.
    public enum Access: String, Codable, Sendable, CaseIterable {
        case `private`, `public`
    }

    /// Segments that a live playlist keeps when the request does not say.
    public static let defaultWindow = 6

    /// The folder.
    public var path: PathTemplate
    public var segmentSeconds = 6.0
    public var playlist = Playlist.event
    /// Segments that a live playlist keeps; `nil` for an event.
    public var windowSegments: Int?
    public var access = Access.private

    public init(path: PathTemplate = .presentation) { self.path = path }

    /// The members of an output of this type beside `id` and `type`.
    init(_ fields: inout FieldReader) {
        path = .presentation
        if let text = fields.text("path", bytes: 1...1024) { readPath(text, &fields) }
        segmentSeconds = fields.number("segmentSeconds", 1...60) ?? segmentSeconds
        playlist = fields.choice("playlist") ?? playlist
        access = fields.choice("access") ?? access
        let window = fields.integer("windowSegments", 3...1000).map { Int($0) }
        if playlist == .live {
            windowSegments = window ?? Self.defaultWindow
        } else if window != nil {
            fields.note(
                "windowSegments", "not_allowed", "An event keeps every segment.",
                "Say \"playlist\": \"live\", or leave it out.")
        }
    }

    private mutating func readPath(_ text: String, _ fields: inout FieldReader) {
        guard !text.lowercased().hasSuffix(".m3u8") else {
            return fields.note(
                "path", "not_allowed", "The path of an hls output is a folder; its playlist is index.m3u8 in it.",
                "Name the folder.")
        }
        do {
            path = try PathTemplate(text)
        } catch {
            fields.note("path", "not_allowed", error.detail, error.remedy)
        }
    }

    /// The output as it stands in a request.
    func json(id: String) -> JSONValue {
        [
            "id": .string(id), "type": "hls", "path": .string(path.text), "segmentSeconds": .number(segmentSeconds),
            "playlist": .string(playlist.rawValue),
            "windowSegments": windowSegments.map { .integer(Int64($0)) } ?? .null, "access": .string(access.rawValue),
        ]
    }

    var plan: HLSPlan { HLSPlan(segmentSeconds: segmentSeconds, windowSegments: windowSegments) }
}

/// `POST /v1/egress/{id}/links`.
public struct CreateLinks: Equatable, Sendable {
    /// A week.
    public static let maximumSeconds: Int64 = 604_800
    public static let defaultSeconds: Int64 = 3600

    public var ttlSeconds: Int64

    public init(ttlSeconds: Int64 = defaultSeconds) { self.ttlSeconds = ttlSeconds }

    /// - Throws: `invalid_request` with every field that is wrong.
    public init(_ json: JSONValue) throws(ServiceError) {
        var fields = FieldReader(json)
        ttlSeconds = fields.integer("ttlSeconds", 1...Self.maximumSeconds) ?? Self.defaultSeconds
        try fields.finish()
    }
}
