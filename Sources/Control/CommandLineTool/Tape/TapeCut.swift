import Feed
import Storage

/// What `sluice tape cut` does: a new tape of the records of a span, with the room's state before them.
struct TapeCut {
    let path: String
    let out: String
    /// Seconds from the first media; `nil` for the tape's own.
    let from: Double?
    let to: Double?

    /// Bytes that are gathered before they are written.
    private static let pieceBytes = 1 << 20

    /// The record that the cut begins with, counted from the tape's first, and the room before it.
    private struct Beginning {
        var number: Int
        var record: Record
        var identity: TapeIdentity
        var state: RoomState
    }

    func run() throws(CommandError) {
        if let to, to <= from ?? 0 { throw .failed("--to is not behind --from", remedy: nil) }
        try OutputFile.requireFree(out)
        guard let begin = try beginning() else {
            throw .failed(
                "there is no media from \(TapeTime.text(from ?? 0)) on", remedy: "`sluice tape info` tells its length.")
        }
        let file = try OutputFile.create(out)
        var generator = SystemRandomNumberGenerator()
        var writer = TapeWriter(begin.identity, mark: UInt32.random(in: 1...UInt32.max, using: &generator))
        for event in begin.state.snapshot {
            writer.append(Record(position: begin.record.position, time: begin.record.time, body: .event(event)))
        }
        var place = TapePlace()
        var number = 0
        try TapeReading.forEach(path) { item throws(CommandError) in
            place.take(item)
            guard case .record(let record) = item else { return true }
            number += 1
            guard number >= begin.number else { return true }
            if let to, place.seconds(record) >= to { return false }
            writer.append(record)
            if writer.waitingBytes > Self.pieceBytes { try OutputFile.append(writer.takeBytes(), to: file) }
            return true
        }
        writer.finish()
        try OutputFile.append(writer.takeBytes(), to: file)
        let length = Measure.seconds(Double(writer.summary.duration) / 1e9)
        Output.line("Cut  \(out) (\(length), \(Measure.bytes(Int64(clamping: writer.byteCount))))")
    }

    /// The last key frame up to `from`; of several pictures the earliest. Without a picture the first media from there on.
    private func beginning() throws(CommandError) -> Beginning? {
        var keys: [TrackNumber: Beginning] = [:]
        var first: Beginning?
        var isReached = from == nil
        var place = TapePlace()
        var number = 0
        try TapeReading.forEach(path) { item throws(CommandError) in
            place.take(item)
            guard case .record(let record) = item else { return true }
            number += 1
            if case .event = record.body { return true }
            guard let identity = place.identity else { return true }
            let time = place.seconds(record)
            if time >= from ?? 0 { isReached = true }
            if time > from ?? 0, first != nil || !keys.isEmpty { return false }
            let here = Beginning(number: number, record: record, identity: identity, state: place.state)
            if let track = place.picture(begunBy: record) {
                keys[track] = here
            } else if time >= from ?? 0, first == nil, !place.hasPicture {
                first = here
            }
            return true
        }
        return isReached ? keys.values.min { $0.number < $1.number } ?? first : nil
    }
}
