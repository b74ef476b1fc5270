import Timing

/// One track of packets: a stream (one SSRC) at a time, in order, with the clock of each that was heard of lately.
struct PacketTrack<Payload: Sendable>: Sendable {
    typealias Timeline = PacketTimeline<Payload>

    private struct Waiting: Sendable {
        var timestamp: Int64
        var payload: Payload
    }

    /// How long a missing packet is waited for, in nanoseconds.
    private static var patience: Int64 { 300_000_000 }
    private static var stragglerTime: Int64 { 1_000_000_000 }
    private static var capacity: Int { 512 }
    private static var clockLimit: Int { 8 }
    /// A sequence number this far off is another sequence, once its successor bears it out (RFC 3550 appendix A.1).
    private static var dropoutLimit: Int64 { 3000 }
    private static var misorderLimit: Int64 { 600 }

    /// Times of one track may fall back by less than this for a new fit of a map, in nanoseconds; they then stand still.
    private static var settling: Int64 { 100_000_000 }

    private let number: Int
    private let ticksPerSecond: Int64
    private var ssrc: UInt32?
    /// The stream before this one: what still comes of it is too late.
    private var former: (ssrc: UInt32, until: Int64)?
    private var sequences = ExtendedCounter<UInt16>()
    /// The number that would bear out a new sequence.
    private var probation: UInt16?
    private var buffer = ReorderBuffer<Waiting>(capacity: capacity, patience: patience)
    /// Clocks of streams, the latest last.
    private var clocks: [(ssrc: UInt32, clock: StreamClock)] = []
    private(set) var deadline: Int64?
    private var lost: Range<Int64>?
    private var lastTime: Int64?

    init(number: Int, ticksPerSecond: Int64) {
        self.number = number
        self.ticksPerSecond = ticksPerSecond
    }

    var heldCount: Int { buffer.count }
    var clockCount: Int { clocks.count }

    mutating func receive(
        _ header: Timeline.Header, _ payload: Payload, at now: Int64, _ clock: inout SenderClock,
        _ statistics: inout Timeline.Statistics, _ outputs: inout [Timeline.Output]
    ) {
        if let former, former.ssrc == header.ssrc, now < former.until {  // overtaken by the stream that followed it
            statistics.late += 1
            return
        }
        if ssrc != header.ssrc {
            begin(header.ssrc, at: now, clock, &statistics, &outputs)
        } else if isAstray(header.sequenceNumber) {
            guard probation == header.sequenceNumber else { return probation = header.sequenceNumber &+ 1 }
            begin(header.ssrc, at: now, clock, &statistics, &outputs)
        }
        probation = nil
        let index = self.index(of: header.ssrc, header.timestamp, time: now &- clock.offset)
        let timestamp = clocks[index].clock.timestamps.extend(header.timestamp)
        if !clocks[index].clock.isProvisional {
            clock.observe(clocks[index].clock.time(of: timestamp), arrival: now)
        }
        let sequence = sequences.extend(header.sequenceNumber)
        switch buffer.insert(Waiting(timestamp: timestamp, payload: payload), sequence: sequence, at: now) {
        case .taken: break
        case .duplicate: statistics.duplicates += 1
        case .late: statistics.late += 1
        }
        drain(at: now, clock, &statistics, &outputs)
    }

    /// - Returns: by how much the sender's clock is another than was thought: it moves the other tracks too.
    mutating func report(
        _ ssrc: UInt32, _ timestamp: UInt32, time: Int64, at now: Int64, _ clock: inout SenderClock
    ) -> Int64? {
        let index = self.index(of: ssrc, timestamp, time: now &- clock.offset)
        let wide = clocks[index].clock.timestamps.extend(timestamp)
        guard clock.isTied else {
            let roomTime = clocks[index].clock.time(of: wide)
            clock.tie(time, to: roomTime)
            moveClocks(by: time &- roomTime)
            _ = clocks[index].clock.report(wide, time: time)
            return time &- roomTime
        }
        let jump = clocks[index].clock.report(wide, time: time)
        guard let jump else { return nil }
        clock.move(by: jump)
        for other in clocks.indices where other != index { clocks[other].clock.move(by: jump) }
        return jump
    }

    mutating func moveClocks(by nanoseconds: Int64) {
        for index in clocks.indices { clocks[index].clock.move(by: nanoseconds) }
    }

    mutating func flush(
        at now: Int64, _ clock: SenderClock, _ statistics: inout Timeline.Statistics,
        _ outputs: inout [Timeline.Output]
    ) {
        buffer.flush()
        drain(at: now, clock, &statistics, &outputs)
    }

    mutating func drain(
        at now: Int64, _ clock: SenderClock, _ statistics: inout Timeline.Statistics,
        _ outputs: inout [Timeline.Output]
    ) {
        while true {
            switch buffer.next(at: now) {
            case .wait(let until):
                deadline = until
                return
            case .lost(let range):
                statistics.lost += Int64(range.count)
                lost = (lost?.lowerBound ?? range.lowerBound)..<range.upperBound
            case .element(let sequence, let waiting): give(sequence, waiting, clock, &outputs)
            }
        }
    }

    private mutating func give(
        _ sequence: Int64, _ waiting: Waiting, _ clock: SenderClock, _ outputs: inout [Timeline.Output]
    ) {
        guard let ssrc, let stream = clocks.first(where: { $0.ssrc == ssrc })?.clock else { return }
        var time = clock.roomTime(stream.time(of: waiting.timestamp))
        // What the maps take back of themselves between two packets is no step back in time.
        if let lastTime, lastTime &- time < Self.settling { time = max(time, lastTime) }
        outputs.append(
            .packet(
                Timeline.PlacedPacket(
                    track: number, ssrc: ssrc, sequence: sequence, timestamp: waiting.timestamp, roomTime: time,
                    payload: waiting.payload)))
        if let lost {
            outputs.append(
                .gap(Timeline.Gap(track: number, ssrc: ssrc, packets: lost, from: lastTime ?? time, to: time)))
        }
        lost = nil
        lastTime = time
    }

    // MARK: Streams

    private func isAstray(_ sequenceNumber: UInt16) -> Bool {
        guard let furthest = sequences.furthest else { return false }
        let step = sequences.place(sequenceNumber) &- furthest
        return step > Self.dropoutLimit || step < -Self.misorderLimit
    }

    /// Another stream: a new SSRC, a switch of layers, or a sequence that began anew.
    private mutating func begin(
        _ ssrc: UInt32, at now: Int64, _ clock: SenderClock, _ statistics: inout Timeline.Statistics,
        _ outputs: inout [Timeline.Output]
    ) {
        if self.ssrc != nil {
            flush(at: now, clock, &statistics, &outputs)
            statistics.restarts += 1
            former = self.ssrc == ssrc ? nil : self.ssrc.map { ($0, now &+ Self.stragglerTime) }
            if self.ssrc == ssrc { clocks.removeAll { $0.ssrc == ssrc } }
        }
        self.ssrc = ssrc
        sequences = ExtendedCounter()
        buffer = ReorderBuffer(capacity: Self.capacity, patience: Self.patience)
        lost = nil
    }

    /// The clock of a stream, made where it is heard of first: `time` of its sender's clock, at the latest.
    private mutating func index(of ssrc: UInt32, _ timestamp: UInt32, time: Int64) -> Int {
        if let known = clocks.firstIndex(where: { $0.ssrc == ssrc }) { return known }
        if clocks.count == Self.clockLimit {
            clocks.remove(at: clocks.firstIndex { $0.ssrc != self.ssrc } ?? 0)
        }
        clocks.append(
            (ssrc, StreamClock(ticksPerSecond: ticksPerSecond, timestamp: Int64(timestamp), time: time)))
        return clocks.count - 1
    }
}
