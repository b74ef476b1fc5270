import Config
import Log
import MediaLoop
import Timing

/// Which gateway to talk to, and how to prove who asks.
struct Credentials {
    enum Proof {
        case token(String)
        case key(APIKey)
    }

    let url: String
    let proof: Proof

    /// The options first, then the variables, then the configuration, then the pair of `--dev` on loopback.
    init(_ invocation: Invocation) throws(CommandError) {
        let arguments = invocation.arguments
        let configuration = try Self.configuration(invocation)
        let url = arguments.value("--url") ?? invocation.variable("SLUICE_URL") ?? configuration.map(Self.url)
        self.url = Self.withoutSlash(url ?? "http://127.0.0.1:7880")
        if let token = arguments.value("--token") ?? invocation.variable("SLUICE_TOKEN") {
            proof = .token(token)
        } else if let key = try Self.key(invocation, configuration) {
            proof = .key(key)
        } else if Self.isLoopback(self.url) {
            proof = .key(DevelopmentKey.pair)
        } else {
            throw .failed(
                "no credentials for \(self.url)",
                remedy:
                    "Give --token (SLUICE_TOKEN), or SLUICE_API_KEY and SLUICE_API_SECRET, or --config with its keys.")
        }
    }

    /// The key that signs tokens: of the variables, else the first of the configuration.
    static func key(_ invocation: Invocation, _ configuration: Configuration?) throws(CommandError) -> APIKey? {
        switch (invocation.variable("SLUICE_API_KEY"), invocation.variable("SLUICE_API_SECRET")) {
        case (let id?, let secret?): return APIKey(id: id, secret: Secret(secret))
        case (nil, nil): return configuration?.keys.first
        case (.some, nil): throw .failed("SLUICE_API_KEY is set and SLUICE_API_SECRET is not", remedy: "Set both.")
        case (nil, .some): throw .failed("SLUICE_API_SECRET is set and SLUICE_API_KEY is not", remedy: "Set both.")
        }
    }

    /// The configuration that `--config` or SLUICE_CONFIG names, if one does.
    static func configuration(_ invocation: Invocation) throws(CommandError) -> Configuration? {
        let source = ConfigurationSource(
            file: invocation.arguments.value("--config"), environment: invocation.environment)
        guard source.file != nil else { return nil }
        return try CommandError.wrapping { () throws(ConfigurationError) in try source.preview().configuration }
    }

    /// What goes behind `Authorization: Bearer `.
    func bearer(now: WallTime) throws(CommandError) -> String {
        switch proof {
        case .token(let token): token
        case .key(let key): try TokenSigner.operatorToken(with: key, now: now)
        }
    }

    private static func url(of configuration: Configuration) -> String {
        let host = configuration.http.host
        let isAny = host == "0.0.0.0" || host == "::" || host == "[::]"
        let scheme = configuration.http.tls == nil ? "http" : "https"
        return "\(scheme)://\(isAny ? "127.0.0.1" : host):\(configuration.http.port)"
    }

    private static func withoutSlash(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    static func isLoopback(_ url: String) -> Bool {
        let parts = url.split(separator: "/", omittingEmptySubsequences: true)
        guard parts.count >= 2, parts[0] == "http:" || parts[0] == "https:" else { return false }
        let authority = parts[1]
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return !authority.contains("@") && DevelopmentKey.isLoopback(String(host))
    }
}
