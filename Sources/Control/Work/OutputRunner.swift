import Feed
import Assignments
import Timing

/// One output of a job, at work: it consumes one subscription. Lives on the worker's loop.
protocol OutputRunner: AnyObject {
    /// The number of its subscription.
    var subscription: UInt32 { get }
    /// As it stands now.
    var report: OutputReport { get }
    /// True once it is complete, failed or removed, and nothing of it is left to do.
    var isEnded: Bool { get }

    /// Opens what it writes to and subscribes.
    func start(at now: Instant)
    func subscribed(from position: UInt64)
    func receive(_ record: Record, at now: Instant)
    /// All records of this batch were given.
    func drained(at now: Instant)
    /// Some time went by; called several times a second.
    func tick(at now: Instant)
    func feedEnded(_ reason: EndReason, at now: Instant)
    /// Ends by itself after this much media; `nil`: never.
    func limit(to duration: Duration?)
    /// Writes nothing from here on, until ``resume(at:)``: what stands plays.
    func pause(at now: Instant)
    /// Goes on with the next key frame.
    func resume(at now: Instant)
    /// Finishes the present file or segment at the next key frame. Nothing for what has neither.
    func split(at now: Instant)
    /// All named places so far have become these.
    func mark(_ markers: [Marker])
    /// Takes what the feed still holds for it, then seals.
    func stop(at now: Instant)
    /// As ``stop(at:)``, and ends as `removed`.
    func remove(at now: Instant)
    /// The gateway is gone: seals what is there, at once.
    func seal(at now: Instant)
}

extension OutputRunner {
    func split(at now: Instant) {}
    func mark(_ markers: [Marker]) {}
}

/// The job that an output is part of.
struct JobContext {
    let job: String
    let fence: UInt64
    let assignment: EgressAssignment
    let worker: WorkerContext

    func subscribe(
        _ subscription: UInt32, _ output: OutputAssignment, isDurable: Bool, start: Subscribe.Start,
        epoch: Int64? = nil
    ) {
        worker.send(
            .subscribe(
                Subscribe(
                    subscription: subscription, job: job, fence: fence, room: assignment.roomID,
                    selection: output.selection.forFeed, isDurable: isDurable, start: start, epoch: epoch)))
    }

    /// Where an output without a past begins.
    var start: Subscribe.Start {
        switch assignment.preroll {
        case .gop: .gop
        case .none: .live
        case .seconds(let seconds): .preroll(nanoseconds: Duration.seconds(max(0, seconds)).nanoseconds)
        }
    }
}

extension OutputAssignment.Selection {
    var forFeed: Subscribe.Selection {
        switch self {
        case .all: .all
        case .participant(let identity, let screenShare): .participant(identity: identity, screenShare: screenShare)
        case .tracks(let ids): .tracks(ids)
        }
    }
}
