import CLinux
import Glibc
public import Timing

/// What waits for a descriptor on an ``EventLoop``. Called on the loop's thread only.
public protocol DescriptorHandler: AnyObject {
    func ready(_ events: Readiness, at now: Instant)
}

/// What a descriptor is ready for, or is waited on for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readable = Readiness(rawValue: 0x001)
    public static let writable = Readiness(rawValue: 0x004)
    /// The peer is gone, or an error stands on the descriptor. Reported without being asked for.
    public static let closed = Readiness(rawValue: 0x008 | 0x010 | 0x2000)
}

/// One thread with an epoll: it owns every descriptor registered with it and everything that the handlers own.
///
/// Not `Sendable`: what lives on the loop stays there. ``LoopHandle`` is the door for everyone else.
public final class EventLoop {
    /// Names a registration. Numbers are not used again, so that an event of a closed descriptor finds nobody.
    public struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Timer {
        var due: Instant
        let every: Duration
        let isNeeded: () -> Bool
        let action: (Instant) -> Void
    }

    public let handle: LoopHandle
    private let poll: Int32
    private var handlers: [UInt64: any DescriptorHandler] = [:]
    private var descriptors: [UInt64: Int32] = [:]
    private var lastToken: UInt64 = 0
    private var timers: [Timer] = []
    private var batch: [LoopHandle.Command] = []
    private var isStopping = false

    init(handle: LoopHandle) {
        self.handle = handle
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        var event = unsafe epoll_event(events: Readiness.readable.rawValue, data: epoll_data_t(u64: 0))
        unsafe epoll_ctl(poll, EPOLL_CTL_ADD, handle.wakeDescriptor, &event)
    }

    deinit { close(poll) }

    /// Calls `handler` when `descriptor` is ready for `interest`, level-triggered, until ``remove(_:)``.
    public func add(_ descriptor: Int32, for interest: Readiness, _ handler: any DescriptorHandler) -> Token {
        lastToken += 1
        handlers[lastToken] = handler
        descriptors[lastToken] = descriptor
        control(EPOLL_CTL_ADD, Token(number: lastToken), interest)
        return Token(number: lastToken)
    }

    public func change(_ token: Token, to interest: Readiness) { control(EPOLL_CTL_MOD, token, interest) }

    /// Forgets the registration; the descriptor stays open and is its owner's to close.
    public func remove(_ token: Token) {
        control(EPOLL_CTL_DEL, token, [])
        handlers[token.number] = nil
        descriptors[token.number] = nil
    }

    /// Calls `action` each `interval` on the loop's thread for as long as the loop runs. All timers stand on one grid, so
    /// that those whose intervals are multiples of each other share their wake-ups, in the order in which they were made.
    /// - Parameter isNeeded: asked at each turn; while it says false the timer wakes nobody.
    public func every(
        _ interval: Duration, while isNeeded: @escaping () -> Bool = { true }, _ action: @escaping (Instant) -> Void
    ) {
        let due = Self.nextDue(after: Clocks.now(), every: interval)
        timers.append(Timer(due: due, every: interval, isNeeded: isNeeded, action: action))
    }

    /// Ends ``run()`` after the present turn.
    public func stop() { isStopping = true }

    func run() {
        var events = unsafe [epoll_event](repeating: epoll_event(), count: 256)
        while !isStopping {
            let count = unsafe epoll_wait(poll, &events, Int32(events.count), millisecondsToNextTimer())
            let now = Clocks.now()
            handle.noteTurn(at: now)
            for index in 0..<max(0, Int(count)) { unsafe dispatch(events[index], at: now) }
            runTimers(at: now)
        }
    }

    private func dispatch(_ event: epoll_event, at now: Instant) {
        let number = unsafe event.data.u64
        guard number != 0 else { return drainMailbox() }
        unsafe handlers[number]?.ready(Readiness(rawValue: event.events), at: now)
    }

    private func drainMailbox() {
        var count: UInt64 = 0
        unsafe read(handle.wakeDescriptor, &count, 8)
        handle.mailbox.drain(into: &batch)
        for command in batch { command(self) }
        batch.removeAll(keepingCapacity: true)
    }

    private func runTimers(at now: Instant) {
        for index in timers.indices where timers[index].due <= now && timers[index].isNeeded() {
            timers[index].due = Self.nextDue(after: now, every: timers[index].every)
            timers[index].action(now)
        }
    }

    private func millisecondsToNextTimer() -> Int32 {
        var due: Instant?
        for timer in timers where timer.isNeeded() { due = min(due ?? timer.due, timer.due) }
        guard let due else { return 1000 }
        let left = (due - Clocks.now()).nanoseconds
        return Int32(clamping: min(1000, max(0, (left + 999_999) / 1_000_000)))
    }

    private static func nextDue(after now: Instant, every interval: Duration) -> Instant {
        let step = max(1, interval.nanoseconds)
        return Instant(nanoseconds: (now.nanoseconds / step + 1) &* step)
    }

    private func control(_ operation: Int32, _ token: Token, _ interest: Readiness) {
        guard let descriptor = descriptors[token.number] else { return }
        var event = unsafe epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token.number))
        unsafe epoll_ctl(poll, operation, descriptor, &event)
    }
}
