import Feed
import Forwarding
import Glibc
import Log
public import MediaLoop
public import Timing

/// What a worker's link tells the control plane.
public enum LinkEvent: Sendable {
    case connected(worker: String, processID: Int32)
    case report(worker: String, job: String, fence: UInt64, body: [UInt8])
    case pong(worker: String)
    /// The worker is gone, or said something that it may not say. `held` has, by job, the position from which its feed is
    /// held for the worker that takes over.
    case closed(worker: String, cause: String, held: [String: UInt64])
}

/// The gateway's end of one worker's link: serves subscriptions from the rooms of its loop, and carries commands.
///
/// Lives on the loop. Memory is bounded: records wait in the rooms' rings, not here; at most ``outputLimit`` bytes of
/// frames wait for the socket.
public final class GatewayLink: DescriptorHandler {
    static let outputLimit = 1 << 20
    private static let readSize = 64 << 10

    public let worker: String
    private let loop: EventLoop
    private let rooms: RoomHost
    private let descriptor: Int32
    private let onEvent: @Sendable (LinkEvent) -> Void
    private let log = Logger("link")
    private let counters: LinkCounters
    private var token: EventLoop.Token?
    private var reader = LinkFrameReader()
    private var output: [UInt8] = []
    private var sent = 0
    private var isWaitingToWrite = false
    private var subscriptions: [UInt32: Subscription] = [:]
    /// The order in which subscriptions are served, and who is next: each gets its turn.
    private var order: [UInt32] = []
    private var turn = 0
    /// The fence in force of each job on this worker.
    private var fences: [String: UInt64] = [:]

    private struct Subscription {
        let room: Room
        let job: String
        var cursor: FeedCursor
        /// Where it ends, once the worker has asked for the end: what the feed held by then is still given.
        var last: UInt64?

        /// True once its last record is out.
        var isOver: Bool {
            guard let last = last ?? (room.isClosed ? room.ring.next : nil) else { return false }
            return cursor.position >= last
        }
    }

    /// Takes over `descriptor`, a connected Unix socket that does not block.
    public init(
        worker: String, descriptor: Int32, rooms: RoomHost, loop: EventLoop, counters: LinkCounters = LinkCounters(),
        onEvent: @escaping @Sendable (LinkEvent) -> Void
    ) {
        self.worker = worker
        self.counters = counters
        self.descriptor = descriptor
        self.rooms = rooms
        self.loop = loop
        self.onEvent = onEvent
        token = loop.add(descriptor, for: .readable, self)
        send(.hello(Hello(name: "gateway", processID: getpid())))
    }

    deinit { Glibc.close(descriptor) }

    // MARK: From the control plane

    public func assign(job: String, fence: UInt64, body: [UInt8]) {
        fences[job] = fence
        send(.assign(job: job, fence: fence, body: body))
    }

    public func command(job: String, fence: UInt64, body: [UInt8]) {
        send(.command(job: job, fence: fence, body: body))
    }

    /// The job is this worker's no more: it gets nothing of it, and what it says of it counts no longer.
    public func withdraw(job: String) {
        fences[job] = nil
        for (number, subscription) in subscriptions where subscription.job == job { end(number, .fenced) }
    }

    public func ping(_ number: UInt64) { send(.ping(number)) }

    public func shutDown() { send(.shutdown) }

    /// Ends the link. What its durable subscriptions had not acknowledged is held a while for those who take over.
    /// - Returns: by job, from which position.
    @discardableResult
    public func close() -> [String: UInt64] {
        guard let token else { return [:] }
        loop.remove(token)
        self.token = nil
        var held: [String: UInt64] = [:]
        for subscription in subscriptions.values {
            guard let consumer = subscription.cursor.retention,
                let position = subscription.room.ring.needed(by: consumer)
            else {
                subscription.cursor.end(in: &subscription.room.ring)
                continue
            }
            subscription.room.orphan(subscription.cursor, at: Clocks.now())
            held[subscription.job] = min(held[subscription.job] ?? position, position)
        }
        subscriptions = [:]
        order = []
        return held
    }

    public var isClosed: Bool { token == nil }
    /// Whether there are subscriptions for ``flush()`` to serve.
    public var isServing: Bool { !order.isEmpty }

    /// Bytes of frames that wait for the socket.
    var waitingBytes: Int { output.count - sent }

    // MARK: From the socket

    public func ready(_ events: Readiness, at now: Instant) {
        if !events.isDisjoint(with: [.readable, .closed]) { receive() }
        if events.contains(.writable), !isClosed {
            write()
            flush()
        }
    }

    private func receive() {
        var cause: String?
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.readSize) { buffer in
            while cause == nil {
                let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count < 0 && errno == EINTR { continue }
                if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) { return }
                guard count > 0 else {
                    cause = count == 0 ? "the worker closed its link" : "link error \(errno)"
                    return
                }
                unsafe reader.append(UnsafeBufferPointer(rebasing: buffer[..<count]).span)
                cause = handleMessages()
                if count < buffer.count { return }
            }
        }
        if let cause { fail(cause) }
    }

    /// - Returns: why the link must end, or `nil`.
    private func handleMessages() -> String? {
        do throws(FeedError) {
            while let message = try reader.next() {
                if let cause = handle(message) { return cause }
            }
            return nil
        } catch { return "malformed link message: \(error)" }
    }

    /// Ends the link and says why.
    public func fail(_ cause: String) {
        guard !isClosed else { return }
        onEvent(.closed(worker: worker, cause: cause, held: close()))
    }

    private func handle(_ message: LinkMessage) -> String? {
        switch message {
        case .hello(let hello):
            guard hello.version == LinkVersion.current else {
                return "the worker speaks link version \(hello.version), the gateway \(LinkVersion.current)"
            }
            onEvent(.connected(worker: worker, processID: hello.processID))
        case .subscribe(let request): subscribe(request)
        case .unsubscribe(let number):
            guard let subscription = subscriptions[number], subscription.last == nil else { break }
            subscriptions[number]?.last = subscription.room.ring.next
            flush()
        case .acknowledge(let number, let position, let fence): acknowledge(number, before: position, fence: fence)
        case .keyFrameRequest: break  // only packet tracks can be asked (WebRTC); a unit track's encoder cannot
        case .report(let job, let fence, let body):
            onEvent(.report(worker: worker, job: job, fence: fence, body: body))
        case .pong: onEvent(.pong(worker: worker))
        case .assign, .command, .subscribed, .record, .ended, .ping, .shutdown:
            return "a worker may not send this message"
        }
        return nil
    }

    private func subscribe(_ request: Subscribe) {
        guard fences[request.job] == request.fence else {
            return send(.ended(subscription: request.subscription, .fenced))
        }
        guard let room = rooms.room(request.room), subscriptions[request.subscription] == nil else {
            return send(.ended(subscription: request.subscription, .notFound))
        }
        let isOfThisFeed = request.epoch == nil || request.epoch == room.ring.state.epoch
        let cursor = FeedCursor(
            on: &room.ring, selection: request.selection, start: isOfThisFeed ? request.start : .gop,
            isDurable: request.isDurable)
        send(.subscribed(subscription: request.subscription, position: cursor.position))
        subscriptions[request.subscription] = Subscription(room: room, job: request.job, cursor: cursor)
        order.append(request.subscription)
        log.info(
            "feed subscribed",
            [
                "job": request.job, "worker": worker, "room": request.room, "subscription": request.subscription,
                "from": cursor.position, "durable": request.isDurable,
            ])
        flush()
    }

    private func acknowledge(_ number: UInt32, before position: UInt64, fence: UInt64) {
        guard let subscription = subscriptions[number], fences[subscription.job] == fence else { return }
        subscription.cursor.acknowledge(before: position, in: &subscription.room.ring)
    }

    private func end(_ number: UInt32, _ reason: EndReason) {
        if let subscription = subscriptions[number] {
            log.info(
                "feed ended",
                [
                    "job": subscription.job, "worker": worker, "subscription": number, "reason": "\(reason)",
                    "at": subscription.cursor.position,
                ])
        }
        release(number)
        order.removeAll { $0 == number }
        send(.ended(subscription: number, reason))
    }

    private func release(_ number: UInt32) {
        guard let subscription = subscriptions.removeValue(forKey: number) else { return }
        subscription.cursor.end(in: &subscription.room.ring)
    }

    // MARK: To the socket

    /// Moves what the subscriptions are due into the socket, each in its turn. Call it a few times in a second.
    public func flush() {
        guard !isClosed, !isWaitingToWrite else { return }
        var idle = 0
        while idle < order.count, !isWaitingToWrite {
            turn = turn + 1 < order.count ? turn + 1 : 0
            idle = fill(from: order[turn]) ? 0 : idle + 1
            if output.count - sent >= Self.outputLimit / 4 { write() }
        }
        write()
        for number in order where subscriptions[number]?.isOver == true {
            end(number, subscriptions[number]?.last == nil ? .roomClosed : .unsubscribed)
        }
    }

    /// - Returns: false when the subscription is at the live edge.
    private func fill(from number: UInt32) -> Bool {
        guard var subscription = subscriptions.removeValue(forKey: number) else { return false }
        defer { subscriptions[number] = subscription }
        let start = output.count
        while output.count - start < Self.outputLimit / 16, subscription.cursor.position < subscription.last ?? .max,
            let record = subscription.cursor.next(in: subscription.room.ring)
        {
            if case .event(.missed(let from, let to)) = record.body { noteGap(from, to, subscription) }
            LinkMessage.record(subscription: number, record).encode(into: &output)
        }
        subscription.cursor.turnEnded(in: &subscription.room.ring)
        return output.count > start
    }

    private func noteGap(_ from: UInt64, _ to: UInt64, _ subscription: Subscription) {
        let isDurable = subscription.cursor.retention != nil
        counters.note(from: from, to: to, isDurable: isDurable)
        log.warning(
            "a consumer was too slow: it misses a part of the feed",
            ["job": subscription.job, "worker": worker, "from": from, "to": to, "durable": isDurable])
    }

    private func send(_ message: LinkMessage) {
        guard !isClosed else { return }
        message.encode(into: &output)
        write()
    }

    private func write() {
        while sent < output.count {
            let count = unsafe output.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            sent += count
        }
        if sent == output.count {
            output.removeAll(keepingCapacity: output.capacity <= Self.outputLimit)
            sent = 0
        }
        let mustWait = !output.isEmpty
        guard mustWait != isWaitingToWrite, let token else { return }
        isWaitingToWrite = mustWait
        loop.change(token, to: mustWait ? [.readable, .writable] : .readable)
    }
}
