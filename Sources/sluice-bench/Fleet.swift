import LoadGenerator
import MediaLoop
import Terminal
import Timing

/// Publishers that are started one after another, so that their key frames do not fall together.
struct Fleet {
    private let fleet: PublisherFleet

    init(_ clip: MediaClip) { fleet = PublisherFleet(clip) }

    /// Starts one publisher a key and waits until all publish.
    func start(_ keys: [String], port: UInt16) throws(BenchError) {
        let already = fleet.look().publishing
        let step = Duration.nanoseconds(2_000_000_000 / Int64(max(1, keys.count)))
        for key in keys {
            fleet.add(key: key, port: port)
            Terminal.pause(step)
        }
        let deadline = Clocks.now() + .seconds(20)
        while true {
            let status = fleet.look()
            if let failure = status.failures.first { throw .failed("a publisher could not begin: \(failure)") }
            if status.publishing >= already + keys.count { return }
            guard Clocks.now() < deadline else {
                throw .failed("only \(status.publishing) of \(already + keys.count) publish after 20 s")
            }
            Terminal.pause(.milliseconds(20))
        }
    }

    /// How it goes; the lateness begins anew with each look.
    func look() -> PublisherFleet.Status { fleet.look() }

    func finish() { fleet.finish() }
}
