public import Log

/// Where a push goes, taken apart: `rtmp[s]://host[:port]/app[/instance]/key[?query]`.
public struct PushAddress: Sendable {
    public let isSecure: Bool
    public let host: String
    public let port: UInt16
    public let app: String
    /// What the destination knows the stream by: a secret.
    public let key: Secret

    /// librtmp writes a name into a buffer of 1024 bytes, with what stands around it.
    private static let nameLimit = 512

    /// - Throws: ``PushFailure/badAddress(reason:)``. No retry will help.
    public init(_ url: String) throws(PushFailure) {
        let parts = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .badAddress(reason: "it does not begin with rtmp:// or rtmps://") }
        switch parts[0].lowercased() {
        case "rtmp": isSecure = false
        case "rtmps": isSecure = true
        default: throw .badAddress(reason: "its scheme is neither rtmp nor rtmps")
        }
        guard let slash = parts[1].firstIndex(of: "/") else { throw .badAddress(reason: "it has no application") }
        (host, port) = try Self.authority(parts[1][..<slash], defaultPort: isSecure ? 443 : 1935)
        let path = parts[1][parts[1].index(after: slash)...]
        let query = path.firstIndex(of: "?") ?? path.endIndex
        guard let end = path[..<query].lastIndex(of: "/") else { throw .badAddress(reason: "it has no stream key") }
        app = String(path[..<end])
        key = Secret(String(path[path.index(after: end)...]))
        guard !app.isEmpty else { throw .badAddress(reason: "it has no application") }
        guard !key.reveal().isEmpty else { throw .badAddress(reason: "it has no stream key") }
        guard app.utf8.count <= Self.nameLimit, key.reveal().utf8.count <= Self.nameLimit else {
            throw .badAddress(reason: "a name in it is longer than \(Self.nameLimit) bytes")
        }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .badAddress(reason: "it holds a character that a URL may not")
        }
    }

    /// The address without the key, as `connect` names it, and for logs.
    public var server: String {
        let name = host.contains(":") ? "[\(host)]" : host
        let suffix = port == (isSecure ? 443 : 1935) ? "" : ":\(port)"
        return "\(isSecure ? "rtmps" : "rtmp")://\(name)\(suffix)/\(app)"
    }

    private static func authority(
        _ text: Substring, defaultPort: UInt16
    ) throws(PushFailure) -> (host: String, port: UInt16) {
        guard !text.contains("@") else { throw .badAddress(reason: "a user name before the host is not supported") }
        var host = text
        var port: Substring?
        if text.hasPrefix("["), let bracket = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<bracket]
            let rest = text[text.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw .badAddress(reason: "its host is malformed") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, host.utf8.count <= 255 else { throw .badAddress(reason: "it has no usable host") }
        guard let port else { return (String(host), defaultPort) }
        guard let number = UInt16(port), number > 0 else { throw .badAddress(reason: "its port is no port") }
        return (String(host), number)
    }
}
