import Log

/// What must hold of the configuration as a whole before a gateway may start.
extension ConfigurationReader {
    /// A secret shorter than this can be guessed.
    static let shortestSecret = 32

    /// Secrets that stand in our own documents, so that everybody has them.
    static let documentedSecrets: Set<String> = [
        "secret", "***", "replace-this-with-a-secret-from-sluice-token-new-key",
    ]

    mutating func checkWhole() {
        checkKeys()
        checkPorts()
        checkPublicNames()
        checkProxies()
        checkTLS()
        checkUnbuilt()
    }

    /// What has no effect yet is a warning.
    private mutating func checkUnbuilt() {
        let defaults = Configuration()
        for field in Field.all where field.write(configuration) != field.write(defaults) {
            switch field.readiness {
            case .built: continue
            case .withoutEffect: warn("\(field.key) has no effect yet")
            }
        }
    }

    private mutating func checkKeys() {
        guard !configuration.keys.isEmpty else {
            return report(
                .whole, "keys",
                "no API key is set, so nobody could use the gateway. Make one with `sluice token --new-key` and put it under `keys:`; to try Sluice on this machine, start with --dev"
            )
        }
        for key in configuration.keys where !(configuration.isDev && key == DevelopmentKey.pair) {
            let secret = key.secret.reveal()
            if Self.documentedSecrets.contains(secret) {
                report(
                    .whole, "keys.\(key.id)",
                    "this secret stands in the documentation, so everybody knows it. Make one with `sluice token --new-key`"
                )
            } else if secret.utf8.count < Self.shortestSecret {
                report(
                    .whole, "keys.\(key.id)",
                    "the secret has \(secret.utf8.count) bytes and needs \(Self.shortestSecret). Make one with `sluice token --new-key`"
                )
            }
        }
    }

    /// Scheme and authority only: paths are Sluice's own.
    private mutating func checkPublicNames() {
        let names: [(key: String, url: String?, schemes: [String], example: String)] = [
            ("public.http", configuration.public.http, ["http", "https"], "https://live.example.com"),
            ("public.rtmp", configuration.public.rtmp, ["rtmp", "rtmps"], "rtmp://live.example.com:1935"),
        ]
        for case (let key, let url?, let schemes, let example) in names {
            let parts = url.split(separator: "/", omittingEmptySubsequences: false)
            let isName =
                parts.count == 3 && parts[0].last == ":" && schemes.contains(String(parts[0].dropLast()))
                && parts[1].isEmpty && !parts[2].isEmpty && !url.contains("@") && !url.contains(" ")
            if !isName {
                report(
                    .whole, key,
                    "must be \(schemes.joined(separator: " or "))://NAME[:PORT], as \(example), and is `\(url)`")
            }
        }
    }

    private mutating func checkProxies() {
        for entry in configuration.http.trustedProxies where !Self.isAddressOrNetwork(entry) {
            report(
                .whole, "http.trusted_proxies",
                "`\(entry)` is neither an address nor an IPv4 network, as 10.0.0.0/8")
        }
    }

    private static func isAddressOrNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count == 1, text.contains(":") {
            return text.utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
        }
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 4, numbers.allSatisfy({ UInt8($0) != nil }) else { return false }
        return parts.count == 1 || parts.count == 2 && Int(parts[1]).map { 0...32 ~= $0 } == true
    }

    private mutating func checkPorts() {
        var owners: [UInt16: String] = [:]
        let ports: [(String, UInt16?)] = [
            ("http.port", configuration.http.port), ("rtmp.port", configuration.rtmp.port),
            ("rtmp.tls_port", configuration.rtmp.tlsPort), ("rtc.tcp_port", configuration.rtc.tcpPort),
        ]
        for case (let key, let port?) in ports {
            if let owner = owners.updateValue(key, forKey: port) {
                report(.whole, key, "port \(port) is already that of \(owner)")
            }
        }
    }
}
