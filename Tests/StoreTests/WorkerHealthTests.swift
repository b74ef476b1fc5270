import Jobs
import Testing
import Timing

@Suite("A worker's health")
struct WorkerHealthTests {
    static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    static func drain(_ health: inout WorkerHealth) -> [WorkerHealth.Output] {
        var outputs: [WorkerHealth.Output] = []
        while true {
            let output = health.pollOutput()
            outputs.append(output)
            if case .wait = output { return outputs }
        }
    }

    @Test("is asked each second, and lives while it answers")
    func answering() {
        var health = WorkerHealth(at: Self.at(0))
        for second in 0..<100 {
            health.advance(to: Self.at(Double(second)))
            health.advance(to: Self.at(Double(second) + 0.1))
            #expect(
                Self.drain(&health) == [
                    .ping(number: UInt64(second) + 1), .wait(until: Self.at(Double(second) + 1)),
                ])
            health.pong(at: Self.at(Double(second) + 0.2))
        }
    }

    @Test("is lost after six seconds of silence, once")
    func frozen() {
        var health = WorkerHealth(at: Self.at(0))
        health.pong(at: Self.at(2.5))
        var kills: [(Double, Duration)] = []
        for tick in 0..<40 {
            let now = Double(tick) / 2
            health.advance(to: Self.at(now))
            for case .kill(let silence) in Self.drain(&health) { kills.append((now, silence)) }
        }
        #expect(kills.map(\.0) == [8.5])
        #expect(kills.map(\.1) == [.seconds(6)])
        #expect(Self.drain(&health) == [.wait(until: nil)])
    }

    @Test("does not suffer for a gateway that itself stood still")
    func gatewayStoppedItself() {
        var health = WorkerHealth(at: Self.at(0))
        health.advance(to: Self.at(0))
        health.advance(to: Self.at(20))
        health.advance(to: Self.at(22))
        #expect(!Self.drain(&health).contains { if case .kill = $0 { true } else { false } })
        for second in 23...26 { health.advance(to: Self.at(Double(second))) }
        #expect(Self.drain(&health).contains(.kill(silentFor: .seconds(6))))
    }

    @Test("brings it back after 1, 2, 4 … 30 s if it dies as it starts")
    func backoff() {
        var backoff = StartBackoff()
        var now = 0.0
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            backoff.started(at: Self.at(now))
            #expect(backoff.died(hadJobs: false, at: Self.at(now + 0.2)) == .seconds(expected))
            now += 100
        }
        backoff.started(at: Self.at(now))
        #expect(backoff.died(hadJobs: false, at: Self.at(now + 5)) == .zero)
        backoff.started(at: Self.at(now + 6))
        #expect(backoff.died(hadJobs: true, at: Self.at(now + 6.1)) == .zero)
        #expect(backoff.died(hadJobs: false, at: Self.at(now + 7)) == .seconds(1))
    }
}
