public import Listening

/// Why the server does not listen. *Refuse to start.*
public enum HTTPServerError: Error, Equatable, Sendable, CustomStringConvertible {
    case listen(ListenError)
    case badCertificate(reason: String)
    case failed(call: String, errno: Int32)

    public var description: String {
        switch self {
        case .listen(let error): error.description
        case .badCertificate(let reason): "the certificate cannot be used for HTTPS: \(reason)"
        case .failed(let call, let errno): "\(call) failed with errno \(errno)"
        }
    }

    /// What the reader can do about it.
    public var remedy: String {
        switch self {
        case .listen(let error): error.remedy
        case .badCertificate: "Give http.tls a certificate and key in PEM (RSA with 2048 bits or more, or ECDSA P-256)."
        case .failed: "Check the limits of open files (`ulimit -n`) and of memory."
        }
    }
}
