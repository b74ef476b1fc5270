/// One request to a gateway or another HTTP server.
public struct HTTPRequest: Equatable, Sendable {
    public var method: String
    /// Absolute, `http` or `https`.
    public var url: String
    public var headers: [HTTPField]
    public var body: [UInt8]?
    /// From begin to end; a download has none, but fails after 30 s without a byte.
    public var timeout: Duration?

    public init(
        _ method: String, _ url: String, headers: [HTTPField] = [], body: [UInt8]? = nil,
        timeout: Duration? = .seconds(30)
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
    }
}

/// One header field, as sent.
public struct HTTPField: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What came back, whatever its status.
public struct HTTPResponse: Equatable, Sendable {
    public var status: Int
    public var headers: [HTTPField]
    /// Empty after a download that was written to its file.
    public var body: [UInt8]

    /// The first field of this name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// How far a transfer is, in bytes.
public struct TransferProgress: Equatable, Sendable {
    public var received: Int64
    /// `nil` while the server has not said.
    public var total: Int64?
}

/// Why there is no response. *End this request*; the caller says it to a person or tries again.
public enum TransferError: Error, Equatable, Sendable, CustomStringConvertible {
    case refused(url: String)
    case unknownHost(url: String)
    case timedOut(url: String)
    case invalidURL(String)
    case untrustedCertificate(url: String, words: String)
    case brokenOff(url: String, words: String)
    case tooLarge(url: String, limit: Int)
    /// The caller's progress closure said so.
    case cancelled
    case file(path: String, words: String)
    case failed(url: String, words: String)

    /// What happened.
    public var description: String {
        switch self {
        case .refused(let url): "no gateway at \(url)"
        case .unknownHost(let url): "the host of \(url) is not known"
        case .timedOut(let url): "\(url) does not answer"
        case .invalidURL(let url): "`\(url)` is no http or https URL"
        case .untrustedCertificate(let url, let words): "the certificate of \(url) is not trusted: \(words)"
        case .brokenOff(let url, let words): "the connection to \(url) broke off: \(words)"
        case .tooLarge(let url, let limit): "the answer of \(url) is larger than \(limit) bytes"
        case .cancelled: "cancelled"
        case .file(let path, let words): "can't write \(path): \(words)"
        case .failed(let url, let words): "\(url): \(words)"
        }
    }

    /// What the reader can do about it; `nil` when there is nothing to say.
    public var remedy: String? {
        switch self {
        case .refused: "Start one with `sluice serve --dev`, or name another with --url or SLUICE_URL."
        case .unknownHost, .invalidURL: "Check --url or SLUICE_URL."
        case .timedOut: "Look at the gateway's log and at /healthz; a firewall between may drop packets, too."
        case .untrustedCertificate: "Install the certificate's authority, or use the name that it was made for."
        case .brokenOff: "Try again; the gateway's log tells if it restarted."
        case .file: "Choose a path that you may write to, on a disk with room."
        case .tooLarge, .cancelled, .failed: nil
        }
    }
}
