/// Maps one participant's clock onto room time: one map for all of its streams, so that they stay together.
///
/// It is the lower envelope of arrival − sender's time, slewed; before the first sender report there is no sender's time,
/// and the map is the identity.
struct SenderClock: Sendable {
    /// The most that the map moves per nanosecond of the sender's time, in parts per million.
    static let slewLimit: Int64 = 500

    /// Room time = sender's time + offset, in nanoseconds.
    private(set) var offset: Int64 = 0
    /// Whether the sender's own clock is known.
    private(set) var isTied = false
    private var envelope = LowerEnvelope()
    private var furthest: Int64 = .min
    /// The offset a minute ago, for the rate.
    private var earlier: (time: Int64, offset: Int64)?
    /// By how much the sender's clock is slower than the room's: 0.0002 is 200 ppm.
    private(set) var drift = 0.0

    /// Ties the sender's clock to the room's: `time` of it is `roomTime`.
    mutating func tie(_ time: Int64, to roomTime: Int64) {
        offset = roomTime &- time
        isTied = true
        furthest = time
        earlier = nil
        envelope.removeAll()
    }

    /// The sender's clock jumped; room time goes on.
    mutating func move(by nanoseconds: Int64) {
        offset &-= nanoseconds
        furthest &+= nanoseconds
        earlier = nil
        envelope.removeAll()
    }

    /// Something of the sender's `time` came at `arrival`.
    mutating func observe(_ time: Int64, arrival: Int64) {
        guard isTied else { return }
        envelope.observe(arrival &- time, at: arrival)
        let step = time &- furthest
        guard step > 0, let minimum = envelope.minimum else { return }
        furthest = time
        let most = step / 1000 &* Self.slewLimit / 1000
        offset &+= min(max(minimum &- offset, -most), most)
        guard let known = earlier else { return earlier = (time, offset) }
        if time &- known.time > 60_000_000_000 {
            drift = Double(offset &- known.offset) / Double(time &- known.time)
            earlier = (time, offset)
        }
    }

    func roomTime(_ time: Int64) -> Int64 { time &+ offset }
}
