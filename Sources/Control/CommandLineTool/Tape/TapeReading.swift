import Feed
import MediaLoop
import Storage
import Timing

/// Reads a tape for a command, and shows that it moves.
enum TapeReading {
    /// Bytes between two lines of progress.
    private static let step: UInt64 = 8 << 20

    /// Gives `body` each item until it answers false. - Returns: the size of the file in bytes.
    @discardableResult
    static func forEach(
        _ path: String, _ body: (TapeReader.Item) throws(CommandError) -> Bool
    ) throws(CommandError) -> Int64 {
        var progress = ProgressLine()
        defer { progress.clear() }
        var tape = try open(path)
        var told = step
        let startedAt = Clocks.now()
        while let item = try next(&tape) {
            guard try body(item) else { break }
            guard tape.offset >= told else { continue }
            told = tape.offset + step
            guard Clocks.now() - startedAt >= .seconds(1) else { continue }
            let (done, all) = (Int64(clamping: tape.offset), tape.byteCount)
            progress.show(
                "reading \(path)  \(Measure.bytes(done)) of \(Measure.bytes(all))", stage: "reading",
                fraction: Double(done) / Double(max(1, all)), at: Clocks.now())
        }
        return tape.byteCount
    }

    static func open(_ path: String) throws(CommandError) -> TapeFile {
        do throws(TapeFileError) {
            return try TapeFile(path: path)
        } catch {
            throw CommandError(error)
        }
    }

    private static func next(_ tape: inout TapeFile) throws(CommandError) -> TapeReader.Item? {
        do throws(TapeFileError) {
            return try tape.next()
        } catch {
            throw CommandError(error)
        }
    }
}

/// The room at the place of a tape that was read last.
struct TapePlace {
    private(set) var identity: TapeIdentity?
    private(set) var state = RoomState()
    /// Wall time of the first media, in nanoseconds.
    private(set) var firstAt: Int64?

    mutating func take(_ item: TapeReader.Item) {
        switch item {
        case .identity(let identity):
            if let known = self.identity, known.run != identity.run { state = RoomState() }
            self.identity = identity
        case .record(let record):
            if case .event(let event) = record.body {
                state.apply(event)
            } else {
                firstAt = firstAt ?? wallTime(record)
            }
        case .snapshot, .index, .note, .damage, .unknown: break
        }
    }

    func wallTime(_ record: Record) -> Int64 { (state.epoch ?? 0) &+ record.time }

    /// Seconds from the first media.
    func seconds(_ record: Record) -> Double { Double(wallTime(record) &- (firstAt ?? wallTime(record))) / 1e9 }

    var hasPicture: Bool { state.tracks.values.contains { $0.info.kind == .video } }

    /// The picture whose key frame `record` is.
    func picture(begunBy record: Record) -> TrackNumber? {
        let (track, isKey): (TrackNumber, Bool) =
            switch record.body {
            case .event: (TrackNumber(rawValue: 0), false)
            case .unit(let unit): (unit.track, unit.isKey)
            case .packet(let packet): (packet.track, packet.isKey)
            }
        return isKey && state.tracks[track]?.info.kind == .video ? track : nil
    }
}
