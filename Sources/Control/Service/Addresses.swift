import Config

/// The addresses that clients are told, from what the listeners are bound to and the names of the configuration.
struct Addresses: Sendable {
    /// As `https://host:7880`: what stands before a path of ours in a URL.
    let http: String
    /// As `rtmp://host:1935/live`; `nil` when `public.rtmp` names RTMPS only.
    private let rtmp: String?
    /// As `rtmps://host:1936/live`.
    private let rtmps: String?

    init(_ configuration: Config.Configuration, rtmpPort: UInt16, rtmpsPort: UInt16?) {
        let scheme = configuration.http.tls == nil ? "http" : "https"
        http =
            configuration.public.http ?? "\(scheme)://\(Self.named(configuration.http.host)):\(configuration.http.port)"
        let host = Self.named(configuration.rtmp.host)
        let name = configuration.public.rtmp ?? "rtmp://\(host):\(rtmpPort)"
        if name.hasPrefix("rtmps://") {
            (rtmp, rtmps) = (nil, name + "/live")
        } else {
            rtmp = name + "/live"
            rtmps = rtmpsPort.map { "rtmps://\(Self.host(of: name)):\($0)/live" }
        }
    }

    /// Where encoders connect to, without the key.
    var ingest: String { rtmp ?? rtmps ?? "" }

    func publish(streamKey: String) -> PublishAddresses {
        PublishAddresses(
            rtmp: rtmp.map { .init(server: $0, streamKey: streamKey) },
            rtmps: rtmps.map { .init(server: $0, streamKey: streamKey) })
    }

    /// A listener on every address is reached on this machine by its loopback; `public.rtmp` says more.
    private static func named(_ host: String) -> String {
        if host == "0.0.0.0" || host == "::" { return "127.0.0.1" }
        return host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }

    /// The host of `scheme://host[:port]`, an IPv6 address with its brackets.
    private static func host(of url: String) -> String {
        let authority = url.split(separator: "/").last.map { String($0) } ?? url
        guard let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") else { return authority }
        return String(authority[..<colon])
    }
}
