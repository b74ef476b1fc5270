public import Config
import JWT
import Log
import MediaLoop
import Synchronization
import TLS

/// Where a reload reads the configuration, and who else takes it.
public struct Reloading: Sendable {
    let source: ConfigurationSource?
    let apply: @Sendable (LoadedConfiguration) throws -> Void

    /// - Parameters:
    ///   - source: `nil` when nothing can be read again.
    ///   - apply: takes what lies outside the service: the log and the HTTP server. It runs first; when it throws nothing
    ///     has changed.
    public init(
        source: ConfigurationSource?, apply: @escaping @Sendable (LoadedConfiguration) throws -> Void = { _ in }
    ) {
        self.source = source
        self.apply = apply
    }
}

/// What a reload did.
public struct ReloadRecord: Codable, Equatable, Sendable {
    /// Keys whose change is in effect now, dotted; `http.tls` when the certificate is another.
    public var applied: [String]
    /// Keys that were changed and take effect with the next start.
    public var needsRestart: [String]
    public var warnings: [String]

    public init(applied: [String], needsRestart: [String], warnings: [String]) {
        self.applied = applied
        self.needsRestart = needsRestart
        self.warnings = warnings
    }
}

extension Service {
    /// Reads the configuration again and applies `log keys limits http.tls retention pipelines` of it. Certificates are read
    /// again too: new connections get the new one, those that live keep theirs.
    /// - Throws: `configuration_invalid` with what is wrong, by line: then nothing has changed.
    public func reload(caller: Caller) async throws(ServiceError) -> ReloadRecord {
        guard caller.rooms == nil, caller.grants.room.isEmpty else {
            throw ServiceError(.permissionDenied, "A key or token that is limited to rooms cannot reload the gateway.")
        }
        return try await reload()
    }

    /// The same for SIGHUP.
    public func reload() async throws(ServiceError) -> ReloadRecord {
        guard let source = reloading.source else {
            throw ServiceError(.notSupported, "This gateway was not started from a configuration.")
        }
        let loaded: LoadedConfiguration
        do throws(ConfigurationError) {
            loaded = try source.load()
        } catch {
            throw ServiceError(.configurationInvalid, "\(error)")
        }
        let before = configuration
        let changes = before.changes(to: loaded.configuration)
        var effective = loaded
        effective.configuration = before.reloading(from: loaded.configuration)
        if before.http.tls == nil { effective.identity = nil }
        try await use(effective)
        let needsRestart = changes.needsRestart
        var record = ReloadRecord(applied: changes.applied, needsRestart: needsRestart, warnings: loaded.warnings)
        if effective.identity != nil { record.applied.append("http.tls") }
        if record.applied.contains("limits.disk_reserve") {
            record.warnings.append("limits.disk_reserve: a worker that runs keeps the old one until it ends")
        }
        tell(record)
        return record
    }

    /// Puts a configuration into effect that differs from the present one in what may change only.
    private func use(_ loaded: LoadedConfiguration) async throws(ServiceError) {
        let configuration = loaded.configuration
        do {
            let certificate = try loaded.identity.map { try TLSServerContext($0) }
            try reloading.apply(loaded)
            if let certificate { plane.use(certificate) }
        } catch {
            throw ServiceError(.configurationInvalid, "http.tls: \(error)")
        }
        current.withLock { $0 = configuration }
        plane.use(Self.rtmp(configuration), replay: Self.replay(configuration))
        await egressControl.use(Self.limits(configuration, folder))
    }

    private func tell(_ record: ReloadRecord) {
        let log = Logger("service")
        log.info("configuration read again", ["applied": record.applied.joined(separator: " ")])
        if !record.needsRestart.isEmpty {
            log.warning(
                "changes that need a restart were not applied", ["keys": record.needsRestart.joined(separator: " ")])
        }
        for warning in record.warnings { log.warning(warning) }
    }
}
