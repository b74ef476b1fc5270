/// What a token allows, by the names that LiveKit gives grants inside the claim `video`.
///
/// What a token leaves out it does not allow; but `canPublish` and `canSubscribe` left out mean yes, as there.
public struct VideoGrants: Equatable, Sendable {
    /// The room that the token is for; empty for none.
    public var room = ""
    public var roomJoin = false
    public var roomCreate = false
    public var roomList = false
    /// Moderates ``room``.
    public var roomAdmin = false
    /// Egress and compositions.
    public var roomRecord = false
    public var ingressAdmin = false
    public var canPublish: Bool?
    public var canSubscribe: Bool?
    /// `camera`, `microphone`, `screen_share`, `screen_share_audio`; empty: any.
    public var canPublishSources: [String] = []
    public var hidden = false
    public var recorder = false

    public init() {}

    /// Everything but a seat in a room: what `sluice token` gives to an operator's tools.
    public static var operations: VideoGrants {
        var grants = VideoGrants()
        grants.roomCreate = true
        grants.roomList = true
        grants.roomRecord = true
        grants.ingressAdmin = true
        return grants
    }
}
