/// Why the server does not listen. *Refuse to start.*
public enum HTTPServerError: Error, Equatable, Sendable, CustomStringConvertible {
    case addressInUse(host: String, port: Int)
    /// Neither a name nor an address of this machine.
    case badAddress(host: String, reason: String)
    case notPermitted(host: String, port: Int)
    case badCertificate(reason: String)
    case failed(call: String, errno: Int32)

    public var description: String {
        switch self {
        case .addressInUse(let host, let port): "port \(port) on \(host) is in use by another program"
        case .badAddress(let host, let reason): "cannot listen on \(host): \(reason)"
        case .notPermitted(let host, let port): "not allowed to listen on port \(port) of \(host)"
        case .badCertificate(let reason): "the certificate cannot be used for HTTPS: \(reason)"
        case .failed(let call, let errno): "\(call) failed with errno \(errno)"
        }
    }

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .addressInUse(_, let port):
            "Stop what listens on port \(port) (`ss -ltnp` names it), or set another http.port (SLUICE_HTTP_PORT)."
        case .badAddress: "Set http.host to an address of this machine, or to 0.0.0.0 for all."
        case .notPermitted: "Use a port from 1024 up, or give the program CAP_NET_BIND_SERVICE."
        case .badCertificate: "Give http.tls a certificate and key in PEM (RSA with 2048 bits or more, or ECDSA P-256)."
        case .failed: "Check the limits of open files (`ulimit -n`) and of memory."
        }
    }
}
