import Config
import FoundationEssentials
import Log
import Testing

@Suite("Configuration")
struct ConfigurationTests {
    static let secret = "0123456789abcdef0123456789abcdef"

    @Test("an empty file is the defaults")
    func defaults() throws {
        let loaded = try preview("")
        #expect(loaded.configuration == Configuration())
        #expect(loaded.configuration.http.port == 7880)
        #expect(loaded.configuration.limits.replay.bytes == 64 << 20)
        #expect(loaded.warnings.isEmpty)
    }

    @Test("reads every kind of value")
    func values() throws {
        let configuration = try preview(
            """
            http: { port: 8080, cors_origins: [https://a.example, https://b.example], tls: { cert: c.pem, key: k.pem } }
            rtmp: { tls_port: 1936 }
            keys:
              acme: { secret: \(Self.secret), rooms: "acme-*" }
              plain: \(Self.secret)
            workers: { count: 2 }
            log: { level: debug, format: json }
            retention: { recordings: 7d, records: null }
            limits: { request_bytes: 2MiB, rtmp: { idle: 1m, bitrate: 20Mbit/s }, egress: { capacity: 1500 } }
            """
        ).configuration
        #expect(configuration.http.port == 8080)
        #expect(configuration.http.corsOrigins == ["https://a.example", "https://b.example"])
        #expect(configuration.http.tls == .init(cert: "c.pem", key: "k.pem"))
        #expect(configuration.rtmp.tlsPort == 1936)
        #expect(configuration.keys.map(\.id) == ["acme", "plain"])
        #expect(configuration.keys[0].covers(room: "acme-1"))
        #expect(!configuration.keys[0].covers(room: "other"))
        #expect(configuration.keys[1].covers(room: "other"))
        #expect(configuration.workers.count == 2)
        #expect(configuration.log.level == .debug)
        #expect(configuration.retention.recordings == .seconds(7 * 86_400))
        #expect(configuration.retention.records == nil)
        #expect(configuration.limits.requestBytes == 2 << 20)
        #expect(configuration.limits.rtmp.bitrateBps == 20_000_000)
        #expect(configuration.limits.egress.capacityMilliCores == 1500)
    }

    static let wrong: [(text: String, line: Int, message: String)] = [
        ("htpp: { port: 1 }", 1, "unknown key `htpp`; did you mean `http`?"),
        ("http:\n  prot: 1", 2, "unknown key `prot`; did you mean `port`?"),
        ("\nresume_within: 3s", 2, "did you mean `egress.resume_within`?"),
        ("http:\n  nonsense: 1", 2, "known here: host, port, tls"),
        ("http: { port: 70000 }", 1, "must be a port from 1 to 65535, and is `70000`"),
        ("http:\n  tls: { cert: a }", 2, "needs both `cert` and `key`"),
        ("http:\n  tls: { crt: a }", 2, "unknown key `crt`; did you mean `cert`?"),
        ("http: 7880", 1, "must be a group of keys"),
        ("egress: { resume_within: 60 }", 1, "must be a time from 0s to 1d"),
        ("limits:\n  rtmp:\n    bitrate: 3", 3, "must be a rate from 100kbit/s"),
        ("log: { level: loud }", 1, "must be one of debug, info, warning, error, and is `loud`"),
        ("keys: [a]", 1, "must be KEY: SECRET"),
        ("keys:\n  a:", 2, "`a` has no secret"),
        ("keys:\n  a: { rooms: x }", 2, "needs one of `secret` and `secret_file`"),
        ("keys:\n  a: { secret_file: ./no-such-file }", 2, "can't read the secret file ./no-such-file"),
        ("keys:\n  'a b': c", 2, "a key's name is"),
        ("http: { host: null }", 1, "must be text"),
        ("a: [", 2, "did not find expected"),
        ("- a", 1, "must be keys and values"),
    ]

    @Test("says what is wrong, in which line, and what was meant", arguments: wrong)
    func problems(text: String, line: Int, message: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try preview(text) }
        let problem = try #require(error.problems.first)
        guard case .file(_, line, _) = problem.place else {
            Issue.record("\(problem) is not in line \(line)")
            return
        }
        #expect(problem.message.contains(message), "\(problem)")
    }

    @Test("tells all problems at once")
    func allProblems() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try preview("http: { port: 0 }\nrtmp: { prt: 1 }\nlog: { level: x }\n")
        }
        #expect(error.problems.count == 3)
        #expect(error.description.split(separator: "\n").count == 3)
    }

    @Test("variables override the file, and name themselves when they are wrong")
    func environment() throws {
        let loaded = try preview(
            "http: { port: 8080 }",
            environment: [
                "SLUICE_HTTP_PORT": "9090", "SLUICE_HTTP_CORS_ORIGINS": "https://a.example, https://b.example",
                "SLUICE_KEYS": "k: \(Self.secret)", "SLUICE_LIMITS_RTMP_FIRST_MEDIA": "3s", "SLUICE_DATA": "",
                "SLUICE_SERVICE_HOST": "10.0.0.1", "SLUICE_RTMP_PROT": "1", "SLUICE_RETENTION_TAPES": "null",
            ])
        #expect(loaded.configuration.http.port == 9090)
        #expect(loaded.configuration.http.corsOrigins == ["https://a.example", "https://b.example"])
        #expect(loaded.configuration.keys.map(\.id) == ["k"])
        #expect(loaded.configuration.limits.rtmp.firstMedia == .seconds(3))
        #expect(loaded.configuration.data == "./sluice-data")
        #expect(loaded.warnings == ["SLUICE_RTMP_PROT is no variable of Sluice; did you mean SLUICE_RTMP_PORT?"])

        let error = try #require(throws: ConfigurationError.self) {
            try preview("", environment: ["SLUICE_HTTP_PORT": "many"])
        }
        #expect(error.problems.first?.place == .variable("SLUICE_HTTP_PORT"))
    }

    @Test("secrets come from files too")
    func secretFiles() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "keys-\(UInt64.random(in: 0...UInt64.max))")
        try Data("k: \(Self.secret)\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try preview("", environment: ["SLUICE_KEYS_FILE": file.path]).configuration.keys.map(\.id) == ["k"])
        let both = ["SLUICE_KEYS_FILE": file.path, "SLUICE_KEYS": "k: x"]
        #expect(throws: ConfigurationError.self) { try preview("", environment: both) }
    }

    @Test("the printed file reads back as the same configuration, and shows no secret")
    func printing() throws {
        var configuration = Configuration()
        configuration.http.corsOrigins = ["https://a.example"]
        configuration.limits.rtmp.idle = .seconds(90)
        configuration.retention.tapes = .seconds(86_400)
        let text = configuration.commentedYAML()
        #expect(try preview(text).configuration == configuration)
        #expect(text.contains("(default 30s)"))

        configuration.keys = [APIKey(id: "k", secret: .init(Self.secret), rooms: "a-*")]
        let secretive = configuration.commentedYAML()
        #expect(!secretive.contains(Self.secret))
        #expect(secretive.contains("k: { secret: \"***\", rooms: \"a-*\" }"))
        #expect(try preview(secretive).configuration.keys.first?.rooms == "a-*")
    }

    @Test("without a usable key it does not start, and says what to do")
    func keys() throws {
        for (text, message) in [
            ("", "start with --dev"), ("keys: { k: short }", "has 5 bytes and needs 32"),
            ("keys: { k: secret }", "everybody knows it"), ("keys: { k: '***' }", "everybody knows it"),
        ] {
            let error = try #require(throws: ConfigurationError.self) { try load(text) }
            #expect(error.description.contains(message) && error.description.contains("sluice token --new-key"))
        }
        #expect(try load("keys: { k: \(Self.secret) }").configuration.keys.count == 1)
    }

    @Test("one port serves one thing")
    func ports() {
        #expect { try load("keys: { k: \(Self.secret) }\nrtmp: { port: 7880 }") } throws: {
            "\($0)".contains("port 7880 is already that of http.port")
        }
    }

    @Test("what this version does not do is said")
    func unbuilt() throws {
        let keys = "keys: { k: \(Self.secret) }\n"
        let loaded = try load(keys + "rtc: { udp_port: 9000 }\nworkers: { count: 2 }")
        #expect(loaded.warnings == ["rtc.udp_port has no effect yet", "workers.count has no effect yet"])
        #expect(try load(keys).warnings.isEmpty)
        #expect(try load("", isDev: true).warnings.isEmpty)
    }

    static let unusable: [(text: String, message: String)] = [
        ("rtmp: { tls_port: 1936 }", "rtmp.tls_port: needs a certificate"),
        ("http: { tls: { cert: /no/such, key: /no/key } }", "http.tls.cert: can't read /no/such"),
        ("public: { http: live.example.com }", "public.http: must be http or https://NAME[:PORT]"),
        ("public: { http: 'https://live.example.com/path' }", "public.http: must be"),
        ("public: { http: 'https://user@live.example.com' }", "public.http: must be"),
        ("public: { rtmp: 'http://live.example.com' }", "public.rtmp: must be rtmp or rtmps://NAME[:PORT]"),
        ("public: { rtmp: 'rtmp://' }", "public.rtmp: must be"),
        ("http: { trusted_proxies: [10.0.0.0/33] }", "http.trusted_proxies: `10.0.0.0/33` is neither"),
        ("http: { trusted_proxies: [proxy.example.com] }", "http.trusted_proxies: `proxy.example.com` is neither"),
        ("http: { tls: { cert: '-----BEGIN CERTIFICATE-----', key: k } }", "http.tls.cert: must be the path of a file"),
    ]

    @Test("certificates and public names are checked as a whole", arguments: unusable)
    func publicNames(text: String, message: String) {
        #expect { try load("keys: { k: \(Self.secret) }\n" + text) } throws: { "\($0)".contains(message) }
    }

    @Test("a reload takes what may change, and names what needs a restart")
    func reload() throws {
        let before = try preview("http: { port: 1, tls: { cert: a, key: b } }\nkeys: { k: \(Self.secret) }")
            .configuration
        let after = try preview(
            """
            http: { port: 2, tls: { cert: c, key: d } }
            keys: { k: another-\(Self.secret) }
            log: { level: debug }
            limits: { header_bytes: 32KiB, rtmp: { idle: 5s } }
            data: elsewhere
            """
        ).configuration
        let changes = before.changes(to: after)
        #expect(changes.applied == ["keys", "log.level", "limits.rtmp.idle"])
        #expect(changes.needsRestart == ["http.port", "data", "limits.header_bytes"])
        let merged = before.reloading(from: after)
        #expect(merged.keys == after.keys && merged.log == after.log && merged.limits.rtmp == after.limits.rtmp)
        #expect(merged.limits.headerBytes == before.limits.headerBytes)
        #expect(merged.http.port == 1 && merged.data == before.data && merged.http.tls?.cert == "c")
        let plain = try preview("http: { port: 1 }\nkeys: { k: \(Self.secret) }").configuration
        #expect(before.changes(to: plain).needsRestart == ["http.tls"])
        #expect(before.reloading(from: plain).http.tls?.cert == "a")
        #expect(plain.reloading(from: before).http.tls == nil)
    }

    @Test("--dev knows its pair and listens on loopback only")
    func dev() throws {
        let configuration = try load("http: { host: 0.0.0.0 }", isDev: true).configuration
        #expect(configuration.isDev)
        #expect(configuration.keys == [DevelopmentKey.pair])
        #expect(configuration.http.host == "127.0.0.1" && configuration.rtmp.host == "127.0.0.1")
        #expect { try load("", isDev: true, host: "0.0.0.0") } throws: { "\($0)".contains("loopback only") }
        for host in ["127.evil.example", "128.0.0.1", "127.0.0", "example.com"] {
            #expect(!DevelopmentKey.isLoopback(host))
        }
        #expect(try load("", isDev: true, host: "::1").configuration.http.host == "::1")
    }

    @Test("a file that is not there is a problem")
    func missingFile() {
        let source = ConfigurationSource(file: "no-such-file.yaml", environment: [:])
        #expect { try source.load() } throws: { "\($0)".contains("can't read no-such-file.yaml") }
    }
}

private func preview(_ text: String, environment: [String: String] = [:]) throws -> LoadedConfiguration {
    try withFile(text) { try ConfigurationSource(file: $0, environment: environment).preview() }
}

private func load(_ text: String, isDev: Bool = false, host: String? = nil) throws -> LoadedConfiguration {
    try withFile(text) { try ConfigurationSource(file: $0, environment: [:], isDev: isDev, host: host).load() }
}

private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    let file = FileManager.default.temporaryDirectory.appending(
        path: "sluice-\(UInt64.random(in: 0...UInt64.max)).yaml")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try body(file.path)
}
