public import Config
import Crypto
import Forwarding
import Glibc
import Jobs
import LinkTransport
import Listening
import Log
import MediaLoop
import RTMP
import RTMPServer
import Storage
public import Store
import Synchronization
public import TLS
import Timing

/// What the gateway does for its clients: one function an operation, whatever face (REST, command line) asks.
///
/// A function checks what its caller may see (a resource of another room does not exist for it); which grant an
/// operation needs is checked by the face. The operations stand in the extensions, a file a resource.
public final class Service: Sendable {
    /// What is in effect: a reload changes it.
    public var configuration: Config.Configuration { current.withLock { $0 } }
    let current: Mutex<Config.Configuration>
    let reloading: Reloading
    /// Ends the program.
    let drainAction = Mutex<(@Sendable () -> Void)?>(nil)
    public let store: any Store
    /// The port that RTMP is bound to.
    public let rtmpPort: UInt16
    let folder: DataFolder
    let plane: MediaPlane
    /// The port that RTMPS is bound to.
    public let rtmpsPort: UInt16?
    let addresses: Addresses
    let roomDirectory: RoomDirectory
    let ingressControl: IngressControl
    let egressControl: EgressControl
    let storage: StorageRoot
    let links: LinkSigner
    /// What the look at the start found.
    let audit = Mutex<DataAudit?>(nil)
    private let log = Logger("service")

    /// Opens the data folder and the store, binds RTMP, takes up what the last run left, and starts the first worker.
    /// - Parameters:
    ///   - worker: the path of `sluice-worker`.
    ///   - identity: the certificate of `http.tls`, for RTMPS.
    ///   - reloading: where a reload reads the configuration.
    /// - Throws: ``StartError``: refuse to start, and show its message.
    public init(
        _ configuration: Config.Configuration, worker: String, identity: TLSIdentity? = nil,
        reloading: Reloading = Reloading(source: nil)
    ) async throws(StartError) {
        current = Mutex(configuration)
        self.reloading = reloading
        do {
            folder = try DataFolder(configuration.data)
            store = try SQLiteStore(path: folder.store + "/sluice.db")
            storage = try StorageRoot(folder.recordings)
            links = try LinkSigner(keyFile: folder.store + "/link.key")
            plane = await MediaPlane(replay: Self.replay(configuration), rtmp: Self.rtmp(configuration))
            rtmpPort = try await plane.listenRTMP(host: configuration.rtmp.host, port: configuration.rtmp.port)
            if let port = configuration.rtmp.tlsPort, let identity {
                rtmpsPort = try await plane.listenRTMP(
                    host: configuration.rtmp.host, port: port, certificate: try TLSServerContext(identity))
            } else {
                rtmpsPort = nil
            }
            addresses = Addresses(configuration, rtmpPort: rtmpPort, rtmpsPort: rtmpsPort)
            let rooms = RoomDirectory(store: store, plane: plane)
            let egress = EgressControl(
                store: store, plane: plane, limits: Self.limits(configuration, folder),
                workers: WorkerTable(executable: worker, markFolder: folder.temporary),
                manifests: ManifestWriter(root: storage))
            ingressControl = IngressControl(store: store, plane: plane, rooms: rooms, addresses: addresses) {
                await egress.media(room: $0, flows: $1)
            }
            roomDirectory = rooms
            egressControl = egress
            try await rooms.load()
            try await ingressControl.load()
            try await egress.load()
            _ = await egress.pickWorker(.shared)
            await egress.pump()
        } catch {
            throw StartError(error, data: configuration.data)
        }
    }

    /// Serves until the task is cancelled.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { await self.handleEvents() }
            group.addTask { await self.egressControl.persist() }
            group.addTask { await self.keepTime() }
            group.addTask { await self.keepHouse() }
            group.addTask { await self.auditData(at: Clocks.wall()) }
        }
    }

    /// Takes no new work, seals what runs, and waits for it: at most `shutdown.wait`, then five seconds to seal.
    /// - Parameter isUrgent: true once somebody asked again: then nothing is waited for but the seals.
    public func drain(isUrgent: @Sendable () -> Bool = { false }) async {
        plane.stopListening()
        await egressControl.drain()
        let limit = Clocks.now() + configuration.shutdown.wait
        while await egressControl.isBusy, Clocks.now() < limit, !isUrgent() {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await egressControl.flush()
    }

    private func handleEvents() async {
        for await event in plane.events {
            switch event {
            case .rtmp(let event): await ingressControl.handle(event)
            case .link(let event): await egressControl.handle(event)
            case .workerEnded(let worker, .exited(let code)):
                await egressControl.workerEnded(worker, .exit(code: code))
            case .workerEnded(let worker, .killed(let signal)):
                await egressControl.workerEnded(worker, .signal(signal))
            case .workerNotStarted(let worker, let error):
                log.error("a worker could not be started", ["call": error.call, "error": error.code])
                await egressControl.workerEnded(worker, .exit(code: 127))
            }
        }
    }

    private func keepTime() async {
        for await _ in plane.seconds {
            let now = Clocks.now()
            await ingressControl.advance(to: now)
            await egressControl.advance(to: now)
            await closeOutlivedRooms(at: Clocks.wall())
            await guardDisk()
        }
    }

    /// Apart from ``keepTime()``: with many records a look at all their files takes longer than a heartbeat may wait.
    private func keepHouse() async {
        repeat { await sweep(at: Clocks.wall()) } while (try? await Task.sleep(for: .seconds(3600))) != nil
    }

    /// Recording stops cleanly before the disk's reserve is touched.
    private func guardDisk() async {
        guard let space = try? storage.space(), space.free < Int64(configuration.limits.diskReserveBytes) else {
            return
        }
        await egressControl.endFiles(because: .diskFull)
    }

    static func replay(_ configuration: Config.Configuration) -> FeedRing.Limits {
        let replay = configuration.limits.replay
        return FeedRing.Limits(bytes: replay.bytes, span: replay.duration)
    }

    static func rtmp(_ configuration: Config.Configuration) -> RTMPServer.Limits {
        let limits = configuration.limits
        var session = RTMPLimits()
        session.handshake = limits.rtmp.handshake
        session.firstMedia = limits.rtmp.firstMedia
        session.idle = limits.rtmp.idle
        session.bitrate = limits.rtmp.bitrateBps
        return RTMPServer.Limits(
            session: session, sessions: limits.rtmp.sessions, sessionsPerAddress: limits.connectionsPerAddress,
            hmac: { key, message in (try? SHA256.authenticationCode(of: message, key: key)) ?? [] })
    }

    static func limits(_ configuration: Config.Configuration, _ folder: DataFolder) -> EgressControl.Limits {
        let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let pages = max(1, Int64(sysconf(Int32(_SC_PHYS_PAGES))))
        let memory = pages * Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        return EgressControl.Limits(
            capacity: Needs(
                milliCores: configuration.limits.egress.capacityMilliCores ?? cores * 800, memoryBytes: memory / 2),
            resumeWithin: configuration.egress.resumeWithin, root: folder.recordings,
            diskReserveBytes: configuration.limits.diskReserveBytes)
    }
}

/// Why the gateway did not start, in words for the person at the terminal.
public struct StartError: Error, CustomStringConvertible {
    public let description: String

    /// - Parameter data: the data folder as it was configured, for causes that do not name a path.
    public init(_ cause: any Error, data: String) {
        description =
            switch cause {
            case let error as DataFolderError: error.message
            case let error as StoreError: "The data folder \(data): \(error.message). \(error.remedy)"
            case let error as ListenError: error.message
            case let error as StorageError: error.message
            default: "\(cause)"
            }
    }
}
