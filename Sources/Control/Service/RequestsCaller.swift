public import JWT

/// Who asks: the key that signed the token, and what the token and the key allow.
public struct Caller: Equatable, Sendable {
    public var keyID: String
    public var grants: VideoGrants
    /// Who the token says it is; empty if it says nothing.
    public var identity: String
    /// The rooms that the key is limited to, as `acme-*`; `nil` for all.
    public var rooms: RoomPattern?

    public init(keyID: String, grants: VideoGrants, identity: String = "", rooms: RoomPattern? = nil) {
        self.keyID = keyID
        self.grants = grants
        self.identity = identity
        self.rooms = rooms
    }

    /// Whether `room` exists for this caller: within the key's rooms and, if the token names one, that room.
    ///
    /// Deviation: LiveKit reads the token's `room` for `roomJoin` and `roomAdmin` only. Here a token that names a room
    /// never sees another.
    public func maySee(room: String) -> Bool {
        guard rooms?.matches(room) ?? true else { return false }
        return grants.room.isEmpty || grants.room == room
    }

    /// - Throws: `not_found`, in the words of a room that does not exist.
    public func requireSight(of room: String) throws(ServiceError) {
        guard maySee(room: room) else { throw .noRoom(room) }
    }
}

/// A pattern of room names in which `*` stands for any text.
public struct RoomPattern: Equatable, Sendable {
    public var text: String

    public init(_ text: String) { self.text = text }

    public func matches(_ room: String) -> Bool {
        let pattern = Array(text.utf8)
        let name = Array(room.utf8)
        var (inPattern, inName) = (0, 0)
        var retry: (inPattern: Int, inName: Int)?
        while inName < name.count {
            if inPattern < pattern.count, pattern[inPattern] == UInt8(ascii: "*") {
                retry = (inPattern + 1, inName)
                inPattern += 1
            } else if inPattern < pattern.count, pattern[inPattern] == name[inName] {
                inPattern += 1
                inName += 1
            } else if let from = retry {
                retry = (from.inPattern, from.inName + 1)
                (inPattern, inName) = (from.inPattern, from.inName + 1)
            } else {
                return false
            }
        }
        return pattern[inPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension ServiceError {
    public static func noRoom(_ name: String) -> ServiceError {
        ServiceError(
            .notFound, "There is no room `\(name)`.",
            remedy: "Create it with POST /v1/rooms, or give \"createRoom\": true.")
    }

    public static func noEgress(_ id: String) -> ServiceError { ServiceError(.notFound, "There is no egress `\(id)`.") }

    public static func noIngress(_ id: String) -> ServiceError {
        ServiceError(.notFound, "There is no ingress `\(id)`.")
    }
}
