import RTMPPush
import Testing
import Timing

@testable import Work

@Suite("A push's retries")
struct PushOutputTests {
    static let failure = PushFailure.dropped(host: "a.example")

    @Test("come 1, 2, 4 … 30 seconds after failures in a row")
    func schedule() throws {
        var push = PushOutput()
        var now = Instant(nanoseconds: 0)
        var waits: [Int64] = []
        for _ in 0..<8 {
            try push.apply(.broke(Self.failure), at: now)
            let due = try #require(push.due)
            waits.append((due - now).components.seconds)
            #expect(throws: PushTransitionError.self) { try push.apply(.retryDue, at: due - .nanoseconds(1)) }
            now = due
            try push.apply(.retryDue, at: now)
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30])
        #expect(push.state == .connecting(attempt: 9))
    }

    static let lives: [(life: Duration, thenWaits: Int64)] = [
        (.seconds(59), 8), (.seconds(60), 1), (.seconds(3600), 1), (.zero, 8),
    ]

    @Test("begin again at one second after a minute of health", arguments: lives)
    func health(life: Duration, thenWaits: Int64) throws {
        var push = PushOutput()
        var now = Instant(nanoseconds: 0)
        for _ in 0..<3 {
            try push.apply(.broke(Self.failure), at: now)
            now = try #require(push.due)
            try push.apply(.retryDue, at: now)
        }
        try push.apply(.accepted, at: now)
        now += life
        try push.apply(.broke(Self.failure), at: now)
        #expect(try #require(push.due) - now == .seconds(thenWaits))
    }

    @Test("end when the output is removed, whatever it did")
    func removal() throws {
        let now = Instant(nanoseconds: 5)
        let histories: [[PushOutput.Event]] = [[], [.accepted], [.broke(Self.failure)]]
        for events in histories {
            var push = PushOutput()
            for event in events { try push.apply(event, at: now) }
            try push.apply(.removed, at: now)
            #expect(push.state == .removed)
            #expect(throws: PushTransitionError(state: .removed, event: .accepted)) {
                try push.apply(.accepted, at: now)
            }
        }
    }

    @Test("do not take late events of a connection that was given up")
    func lateEvents() throws {
        var push = PushOutput()
        let now = Instant(nanoseconds: 0)
        #expect(throws: PushTransitionError.self) { try push.apply(.retryDue, at: now) }
        try push.apply(.accepted, at: now)
        #expect(throws: PushTransitionError.self) { try push.apply(.accepted, at: now) }
        #expect(push.state == .live(since: now))
    }
}

extension PushOutput {
    fileprivate var due: Instant? { if case .waiting(let until, _, _) = state { until } else { nil } }
}
