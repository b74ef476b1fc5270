import YAML

/// One key of the configuration file: its place in ``Configuration``, how it is written, and what it is for.
struct Field: Sendable {
    /// Dotted, as `limits.rtmp.idle`.
    let key: String
    let comment: String
    let words: String
    let isStructured: Bool
    /// Its variable may also be given as `…_FILE`.
    let isSecret: Bool
    let read: @Sendable (YAMLNode, inout Configuration) throws(ValueError) -> Void
    let write: @Sendable (Configuration) -> String

    /// Whether two configurations have different values here; secrets count, though they print alike.
    let differs: @Sendable (Configuration, Configuration) -> Bool

    init<Value: Equatable & Sendable>(
        _ key: String, _ path: any WritableKeyPath<Configuration, Value> & Sendable, _ kind: ValueKind<Value>,
        isSecret: Bool = false, _ comment: String
    ) {
        self.key = key
        self.comment = comment
        self.isSecret = isSecret
        words = kind.words
        isStructured = kind.isStructured
        read = { node, configuration throws(ValueError) in configuration[keyPath: path] = try kind.read(node) }
        write = { kind.write($0[keyPath: path]) }
        differs = { $0[keyPath: path] != $1[keyPath: path] }
    }

    /// Whether this version does what the key says.
    enum Readiness { case built, withoutEffect }

    var readiness: Readiness {
        switch key {
        case "workers.count": .withoutEffect
        default: key.hasPrefix("rtc.") ? .withoutEffect : .built
        }
    }

    /// `http.port` is `SLUICE_HTTP_PORT`.
    var variable: String { "SLUICE_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined() }
}

extension Field {
    /// All keys, in the order of the printed file.
    static let all: [Field] = listeners + plumbing + limits

    private static let listeners: [Field] = [
        Field("http.host", \.http.host, .text, "The address that REST, HLS and WHIP listen on."),
        Field("http.port", \.http.port, .port, "Its TCP port."),
        Field("http.tls", \.http.tls, .tls, "{ cert: FILE, key: FILE } in PEM makes it HTTPS."),
        Field(
            "http.cors_origins", \.http.corsOrigins, ValueKind.text.list(), "Web origins whose pages may call the API."),
        Field(
            "http.trusted_proxies", \.http.trustedProxies, ValueKind.text.list(),
            "Addresses or networks of proxies whose X-Forwarded-For is believed."),
        Field("rtmp.host", \.rtmp.host, .text, "The address that encoders publish to."),
        Field("rtmp.port", \.rtmp.port, .port, "Its TCP port."),
        Field(
            "rtmp.tls_port", \.rtmp.tlsPort, ValueKind.port.optional(),
            "A further port for RTMPS; it uses the files of http.tls."),
        Field("rtc.udp_port", \.rtc.udpPort, .port, "The first UDP port of WebRTC; loop i uses this port + i."),
        Field("rtc.tcp_port", \.rtc.tcpPort, .port, "The TCP port of WebRTC, for networks that block UDP."),
        Field("rtc.node_ip", \.rtc.nodeIP, ValueKind.text.optional("auto"), "The address that candidates show."),
        Field(
            "rtc.advertise", \.rtc.advertise, ValueKind.text.list(),
            "Further addresses in candidates, for a gateway behind NAT."),
        Field(
            "rtc.ice_servers", \.rtc.iceServers, ValueKind.iceServer.list(), isSecret: true,
            "STUN and TURN servers for clients: { urls: [..], username:, credential: }."),
        Field(
            "public.http", \.public.http, ValueKind.text.optional(),
            "The URL that clients see, as https://live.example.com."),
        Field(
            "public.rtmp", \.public.rtmp, ValueKind.text.optional(),
            "The URL that encoders see, as rtmp://live.example.com:1935."),
    ]

    private static let plumbing: [Field] = [
        Field(
            "keys", \.keys, .keys, isSecret: true,
            "KEY: SECRET, or KEY: { secret:, secret_file:, rooms: \"acme-*\" }. `sluice token --new-key` makes one."),
        Field("data", \.data, .text, "The folder of store/, recordings/, tapes/ and tmp/; one gateway a folder."),
        Field(
            "pipelines", \.pipelines, ValueKind.text.optional("auto"),
            "The folder with pipeline files; auto: beside the program, or ../share/sluice/pipelines."),
        Field(
            "workers.count", \.workers.count, ValueKind.count(1...256).optional("auto"),
            "Processes for jobs that decode or encode; auto: one a core."),
        Field("log.level", \.log.level, .choice, "What is written: debug, info, warning, error."),
        Field(
            "log.format", \.log.format, .choice, "text, json, or auto: text on a terminal, else one JSON object a line."
        ),
        Field(
            "egress.resume_within", \.egress.resumeWithin, .duration(.zero...day),
            "How long running egress waits for its publisher after a restart."),
        Field(
            "retention.recordings", \.retention.recordings, ValueKind.duration(hour...century).optional(),
            "Recordings are deleted after this; null: never."),
        Field(
            "retention.tapes", \.retention.tapes, ValueKind.duration(hour...century).optional(), "The same for tapes."),
        Field(
            "retention.records", \.retention.records, ValueKind.duration(hour...century).optional(),
            "Records of egress, sessions and jobs that ended are deleted after this."),
        Field(
            "shutdown.wait", \.shutdown.wait, .duration(.zero...hour),
            "How long SIGTERM waits before running egress is sealed."),
    ]

    private static let limits: [Field] = [
        Field(
            "limits.request_bytes", \.limits.requestBytes, .size(1024...(64 << 20)),
            "Of a request's body; more is a 413."),
        Field(
            "limits.header_bytes", \.limits.headerBytes, .size(1024...(1 << 20)),
            "Of a request's line and header fields; more is a 431."),
        Field("limits.connections", \.limits.connections, .count(10...100_000), "Open HTTP connections; more wait."),
        Field(
            "limits.connections_per_address", \.limits.connectionsPerAddress, .count(1...1_000_000),
            "Open connections from one address (IPv6: one /64), HTTP and RTMP each; trusted proxies are not counted."),
        Field(
            "limits.posts_per_second_per_address", \.limits.postsPerSecondPerAddress, .count(1...1_000_000),
            "POST requests from one address; more is a 429."),
        Field(
            "limits.rtmp.handshake", \.limits.rtmp.handshake, .duration(second...hour), "Until the handshake is done."),
        Field(
            "limits.rtmp.first_media", \.limits.rtmp.firstMedia, .duration(second...hour),
            "From publish to the first sound or picture."),
        Field("limits.rtmp.idle", \.limits.rtmp.idle, .duration(second...day), "Without a byte from the publisher."),
        Field(
            "limits.rtmp.bitrate", \.limits.rtmp.bitrateBps, .bitrate(100_000...10_000_000_000),
            "Of one publisher, averaged over 10 s."),
        Field("limits.rtmp.sessions", \.limits.rtmp.sessions, .count(1...1_000_000), "Open RTMP sessions."),
        Field(
            "limits.replay.bytes", \.limits.replay.bytes, .size((1 << 20)...(64 << 30)),
            "What a room keeps for a recorder that is behind, at most."),
        Field(
            "limits.replay.seconds", \.limits.replay.duration, .duration(second...hour),
            "The same in time; whichever comes first."),
        Field(
            "limits.disk_reserve", \.limits.diskReserveBytes, .size(0...(1 << 50)),
            "Recording stops cleanly when this much is left on the disk."),
        Field(
            "limits.egress.capacity", \.limits.egress.capacityMilliCores,
            ValueKind.count(1...1_000_000).optional("auto"),
            "Thousandths of a core for egress; what does not fit waits in the queue."),
    ]

    private static let second = Duration.seconds(1)
    private static let hour = Duration.seconds(3600)
    private static let day = Duration.seconds(86_400)
    private static let century = Duration.seconds(36_525 * 86_400)
}
