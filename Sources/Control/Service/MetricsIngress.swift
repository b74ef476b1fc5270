/// What ``IngressControl`` counts as it happens, since this gateway was started.
struct IngressCounters: Sendable {
    private(set) var started = 0
    private(set) var ended = 0
    private(set) var takeovers = 0
    private(set) var refused = Tally("cause")
    /// How far the sound's stamps are ahead of the picture's; looked at once a second in each session.
    private(set) var avOffset = Histogram(bounds: [-1, -0.5, -0.25, -0.1, -0.045, 0, 0.045, 0.1, 0.25, 0.5, 1])

    enum Refusal: String, CaseIterable, Sendable {
        case unknownKey = "unknown_key"
        case disabled
        case changed
        case noRoom = "no_room"
        case busy
        case full
    }

    init() {
        for cause in Refusal.allCases { refused.add(0, cause.rawValue) }
    }

    mutating func noteStart() { started += 1 }
    mutating func noteEnd() { ended += 1 }
    mutating func noteTakeover() { takeovers += 1 }
    mutating func note(soundAhead milliseconds: Int64?) {
        if let milliseconds { avOffset.observe(Double(milliseconds) / 1000) }
    }

    mutating func note(_ refusal: Refusal) { refused.add(1, refusal.rawValue) }
}

extension IngressControl {
    func metrics() -> [MetricFamily] {
        var states = Tally("state")
        for state in [IngressRecord.State.buffering, .publishing] { states.add(0, state.rawValue) }
        for record in all() where record.state == .buffering || record.state == .publishing {
            states.add(1, record.state.rawValue)
        }
        return [
            states.family(.gauge, "sluice_ingress_sessions", "Encoders that stream in now, by state."),
            MetricFamily(
                .counter, "sluice_ingress_sessions_started_total", "Sessions of encoders that were let in.",
                Double(counters.started)),
            MetricFamily(
                .counter, "sluice_ingress_sessions_ended_total", "Sessions of encoders that ended.",
                Double(counters.ended)),
            MetricFamily(
                .counter, "sluice_ingress_takeovers_total", "Sessions ended because another encoder came on their key.",
                Double(counters.takeovers)),
            MetricFamily(
                "sluice_ingress_av_offset_seconds",
                "How far the sound's stamps are ahead of the picture's, once a second in each session.",
                counters.avOffset),
            counters.refused.family(
                .counter, "sluice_ingress_refused_total", "Encoders that were turned away, by cause."),
        ]
    }
}
