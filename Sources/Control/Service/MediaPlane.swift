import Feed
import Forwarding
import LinkTransport
import Listening
import Log
import MediaLoop
import RTMPServer
import Synchronization
import TLS
import Timing

/// What the media plane tells the control plane, in the order in which it happened.
enum PlaneEvent: Sendable {
    case rtmp(RTMPServerEvent)
    case link(LinkEvent)
    case workerEnded(worker: String, ProcessEnd)
    case workerNotStarted(worker: String, SpawnError)
}

/// The control plane's door to the media loop: every call posts a command and returns.
///
/// One loop holds all rooms, RTMP sessions and links so far (DESIGN section 6 spreads them over several).
final class MediaPlane: Sendable {
    /// How often links are given what their rooms have: the most that a consumer waits, and the size of a batch.
    static let flushInterval = Duration.milliseconds(40)

    let events: AsyncStream<PlaneEvent>
    /// Comes about once a second, with what else the loop has to tell then: so that the machine wakes once for all of it.
    let seconds: AsyncStream<Void>
    private let loop: LoopHandle
    private let continuation: AsyncStream<PlaneEvent>.Continuation
    private let resident: LoopBound<Resident>
    private let listening = Atomic<Bool>(false)

    /// What lives on the loop.
    private final class Resident {
        let loop: EventLoop
        let rooms: RoomHost
        let rtmp: RTMPServer
        let counters = LinkCounters()
        var links: [String: GatewayLink] = [:]
        var processes: [String: WorkerProcess] = [:]

        init(loop: EventLoop, rooms: RoomHost, rtmp: RTMPServer) {
            self.loop = loop
            self.rooms = rooms
            self.rtmp = rtmp
        }
    }

    init(replay: FeedRing.Limits, rtmp limits: RTMPServer.Limits) async {
        let (events, continuation) = AsyncStream.makeStream(of: PlaneEvent.self)
        self.events = events
        self.continuation = continuation
        let (seconds, second) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.seconds = seconds
        loop = LoopHandle.start(name: "media-0")
        resident = await loop.ask { loop in
            let rooms = RoomHost(limits: replay)
            let rtmp = RTMPServer(rooms: rooms, loop: loop, limits: limits) { continuation.yield(.rtmp($0)) }
            let resident = Resident(loop: loop, rooms: rooms, rtmp: rtmp)
            // Made after the server's own timer, which has the same interval: what was just read goes out at once.
            loop.every(Self.flushInterval, while: { resident.links.values.contains { $0.isServing } }) { _ in
                for link in resident.links.values { link.flush() }
            }
            loop.every(.seconds(1)) { now in
                rooms.releaseOrphans(at: now)
                second.yield()
            }
            return LoopBound(resident, on: loop)
        }
    }

    /// When the loop last turned; it does so at least every second.
    var lastTurnAt: Instant { loop.lastTurnAt }

    private func run(_ action: @escaping @Sendable (Resident) -> Void) {
        let resident = resident
        loop.post { action(resident.on($0)) }
    }

    // MARK: Rooms

    func openRoom(_ id: String) { run { _ = $0.rooms.open(id, at: Clocks.now(), wall: Clocks.wall()) } }

    func closeRoom(_ id: String) { run { $0.rooms.close(id) } }

    func leave(participant: String, room: String) {
        run { $0.rooms.room(room)?.leave(id: participant, at: Clocks.now()) }
    }

    /// Bytes of media that all rooms hold.
    func heldBytes() async -> Int { await statistics().heldBytes }

    struct Statistics: Sendable {
        var rtmp: RTMPServer.Statistics
        var missedByDurable: UInt64
        var missedByLive: UInt64
        /// Bytes of media that all rooms hold.
        var heldBytes: Int
    }

    func statistics() async -> Statistics {
        let resident = resident
        return await loop.ask { loop in
            let resident = resident.on(loop)
            return Statistics(
                rtmp: resident.rtmp.statistics, missedByDurable: resident.counters.missedByDurable,
                missedByLive: resident.counters.missedByLive, heldBytes: resident.rooms.heldBytes)
        }
    }

    // MARK: RTMP

    /// - Parameter certificate: makes it RTMPS.
    /// - Returns: the port that was bound.
    func listenRTMP(host: String, port: UInt16, certificate: TLSServerContext? = nil) async throws(ListenError)
        -> UInt16
    {
        let resident = resident
        let result = await loop.ask { loop in
            Result { () throws(ListenError) in
                let rtmp = resident.on(loop).rtmp
                guard let certificate else { return try rtmp.listen(host: host, port: port) }
                rtmp.use(certificate)
                return try rtmp.listenTLS(host: host, port: port)
            }
        }
        let port = try result.get()
        listening.store(true, ordering: .relaxed)
        return port
    }

    /// Whether encoders are let in.
    var isListening: Bool { listening.load(ordering: .relaxed) }

    /// The certificate of RTMPS connections from here on.
    func use(_ certificate: TLSServerContext) { run { $0.rtmp.use(certificate) } }

    /// The limits of RTMP connections, and of rooms, from here on.
    func use(_ limits: RTMPServer.Limits, replay: FeedRing.Limits) {
        run {
            $0.rtmp.limits = limits
            $0.rooms.use(replay)
        }
    }

    func accept(_ session: RTMPSessionNumber, as grant: PublishGrant) { run { $0.rtmp.accept(session, as: grant) } }

    func reject(_ session: RTMPSessionNumber, because reason: String) {
        run { $0.rtmp.reject(session, because: reason) }
    }

    func close(_ session: RTMPSessionNumber, because reason: String) {
        run { $0.rtmp.close(session, because: reason) }
    }

    func stopListening() {
        listening.store(false, ordering: .relaxed)
        run { $0.rtmp.stopListening() }
    }

    // MARK: Workers

    /// Starts a worker process with a link of its own. What is sent to it from now on waits for it.
    func startWorker(_ name: String, executable: String, environment: [String]) {
        let continuation = continuation
        run { resident in
            do throws(SpawnError) {
                let started = try WorkerProcess.start(
                    executable: executable, arguments: [name], environment: environment, loop: resident.loop,
                    onLine: { WorkerLog.write($0, of: name) },
                    onEnd: { [unowned resident] end in
                        resident.links[name]?.fail("the worker's process ended")
                        continuation.yield(.workerEnded(worker: name, end))
                    })
                resident.processes[name] = started.process
                resident.links[name] = GatewayLink(
                    worker: name, descriptor: started.link, rooms: resident.rooms, loop: resident.loop,
                    counters: resident.counters
                ) { continuation.yield(.link($0)) }
            } catch {
                continuation.yield(.workerNotStarted(worker: name, error))
            }
        }
    }

    func assign(job: String, fence: UInt64, body: [UInt8], to worker: String) {
        run { $0.links[worker]?.assign(job: job, fence: fence, body: body) }
    }

    func command(job: String, fence: UInt64, body: [UInt8], to worker: String) {
        run { resident in
            resident.rtmp.readPublications(at: Clocks.now())
            resident.links[worker]?.command(job: job, fence: fence, body: body)
        }
    }

    /// The job is not the worker's any more.
    func withdraw(job: String, from worker: String) { run { $0.links[worker]?.withdraw(job: job) } }

    func ping(_ number: UInt64, worker: String) { run { $0.links[worker]?.ping(number) } }

    func shutDown(worker: String) { run { $0.links[worker]?.shutDown() } }

    func signal(_ number: Int32, worker: String) { run { $0.processes[worker]?.signal(number) } }

    /// Forgets a worker whose end was seen.
    func forget(worker: String) {
        run {
            $0.links.removeValue(forKey: worker)?.close()
            $0.processes[worker] = nil
        }
    }
}
