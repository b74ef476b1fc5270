public import Log

/// Everything that a gateway can be told, with the defaults of an empty file (API, "Configuration").
///
/// Beside another module's type of this name, write `Config.Configuration`.
public struct Configuration: Equatable, Sendable {
    public var http = HTTP()
    public var rtmp = RTMP()
    public var rtc = RTC()
    public var `public` = PublicNames()
    /// In the order of the file. Several may be valid at once.
    public var keys: [APIKey] = []
    /// The folder of store/, recordings/, tapes/ and tmp/; relative to where the gateway was started.
    public var data = "./sluice-data"
    /// The folder with pipeline files; `nil`: ``PipelineFolder/standard()``.
    public var pipelines: String?
    public var workers = Workers()
    public var log = Log()
    public var egress = Egress()
    public var retention = Retention()
    public var shutdown = Shutdown()
    public var limits = Limits()
    /// Set by `--dev`: a known key pair, every listener on loopback.
    public var isDev = false

    public init() {}
}

extension Configuration {
    public struct HTTP: Equatable, Sendable {
        public var host = "0.0.0.0"
        public var port: UInt16 = 7880
        /// PEM files; `nil` for plain HTTP.
        public var tls: TLSFiles?
        public var corsOrigins: [String] = []
        /// Addresses or networks whose `X-Forwarded-For` is believed.
        public var trustedProxies: [String] = []
    }

    public struct TLSFiles: Equatable, Sendable {
        public var cert: String
        public var key: String

        public init(cert: String, key: String) {
            self.cert = cert
            self.key = key
        }
    }

    public struct RTMP: Equatable, Sendable {
        public var host = "0.0.0.0"
        public var port: UInt16 = 1935
        /// `nil`: no RTMPS.
        public var tlsPort: UInt16?
    }

    public struct RTC: Equatable, Sendable {
        /// Loop i uses this port + i.
        public var udpPort: UInt16 = 7882
        public var tcpPort: UInt16 = 7881
        /// The address in candidates; `nil`: found by itself.
        public var nodeIP: String?
        /// Further addresses to offer, for a gateway behind NAT.
        public var advertise: [String] = []
        public var iceServers: [ICEServer] = []
    }

    public struct ICEServer: Equatable, Sendable {
        public var urls: [String]
        public var username: String?
        public var credential: Secret?
    }

    /// The names that clients see when they differ from the listeners, as `https://live.example.com`.
    public struct PublicNames: Equatable, Sendable {
        public var http: String?
        public var rtmp: String?
    }

    public struct Workers: Equatable, Sendable {
        /// Processes for jobs that decode or encode; `nil`: one a core. Pass-through jobs share one beside them.
        public var count: Int?
    }

    public struct Log: Equatable, Sendable {
        public enum Format: String, CaseIterable, Sendable {
            /// Text on a terminal, else one JSON object a line.
            case auto, text, json
        }

        public var level = LogEntry.Level.info
        public var format = Format.auto
    }

    public struct Egress: Equatable, Sendable {
        /// How long running egress waits for its publisher after a restart of the gateway.
        public var resumeWithin: Duration = .seconds(60)
    }

    /// How long things are kept; `nil` for ever.
    public struct Retention: Equatable, Sendable {
        public var recordings: Duration?
        public var tapes: Duration?
        /// Records of what has ended: egress, ingress sessions, jobs, events.
        public var records: Duration? = .seconds(30 * 86_400)
    }

    public struct Shutdown: Equatable, Sendable {
        /// How long SIGTERM waits for running egress before it is sealed.
        public var wait: Duration = .seconds(30)
    }

    public struct Limits: Equatable, Sendable {
        /// Of a request's body; more is a 413.
        public var requestBytes = 1 << 20
        /// Of a request's line and header; more is a 431.
        public var headerBytes = 16 << 10
        /// Open HTTP connections; more wait.
        public var connections = 1000
        /// HTTP and RTMP connections from one address (of IPv6, from one network of 64 bits), each counted apart.
        public var connectionsPerAddress = 256
        /// POST requests a second from one address, averaged; twice as many at once. More is a 429.
        public var postsPerSecondPerAddress = 1000
        public var rtmp = RTMPLimits()
        public var replay = ReplayLimits()
        /// Recording stops cleanly when this much is left on the disk.
        public var diskReserveBytes = 512 << 20
        public var egress = EgressLimits()
    }

    public struct RTMPLimits: Equatable, Sendable {
        public var handshake: Duration = .seconds(5)
        /// From `publish` to the first audio or video message.
        public var firstMedia: Duration = .seconds(15)
        /// Without a byte from the publisher.
        public var idle: Duration = .seconds(30)
        /// Bits a second of one session, averaged over 10 s.
        public var bitrateBps = 50_000_000
        public var sessions = 1000
    }

    /// What a room's feed keeps for a durable consumer that has not acknowledged; whichever limit comes first.
    public struct ReplayLimits: Equatable, Sendable {
        public var bytes = 64 << 20
        public var duration: Duration = .seconds(30)
    }

    public struct EgressLimits: Equatable, Sendable {
        /// Thousandths of a core that running egress may take together; `nil`: what the machine has.
        public var capacityMilliCores: Int?
    }
}

/// One API key: who may sign tokens, and for which rooms.
public struct APIKey: Equatable, Sendable {
    public var id: String
    public var secret: Secret
    /// A room name, or a prefix that ends in `*`; `nil` for all rooms.
    public var rooms: String?

    public init(id: String, secret: Secret, rooms: String? = nil) {
        self.id = id
        self.secret = secret
        self.rooms = rooms
    }

    /// Whether this key sees `room` and what belongs to it.
    public func covers(room: String) -> Bool {
        guard let rooms else { return true }
        return rooms.last == "*" ? room.hasPrefix(rooms.dropLast()) : room == rooms
    }
}
