public import JSON
public import Timing

/// The claims of an access token (RFC 7519 section 4) as LiveKit lays them out. Unknown claims are kept.
public struct AccessToken: Equatable, Sendable {
    /// `iss`: the API key whose secret signs the token.
    public var keyID: String
    /// `sub`: the participant's identity; may be empty for a server's token.
    public var identity: String
    public var name: String
    public var metadata: String
    public var grants: VideoGrants
    /// `exp`.
    public var expiresAt: WallTime
    /// `nbf`.
    public var notBefore: WallTime?
    /// Claims that this type has no field for, in the token's order.
    public var otherClaims: [JSONMember]

    public init(
        keyID: String, identity: String = "", name: String = "", metadata: String = "", grants: VideoGrants,
        expiresAt: WallTime, notBefore: WallTime? = nil, otherClaims: [JSONMember] = []
    ) {
        self.keyID = keyID
        self.identity = identity
        self.name = name
        self.metadata = metadata
        self.grants = grants
        self.expiresAt = expiresAt
        self.notBefore = notBefore
        self.otherClaims = otherClaims
    }
}

extension AccessToken {
    /// Reads the claims set of a token whose signature is not yet known to be good.
    /// - Throws: `malformed`: a claim has another type than RFC 7519 or LiveKit gives it, or `exp` is missing.
    init(claims: JSONValue) throws(TokenError) {
        guard case .object(let members) = claims else { throw .malformed("the payload is not a JSON object") }
        var claims = ClaimReader(members)
        keyID = try claims.text("iss")
        identity = try claims.text("sub")
        name = try claims.text("name")
        metadata = try claims.text("metadata")
        notBefore = try claims.time("nbf")
        guard let expiry = try claims.time("exp") else { throw .malformed("it has no `exp`") }
        expiresAt = expiry
        switch claims.take("video") {
        case nil, .null?: grants = VideoGrants()
        case .object(let members)?: grants = try VideoGrants(members)
        default: throw .malformed("`video` is not an object")
        }
        otherClaims = claims.rest
    }

    /// The claims set, times in whole seconds.
    var claims: JSONValue {
        var members = [JSONMember("iss", .string(keyID))]
        if !identity.isEmpty { members.append(JSONMember("sub", .string(identity))) }
        if !name.isEmpty { members.append(JSONMember("name", .string(name))) }
        if !metadata.isEmpty { members.append(JSONMember("metadata", .string(metadata))) }
        if let notBefore { members.append(JSONMember("nbf", .integer(notBefore.nanoseconds / 1_000_000_000))) }
        members.append(JSONMember("exp", .integer(expiresAt.nanoseconds / 1_000_000_000)))
        members.append(JSONMember("video", grants.json))
        return .object(members + otherClaims)
    }
}

extension VideoGrants {
    init(_ members: [JSONMember]) throws(TokenError) {
        self.init()
        var claims = ClaimReader(members)
        room = try claims.text("room")
        roomJoin = try claims.flag("roomJoin") ?? false
        roomCreate = try claims.flag("roomCreate") ?? false
        roomList = try claims.flag("roomList") ?? false
        roomAdmin = try claims.flag("roomAdmin") ?? false
        roomRecord = try claims.flag("roomRecord") ?? false
        ingressAdmin = try claims.flag("ingressAdmin") ?? false
        canPublish = try claims.flag("canPublish")
        canSubscribe = try claims.flag("canSubscribe")
        hidden = try claims.flag("hidden") ?? false
        recorder = try claims.flag("recorder") ?? false
        for source in claims.take("canPublishSources")?.array ?? [] {
            guard let text = source.string else { throw .malformed("`canPublishSources` is not an array of strings") }
            canPublishSources.append(text)
        }
    }

    /// As the claim `video`: what is not granted is left out.
    var json: JSONValue {
        var members: [JSONMember] = []
        if !room.isEmpty { members.append(JSONMember("room", .string(room))) }
        let flags: [(String, Bool)] = [
            ("roomJoin", roomJoin), ("roomCreate", roomCreate), ("roomList", roomList), ("roomAdmin", roomAdmin),
            ("roomRecord", roomRecord), ("ingressAdmin", ingressAdmin), ("hidden", hidden), ("recorder", recorder),
        ]
        members += flags.filter(\.1).map { JSONMember($0.0, true) }
        if let canPublish { members.append(JSONMember("canPublish", .bool(canPublish))) }
        if let canSubscribe { members.append(JSONMember("canSubscribe", .bool(canSubscribe))) }
        if !canPublishSources.isEmpty {
            members.append(JSONMember("canPublishSources", .array(canPublishSources.map { .string($0) })))
        }
        return .object(members)
    }
}

/// Takes known claims out of an object, and knows what is left.
private struct ClaimReader {
    private(set) var rest: [JSONMember]

    init(_ members: [JSONMember]) { rest = members }

    mutating func take(_ name: String) -> JSONValue? {
        guard let index = rest.firstIndex(where: { $0.name == name }) else { return nil }
        return rest.remove(at: index).value
    }

    /// Empty when absent or `null`.
    mutating func text(_ name: String) throws(TokenError) -> String {
        switch take(name) {
        case nil, .null?: ""
        case .string(let text)?: text
        default: throw .malformed("`\(name)` is not a string")
        }
    }

    mutating func flag(_ name: String) throws(TokenError) -> Bool? {
        switch take(name) {
        case nil, .null?: nil
        case .bool(let flag)?: flag
        default: throw .malformed("`\(name)` is not true or false")
        }
    }

    /// A NumericDate (RFC 7519 section 2): seconds since 1970, perhaps with a fraction; clamped to 64 bits of nanoseconds.
    mutating func time(_ name: String) throws(TokenError) -> WallTime? {
        let seconds: Double
        switch take(name) {
        case nil, .null?: return nil
        case .integer(let whole)?: seconds = Double(whole)
        case .number(let number)?: seconds = number
        default: throw .malformed("`\(name)` is not a number")
        }
        return WallTime(nanoseconds: Int64(clamping: Int128(min(max(seconds, -9e9), 9e9) * 1e9)))
    }
}
