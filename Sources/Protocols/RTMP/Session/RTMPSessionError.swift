import Timing

/// Why an RTMP session ended. Each ends this session only.
public enum RTMPSessionError: Error, Equatable, Sendable, CustomStringConvertible {
    case handshake(HandshakeError)
    case chunk(ChunkError)
    case command(AMF0Error)
    /// A command or data message over ``RTMPLimits/commandBytes``.
    case commandTooLong(Int)
    /// A command out of its order, as `publish` before `connect`.
    case unexpectedCommand(String)
    /// A name over ``RTMPLimits/nameBytes``.
    case nameTooLong(String, bytes: Int)
    case handshakeTimeout(Duration)
    case publishTimeout(Duration)
    case firstMediaTimeout(Duration)
    case idleTimeout(Duration)
    case heldMedia(bytes: Int)
    case bitrate(limit: Int)
    case playNotSupported
    case rejected(String)
    /// The gateway ended it.
    case closed(String)

    public var description: String {
        switch self {
        case .handshake(.unsupportedVersion(let version)):
            "not RTMP: the first byte is \(version), not 3 (for RTMPS use the TLS port)"
        case .chunk(let error): "malformed chunk stream: \(error)"
        case .command(let error): "malformed command: \(error)"
        case .commandTooLong(let count): "a command of \(count) bytes is over the limit"
        case .unexpectedCommand(let name): "unexpected command \(name)"
        case .nameTooLong(let what, let count): "\(what) of \(count) bytes is over the limit"
        case .handshakeTimeout(let limit): "no handshake within \(limit.inSeconds) s"
        case .publishTimeout(let limit): "no request to publish within \(limit.inSeconds) s"
        case .firstMediaTimeout(let limit): "no media within \(limit.inSeconds) s"
        case .idleTimeout(let limit): "no media for \(limit.inSeconds) s"
        case .heldMedia(let count): "\(count) bytes of media came before the leave to publish"
        case .bitrate(let limit): "over the limit of \(limit) bit/s"
        case .playNotSupported: "playing over RTMP is not supported"
        case .rejected(let reason): "refused: \(reason)"
        case .closed(let reason): reason
        }
    }
}
