/// What all links of a loop count together, over the lives of their workers. Lives on that loop.
public final class LinkCounters {
    /// Records that a durable consumer, as a recording, was to get and the room held no longer: a gap in what it writes.
    public internal(set) var missedByDurable: UInt64 = 0
    /// The same of live consumers, as a push, which are cut to the present when they are behind.
    public internal(set) var missedByLive: UInt64 = 0

    public init() {}

    func note(from: UInt64, to: UInt64, isDurable: Bool) {
        let count = to > from ? to - from : 0
        if isDurable { missedByDurable &+= count } else { missedByLive &+= count }
    }
}
