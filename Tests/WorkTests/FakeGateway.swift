import Bytes
import Feed
import FoundationEssentials
import Glibc
import Assignments
import Spec
import Work

/// The gateway's side of a worker that runs in this process: serves one simulated room, and keeps what it is told.
final class FakeGateway {
    enum Failure: Error {
        case silent(after: [String])
        case closed
    }

    let room: SimulatedRoom
    /// The records that subscriptions are given so far.
    private(set) var published: Int
    private(set) var subscriptions: [UInt32: Subscribe] = [:]
    private(set) var acknowledged: [UInt32: UInt64] = [:]
    private(set) var reports: [JobReport] = []
    let folder: String
    /// Set when the folder is this gateway's alone.
    private let own: TemporaryFolder?
    /// Ends when the worker wants its process to end.
    let ended: AsyncStream<Void>
    private let descriptor: Int32
    private var worker: WorkerHandle?
    private var reader = LinkFrameReader()
    private var sentTo: [UInt32: Int] = [:]
    private var log: [String] = []

    /// - Parameter published: how many of the room's records are there from the start; `nil`: all.
    init(
        _ room: SimulatedRoom, published: Int? = nil, folder: String? = nil, diskReserve: Int64? = 0,
        flightMark: String? = nil
    ) throws {
        self.room = room
        self.published = published ?? room.records.count
        own = try folder == nil ? TemporaryFolder() : nil
        self.folder = folder ?? own?.path ?? ""
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        self.ended = ended
        var pair: [Int32] = [-1, -1]
        unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        descriptor = pair[0]
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        worker = WorkerHandle(
            WorkerOptions(
                name: "WK_test", linkDescriptor: pair[1], flightMark: flightMark, diskReserve: diskReserve)
        ) { end.finish() }
        send(.hello(Hello(name: "gateway", processID: getpid())))
    }

    deinit {
        worker?.stopThread()
        close(descriptor)
    }

    // MARK: What the gateway does

    func assign(_ assignment: EgressAssignment, fence: UInt64 = 1) throws {
        let body = Array(try JSONEncoder().encode(assignment))
        send(.assign(job: assignment.egress, fence: fence, body: body))
    }

    func command(_ command: JobCommand, job: String = "EG_test", fence: UInt64 = 1) throws {
        send(.command(job: job, fence: fence, body: Array(try JSONEncoder().encode(command))))
    }

    /// More of the room's records come.
    func publish(upTo count: Int? = nil) {
        published = min(count ?? room.records.count, room.records.count)
        for subscription in subscriptions.keys { serve(subscription) }
    }

    func send(_ message: LinkMessage) {
        var bytes: [UInt8] = []
        message.encode(into: &bytes)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// The gateway dies.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// The worker dies, as by SIGKILL: nothing is sealed, nothing is told.
    func killWorker() {
        worker?.stopThread()
        worker = nil
    }

    func shutDownWorker() { worker?.shutDown() }

    // MARK: What it hears

    /// Serves the worker until `pick` finds in a message what is waited for.
    func await<Found>(_ pick: (LinkMessage) -> Found?) throws -> Found {
        while true {
            let message = try next()
            handle(message)
            if let found = pick(message) { return found }
        }
    }

    /// The next report that `matches`.
    func report(where matches: (JobReport) -> Bool = { _ in true }) throws -> JobReport {
        try self.await { message in
            guard case .report(_, _, let body) = message,
                let report = try? JSONDecoder().decode(JobReport.self, from: Data(body)), matches(report)
            else { return nil }
            return report
        }
    }

    func finalReport() throws -> JobReport { try report(where: \.isFinal) }

    private func next() throws -> LinkMessage {
        while true {
            if let message = try reader.next() { return message }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { throw Failure.closed }
            guard count > 0 else { throw Failure.silent(after: log) }
            reader.append(buffer.span.extracting(first: count))
        }
    }

    private func handle(_ message: LinkMessage) {
        log.append(String("\(message)".prefix(80)))
        switch message {
        case .subscribe(let request): begin(request)
        case .unsubscribe(let subscription):
            guard subscriptions.removeValue(forKey: subscription) != nil else { return }
            send(.ended(subscription: subscription, .unsubscribed))
        case .acknowledge(let subscription, let position, _): acknowledged[subscription] = position
        case .report(_, _, let body):
            if let report = try? JSONDecoder().decode(JobReport.self, from: Data(body)) { reports.append(report) }
        default: return
        }
    }

    private func begin(_ request: Subscribe) {
        guard request.room == SimulatedRoom.id else {
            return send(.ended(subscription: request.subscription, .notFound))
        }
        let isOfThisFeed = request.epoch.map { room.records.first?.body == .event(.clock(epoch: $0)) } ?? true
        let position: UInt64 = if isOfThisFeed, case .position(let position) = request.start { position } else { 0 }
        subscriptions[request.subscription] = request
        sentTo[request.subscription] = Int(position)
        send(.subscribed(subscription: request.subscription, position: position))
        for record in room.snapshot(before: position) {
            send(.record(subscription: request.subscription, record))
        }
        serve(request.subscription)
    }

    private func serve(_ subscription: UInt32) {
        let from = sentTo[subscription] ?? 0
        guard from < published else { return }
        for record in room.records[from..<published] { send(.record(subscription: subscription, record)) }
        sentTo[subscription] = published
    }
}
