public import Forwarding
public import Log

/// Names one RTMP session of this process; never used again.
public struct RTMPSessionNumber: Hashable, Sendable, CustomStringConvertible {
    let rawValue: UInt64
    public var description: String { "rtmp-\(rawValue)" }
}

/// What the RTMP sessions tell the control plane.
public enum RTMPServerEvent: Sendable {
    /// Somebody wants to publish; answer with ``RTMPServer/accept(_:as:)`` or ``RTMPServer/reject(_:because:)``.
    case publishRequested(PublishRequest)
    /// About once a second while media flows.
    case progress(RTMPSessionNumber, PublicationReport)
    /// The session is over. After this nothing more comes of it.
    case ended(RTMPSessionNumber, reason: String, PublicationReport?)
}

public struct PublishRequest: Sendable {
    public let session: RTMPSessionNumber
    public let app: String
    public let streamKey: Secret
    /// The publisher's address.
    public let remote: String
    /// What the encoder calls itself (`flashVer`).
    public let encoder: String
}

/// Leave to publish: into which room, as whom. The ids are what clients see.
public struct PublishGrant: Sendable {
    /// What the log calls the session: no secret.
    public let session: String
    public let room: String
    public let participant: String
    public let identity: String
    public let name: String
    public let videoTrack: String
    public let audioTrack: String

    public init(
        session: String = "", room: String, participant: String, identity: String, name: String, videoTrack: String,
        audioTrack: String
    ) {
        self.session = session
        self.room = room
        self.participant = participant
        self.identity = identity
        self.name = name
        self.videoTrack = videoTrack
        self.audioTrack = audioTrack
    }
}
