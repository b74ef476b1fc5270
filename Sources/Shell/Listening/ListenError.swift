/// Why a listener could not be had. *Refuse to start.*
public enum ListenError: Error, Equatable, Sendable {
    case portInUse(host: String, port: UInt16)
    case notPermitted(host: String, port: UInt16)
    /// Neither a name nor an address of this machine.
    case badAddress(host: String, reason: String)
    case failed(host: String, port: UInt16, reason: String)

    /// What happened, without a full stop.
    public var description: String {
        switch self {
        case .portInUse(let host, let port): "Port \(port) on \(host) is in use by another program"
        case .notPermitted(let host, let port): "No permission to listen on \(host) port \(port)"
        case .badAddress(let host, let reason): "Cannot listen on \(host): \(reason)"
        case .failed(let host, let port, let reason): "Cannot listen on \(host) port \(port): \(reason)"
        }
    }

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .portInUse(_, let port):
            "Stop it (`ss -ltnp 'sport = :\(port)'` names it), or choose another port in the configuration."
        case .notPermitted: "Ports under 1024 need root or CAP_NET_BIND_SERVICE."
        case .badAddress: "Set `host` to an address of this machine, or to 0.0.0.0 for all."
        case .failed: "Check the limits of open files (`ulimit -n`) and of memory."
        }
    }

    /// Both, for the terminal.
    public var message: String { "\(description). \(remedy)" }
}
