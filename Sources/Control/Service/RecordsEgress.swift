/// A room, or a part of it, on its way out.
public struct EgressRecord: Codable, Equatable, Sendable {
    /// `EG_…`
    public var id: String
    public var roomId: String
    public var room: String
    public var state: EgressState
    @OrNull public var stateReason: String?
    public var createdAt: Timestamp
    /// Wall time of the first video key frame of the first output.
    @OrNull public var startedAt: Timestamp?
    public var updatedAt: Timestamp
    @OrNull public var endedAt: Timestamp?
    /// When its files were deleted; the record stays a while.
    @OrNull public var deletedAt: Timestamp?
    public var attempt: Int
    /// An output failed, and another lived.
    public var partial: Bool
    @OrNull public var error: Notice?
    public var warnings: [Notice]
    @OrNull public var queue: QueueRecord?
    /// The request with defaults and pipeline filled in, secrets as `***`.
    public var spec: JSONValue
    public var labels: [String: String]
    /// The manifest's path.
    public var manifest: String
    public var outputs: [OutputRecord]
    @OrNull public var keyId: String?

    public init(
        id: String, roomId: String, room: String, state: EgressState, createdAt: Timestamp, updatedAt: Timestamp,
        attempt: Int = 1, spec: JSONValue, labels: [String: String] = [:], outputs: [OutputRecord],
        keyId: String? = nil
    ) {
        self.id = id
        self.roomId = roomId
        self.room = room
        self.state = state
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.attempt = attempt
        partial = false
        warnings = []
        self.spec = spec
        self.labels = labels
        manifest = "/v1/egress/\(id)/manifest"
        self.outputs = outputs
        self.keyId = keyId
    }
}

/// One file or destination of an egress.
public struct OutputRecord: Codable, Equatable, Sendable {
    public var id: String
    public var type: OutputType
    public var state: OutputState
    @OrNull public var startedAt: Timestamp?
    @OrNull public var endedAt: Timestamp?
    public var durationSeconds: Double
    public var sizeBytes: Int64
    /// The file's absolute path, or the destination without its key.
    @OrNull public var location: String?
    /// Where the API serves the file; `nil` for a push.
    @OrNull public var href: String?
    public var parts: [PartRecord]
    public var retries: Int
    @OrNull public var error: Notice?
    /// Who may fetch an `hls` output without a token or a link; `nil` for other outputs.
    @OrNull public var access: HLSRequest.Access?

    public init(id: String, type: OutputType, state: OutputState = .pending, href: String? = nil) {
        self.id = id
        self.type = type
        self.state = state
        durationSeconds = 0
        sizeBytes = 0
        self.href = href
        parts = []
        retries = 0
    }
}

/// One file of an output that took several.
public struct PartRecord: Codable, Equatable, Sendable {
    /// Counted from 1.
    public var number: Int
    public var location: String
    public var href: String
    public var durationSeconds: Double
    public var sizeBytes: Int64

    public init(number: Int, location: String, href: String, durationSeconds: Double, sizeBytes: Int64) {
        self.number = number
        self.location = location
        self.href = href
        self.durationSeconds = durationSeconds
        self.sizeBytes = sizeBytes
    }
}

/// One file that an egress left, as `…/files` lists it.
public struct FileRecord: Codable, Equatable, Sendable {
    /// Beneath the egress: append it to `…/files/`.
    public var path: String
    /// The output that wrote it; `nil` for the manifest.
    @OrNull public var output: String?
    public var sizeBytes: Int64
    public var modifiedAt: Timestamp
    public var contentType: String
    public var href: String

    public init(
        path: String, output: String?, sizeBytes: Int64, modifiedAt: Timestamp, contentType: String, href: String
    ) {
        self.path = path
        self.output = output
        self.sizeBytes = sizeBytes
        self.modifiedAt = modifiedAt
        self.contentType = contentType
        self.href = href
    }
}

/// Where the API finds the bytes of a file. Never shown to a client.
public struct ServedFile: Equatable, Sendable {
    /// Absolute, resolved by the service beneath the storage root.
    public var path: String
    /// What a browser calls the download.
    public var name: String
    public var contentType: String
    /// It never changes once it is there, as a segment.
    public var isImmutable: Bool

    public init(path: String, name: String, contentType: String, isImmutable: Bool = false) {
        self.path = path
        self.name = name
        self.contentType = contentType
        self.isImmutable = isImmutable
    }
}

/// Links to the files of an egress that need no token.
public struct LinksRecord: Codable, Equatable, Sendable {
    public var ttlSeconds: Int64
    public var expiresAt: Timestamp
    public var outputs: [LinkRecord]
}

/// The link to one output: a playlist, or a file. Addresses relative to it are signed with it.
public struct LinkRecord: Codable, Equatable, Sendable {
    public var id: String
    public var type: OutputType
    public var url: String
}
