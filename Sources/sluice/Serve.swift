import API
import CommandLineTool
import Config
import FoundationEssentials
import HTTPServer
import Log
import MediaLoop
import Service
import Terminal
import Timing

/// `sluice serve`: reads the configuration, wires the parts, and runs until SIGINT or SIGTERM.
enum Serve {
    /// - Returns: the exit code: 0 stopped as asked, 1 did not start.
    static func run(_ options: ServeOptions) async -> Int32 {
        do {
            let loaded = try options.source.load()
            LogLines.install(loaded.configuration.log)
            let log = Logger("sluice")
            for warning in loaded.warnings { log.warning(warning) }
            Interrupts.watch()
            Interrupts.watchHangUps()
            DescriptorLimit.raise()
            try await serve(loaded, from: options.source, log)
            return 0
        } catch {
            Terminal.writeError("error: \(words(for: error))\n")
            return 1
        }
    }

    private static func serve(_ loaded: LoadedConfiguration, from source: ConfigurationSource, _ log: Logger)
        async throws
    {
        let configuration = loaded.configuration
        let server = try HTTPServer(
            host: configuration.http.host, port: configuration.http.port, limits: limits(configuration),
            identity: loaded.identity, refusal: API.refusal)
        let reloading = Reloading(source: source) { loaded in
            try server.change(limits: limits(loaded.configuration), identity: loaded.identity)
            LogLines.install(loaded.configuration.log)
        }
        let service = try await Service(
            configuration, worker: Programs.worker, identity: loaded.identity, reloading: reloading)
        service.onDrain { Interrupts.ask() }
        let api = API(service: service)
        await withTaskGroup { group in
            group.addTask { await service.run() }
            group.addTask { await server.run { await api.respond(to: $0) } }
            log.info(
                "ready",
                [
                    "http": "\(configuration.http.host):\(server.port)", "rtmp": service.rtmpPort,
                    "rtmps": service.rtmpsPort.map { "\($0)" } ?? "-",
                    "data": configuration.data,
                ])
            let manager = ServiceManager(environment: ProcessInfo.processInfo.environment)
            manager.ready("RTMP on port \(service.rtmpPort)")
            group.addTask { await giveSigns(of: service, to: manager) }
            await reloadUntilInterrupted(service, manager, log)
            manager.stopping("sealing what runs")
            log.info("shutting down: new work is refused, what runs is sealed (again to stop at once)")
            await service.drain { Interrupts.count > 1 }
            await server.stop(grace: .seconds(2))
            group.cancelAll()
        }
        log.info("stopped")
    }

    private static func reloadUntilInterrupted(
        _ service: Service, _ manager: ServiceManager, _ log: Logger
    ) async {
        var hangUps = 0
        var changes = Interrupts.changes().makeAsyncIterator()
        while Interrupts.count == 0, !Interrupts.isAsked {
            if hangUps != Interrupts.hangUps {
                hangUps = Interrupts.hangUps
                manager.reloading()
                await reload(service, log)
                manager.ready("RTMP on port \(service.rtmpPort)")
            } else {
                await changes.next()
            }
        }
    }

    /// Tells the manager that all is well, for as long as the loops answer and it asks.
    private static func giveSigns(of service: Service, to manager: ServiceManager) async {
        guard let interval = manager.watchdogInterval else { return }
        while !Task.isCancelled {
            if service.liveness().allSatisfy(\.ok) { manager.isAlive() }
            try? await Task.sleep(for: interval)
        }
    }

    private static func reload(_ service: Service, _ log: Logger) async {
        do throws(ServiceError) {
            _ = try await service.reload()
        } catch {
            log.error("the configuration was not read again, and nothing changed: \(error.detail)")
        }
    }

    private static func limits(_ configuration: Config.Configuration) -> HTTPServer.Limits {
        var limits = HTTPServer.Limits()
        limits.headerBytes = configuration.limits.headerBytes
        limits.bodyBytes = configuration.limits.requestBytes
        limits.connections = configuration.limits.connections
        limits.connectionsPerAddress = configuration.limits.connectionsPerAddress
        limits.isUncounted = TrustedProxies(configuration.http.trustedProxies).trusts
        return limits
    }

    private static func words(for error: any Error) -> String {
        switch error {
        case let error as HTTPServerError: "\(error.description). \(error.remedy)"
        default: "\(error)"
        }
    }
}
