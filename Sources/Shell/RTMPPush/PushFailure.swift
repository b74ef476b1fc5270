/// Why a push to a destination stopped, in words for the person who started it. Hosts are named, keys never.
public enum PushFailure: Error, Equatable, Sendable {
    /// The address cannot be used; the only failure after which no retry helps.
    case badAddress(reason: String)
    case unreachable(host: String, reason: String)
    case refused(host: String, code: String)
    case stalled(host: String, after: Duration)
    case dropped(host: String)

    public var message: String {
        switch self {
        case .badAddress(let reason): "The address of the destination cannot be used: \(reason)."
        case .unreachable(let host, let reason): "\(host) cannot be reached: \(reason)."
        case .refused(let host, let code): "\(host) refused the stream (\(code)): check the address and the key."
        case .stalled(let host, let after): "\(host) took no data for \(after.components.seconds) s."
        case .dropped(let host): "\(host) dropped the connection."
        }
    }

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .badAddress: "Give it as rtmp://HOST/APP/KEY or rtmps://HOST/APP/KEY."
        case .unreachable(let host, _): "Check the address, and that \(host) accepts connections on that port."
        case .refused(let host, _): "Check the address and the stream key for \(host)."
        case .stalled(let host, _): "\(host) takes no data: look at its status page, or push to its backup address."
        case .dropped: "Nothing: the output tries again by itself."
        }
    }

    /// The code of the API's errors.
    public var code: String {
        switch self {
        case .badAddress: "invalid_request"
        case .unreachable: "destination_unreachable"
        case .refused: "destination_refused"
        case .stalled: "destination_stalled"
        case .dropped: "destination_dropped"
        }
    }

    /// True if another try may end better.
    public var isWorthRetrying: Bool {
        if case .badAddress = self { false } else { true }
    }
}
