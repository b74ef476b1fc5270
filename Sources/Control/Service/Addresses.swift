import Config

/// The addresses that clients are told, from what the listeners are bound to and the names of the configuration.
struct Addresses: Sendable {
    /// As `rtmp://host:1935/live`.
    let rtmpServer: String

    init(_ configuration: Config.Configuration, rtmpPort: UInt16) {
        let host = Self.named(configuration.rtmp.host)
        rtmpServer = (configuration.public.rtmp ?? "rtmp://\(host):\(rtmpPort)") + "/live"
    }

    func publish(streamKey: String) -> PublishAddresses {
        PublishAddresses(rtmp: .init(server: rtmpServer, streamKey: streamKey))
    }

    /// A listener on every address is reached on this machine by its loopback; `public.rtmp` says more.
    private static func named(_ host: String) -> String { host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host }
}
