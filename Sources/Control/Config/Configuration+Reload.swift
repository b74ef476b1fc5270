/// What may change while a gateway runs (API, "Configuration": SIGHUP and `POST /v1/reload`).
extension Configuration {
    /// Keys, and groups of keys, that a reload applies.
    private static let reloadable = ["log", "keys", "limits", "retention", "pipelines"]

    /// What of it the HTTP server takes when it starts: how many connections, and how much memory each has.
    private static let fixed = ["limits.connections", "limits.header_bytes"]

    private static func isReloadable(_ key: String) -> Bool {
        !fixed.contains(key) && reloadable.contains { key == $0 || key.hasPrefix($0 + ".") }
    }

    /// This configuration with the reloadable parts of `other`.
    public func reloading(from other: Configuration) -> Configuration {
        var merged = self
        merged.log = other.log
        merged.keys = other.keys
        merged.limits = other.limits
        merged.limits.connections = limits.connections
        merged.limits.headerBytes = limits.headerBytes
        merged.retention = other.retention
        merged.pipelines = other.pipelines
        if http.tls != nil, let files = other.http.tls { merged.http.tls = files }
        return merged
    }

    /// The keys in which `other` differs: those that a reload applies, and those that need a restart. A change from plain
    /// HTTP to HTTPS, or back, is one of the latter; a change of certificate is in neither.
    public func changes(to other: Configuration) -> (applied: [String], needsRestart: [String]) {
        var (applied, needsRestart): ([String], [String]) = ([], [])
        for field in Field.all where field.differs(self, other) {
            if Self.isReloadable(field.key) {
                applied.append(field.key)
            } else if field.key != "http.tls" || (http.tls == nil) != (other.http.tls == nil) {
                needsRestart.append(field.key)
            }
        }
        return (applied, needsRestart)
    }
}
