public import Timing

/// Notes when the packets of one transport come, and makes ``TransportFeedback`` of it for their sender.
///
/// After **every** input drain ``pollOutput()`` until it says `wait`. At most ``capacity`` packets are held.
public struct TransportArrivals: Sendable {
    public enum Output: Equatable, Sendable {
        case feedback(TransportFeedback)
        case wait(deadline: Instant?)
    }

    /// Between two feedbacks: the sender's estimate is as young as that.
    public static let interval: Duration = .milliseconds(50)
    /// Feedback goes out early when so many packets wait to be told of.
    public static let capacity = 400

    private struct Note {
        var sequence: Int64
        var instant: Instant
    }

    private let sender: UInt32
    private var counter = ExtendedCounter<UInt16>()
    private var notes: [Note] = []
    /// The first packet that no feedback told of.
    private var next: Int64?
    private var media: UInt32 = 0
    private var deadline: Instant?
    private var number: UInt8 = 0
    private var outputs: [TransportFeedback] = []

    /// - Parameter sender: our SSRC in RTCP.
    public init(sender: UInt32) {
        self.sender = sender
        notes.reserveCapacity(Self.capacity)
    }

    /// Takes the transport-wide sequence number of a packet of stream `media`.
    public mutating func receive(_ sequenceNumber: UInt16, media: UInt32, at now: Instant) {
        notes.append(Note(sequence: counter.extend(sequenceNumber), instant: now))
        self.media = media
        if deadline == nil { deadline = now + Self.interval }
        if notes.count >= Self.capacity { flush(at: now) }
    }

    /// Moves time forward. Early or repeated calls are harmless.
    public mutating func advance(to now: Instant) {
        guard let deadline, now >= deadline else { return }
        flush(at: now)
    }

    public mutating func pollOutput() -> Output {
        outputs.isEmpty ? .wait(deadline: deadline) : .feedback(outputs.removeFirst())
    }

    private mutating func flush(at now: Instant) {
        deadline = nil
        notes.sort { $0.sequence < $1.sequence }
        var rest = notes[...]
        while let first = rest.first {
            // Losses before the first are told of too, unless the numbers leapt.
            let gap = next.map { first.sequence - $0 } ?? 0
            let base = 1...Int64(Self.capacity) ~= gap ? first.sequence - gap : first.sequence
            rest = write(rest, from: base)
        }
        notes.removeAll(keepingCapacity: true)
    }

    /// Makes one feedback of as many notes as it can tell of.
    /// - Returns: the others.
    private mutating func write(_ notes: ArraySlice<Note>, from base: Int64) -> ArraySlice<Note> {
        guard let first = notes.first else { return notes }
        let reference = first.instant.nanoseconds / 64_000_000
        var told: [TransportFeedback.Arrival] = []
        var ticks = reference &* 256  // of 250 µs
        var last = base - 1
        var rest = notes
        while let note = rest.first {
            let step = note.instant.nanoseconds / 250_000 &- ticks
            let isDuplicate = note.sequence == last
            guard isDuplicate || note.sequence - base < Int64(Self.capacity) * 2 else { break }
            if !isDuplicate {
                guard let delta = Int16(exactly: step) else { break }
                told.append(.init(offset: UInt16(note.sequence - base), delta: delta))
                ticks &+= step
                last = note.sequence
            }
            rest = rest.dropFirst()
        }
        outputs.append(
            TransportFeedback(
                sender: sender, media: media, baseSequenceNumber: UInt16(truncatingIfNeeded: base),
                packetStatusCount: UInt16(last - base + 1), referenceTime: Self.wrapped(reference),
                feedbackPacketCount: number, arrivals: told))
        number &+= 1
        next = max(next ?? .min, last + 1)
        return rest
    }

    /// The low 24 bits, with their sign.
    private static func wrapped(_ reference: Int64) -> Int32 {
        Int32(truncatingIfNeeded: reference << 8) >> 8
    }
}
