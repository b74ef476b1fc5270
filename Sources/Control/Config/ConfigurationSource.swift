import Log
public import TLS

/// Where a configuration comes from: a file, variables, and what the command line says.
public struct ConfigurationSource: Equatable, Sendable {
    /// `--config`, else the variable `SLUICE_CONFIG`, else no file.
    public var file: String?
    public var environment: [String: String]
    /// `--dev`.
    public var isDev: Bool
    /// `--host`: for HTTP and RTMP.
    public var host: String?

    public init(file: String?, environment: [String: String], isDev: Bool = false, host: String? = nil) {
        self.file = file ?? environment["SLUICE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        self.environment = environment
        self.isDev = isDev
        self.host = host
    }

    /// A configuration that a gateway may start on.
    /// - Throws: ``ConfigurationError`` with everything that is wrong. Refuse to start; on a reload change nothing.
    public func load() throws(ConfigurationError) -> LoadedConfiguration {
        var reader = read()
        reader.checkWhole()
        return try reader.loaded()
    }

    /// The same without asking for usable keys: to print it, or to sign with the keys that are there.
    public func preview() throws(ConfigurationError) -> LoadedConfiguration {
        try read().loaded()
    }

    private func read() -> ConfigurationReader {
        var reader = ConfigurationReader()
        if let file {
            if let text = TextFile.contents(of: file) {
                reader.read(file: file, text: text)
            } else {
                reader.report(.commandLine, "", "can't read \(file): does it exist, is it yours, is it UTF-8 text?")
            }
        }
        reader.read(environment: environment)
        if let host { reader.apply(host: host) }
        if isDev { reader.applyDev(host: host) }
        return reader
    }
}

/// A configuration, and what about it deserves a line in the log.
public struct LoadedConfiguration: Equatable, Sendable {
    public var configuration: Configuration
    public var warnings: [String]
    /// The certificate of `http.tls`; `nil` in a preview.
    public var identity: TLSIdentity?
}

extension ConfigurationReader {
    func loaded() throws(ConfigurationError) -> LoadedConfiguration {
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return LoadedConfiguration(configuration: configuration, warnings: warnings, identity: identity)
    }

    mutating func apply(host: String) {
        change {
            $0.http.host = host
            $0.rtmp.host = host
        }
    }

    /// The documented key pair, and no listener that another machine could reach.
    mutating func applyDev(host: String?) {
        if let host, !DevelopmentKey.isLoopback(host) {
            report(
                .commandLine, "",
                "--dev has a known secret and listens on loopback only; for --host \(host) leave --dev out and set a key (`sluice token --new-key`)"
            )
        }
        let loopback = "127.0.0.1"
        change { configuration in
            configuration.isDev = true
            configuration.keys = configuration.keys.filter { $0.id != DevelopmentKey.pair.id } + [DevelopmentKey.pair]
            configuration.http.host = host ?? loopback
            configuration.rtmp.host = host ?? loopback
        }
    }
}

/// The pair of `--dev`, which everybody knows.
public enum DevelopmentKey {
    public static let pair = APIKey(id: "devkey", secret: .init("secret"))

    /// Whether `host` can be reached from this machine only.
    public static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
