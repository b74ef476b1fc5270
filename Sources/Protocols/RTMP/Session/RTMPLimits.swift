/// What one RTMP session may take: time, memory, rate.
public struct RTMPLimits: Equatable, Sendable {
    /// From the connection to the end of the handshake.
    public var handshake: Duration = .seconds(5)
    /// From the end of the handshake to the request to publish, and from the leave to publish to the first media.
    public var firstMedia: Duration = .seconds(15)
    /// From one audio or video message to the next.
    public var idle: Duration = .seconds(30)
    public var chunks = ChunkLimits()
    /// Bytes of one command or data message.
    public var commandBytes = 64 << 10
    /// Bytes of an application's name, and of a stream key with its query.
    public var nameBytes = 256
    /// Bytes of media held while the request to publish is not answered.
    public var heldBytes = 1 << 20
    /// Bits a second, measured with a burst of ten seconds' worth.
    public var bitrate = 100_000_000

    public init() {}
}
