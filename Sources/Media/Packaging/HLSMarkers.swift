public import ISOBMFF
import Bytes
import HLS
import Timing

extension HLSSegmenter {
    /// All named places so far, in the order in which they were named: at nanoseconds of recorded media since the first
    /// sample, pauses not counted. Each is told with the segment that holds it, or with the next when it is late.
    public mutating func mark(_ chapters: [Chapter]) { markers.add(chapters) }

    /// Ends the segment at the next key frame (or sound, where there is no picture).
    public mutating func split() { cutter.isSplitDue = true }
}

/// The named places of a presentation, on its one scale: recorded media since the first sample, pauses not counted.
struct HLSMarkers: Sendable {
    struct Pause {
        var time: Int64
        var length: Int64
    }

    /// Pauses that are remembered.
    private static let pauseLimit = 1000

    /// How many were named.
    private var count = 0
    /// Those that no segment has told, by their numbers from 1.
    private var waiting: [(number: Int, place: Chapter)] = []
    /// Nanoseconds since 1970 at 0; `nil` before the first publication.
    private var zero: Int64?
    private var pauses: [Pause] = []

    init() {}

    mutating func add(_ chapters: [Chapter]) {
        for (index, place) in chapters.enumerated().dropFirst(count) { waiting.append((index + 1, place)) }
        count = max(count, chapters.count)
    }

    /// So much was left out at `time` of the timeline, before it is added to what `beginning` says.
    mutating func leaveOut(_ length: Int64, at time: Int64, _ beginning: RoomTimeline.Beginning) {
        guard zero != nil, pauses.count < Self.pauseLimit else { return }
        var before = beginning
        before.leftOut &-= length
        pauses.append(Pause(time: time &+ shift(before), length: length))
    }

    /// Takes those that stand before `end`, a time of the timeline that began so.
    mutating func take(before end: Int64, _ beginning: RoomTimeline.Beginning) -> [MediaPlaylist.Marker] {
        if zero == nil {
            zero = beginning.startedAt.nanoseconds
            if beginning.leftOut > 0 { pauses = [Pause(time: .min, length: beginning.leftOut)] }
        }
        let end = end &+ shift(beginning)
        defer { waiting.removeAll { $0.place.time < end } }
        return waiting.filter { $0.place.time < end }.map { number, place in
            MediaPlaylist.Marker(
                id: "marker-\(number)", date: date(of: place.time), name: MultivariantPlaylist.quotable(place.name))
        }
    }

    private func date(of time: Int64) -> WallTime {
        let paused = pauses.reduce(0) { $1.time < time ? $0 &+ $1.length : $0 }
        return WallTime(nanoseconds: (zero ?? 0) &+ time &+ paused)
    }

    /// From a timeline's time to this scale.
    private func shift(_ beginning: RoomTimeline.Beginning) -> Int64 {
        let wall = beginning.startedAt.nanoseconds &+ beginning.leftOut
        return wall &- (zero ?? wall) &- pauses.reduce(0) { $0 &+ $1.length }
    }

    // MARK: For a later attempt

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uint32: UInt32(clamping: count))
        bytes.append(uint64: UInt64(bitPattern: zero ?? .min))
        bytes.append(uint16: UInt16(clamping: pauses.count))
        for pause in pauses {
            bytes.append(uint64: UInt64(bitPattern: pause.time))
            bytes.append(uint64: UInt64(bitPattern: pause.length))
        }
        bytes.append(uint16: UInt16(clamping: waiting.count))
        for (number, place) in waiting.prefix(0xFFFF) {
            bytes.append(uint32: UInt32(clamping: number))
            bytes.append(uint64: UInt64(bitPattern: place.time))
            bytes.append(uint16: UInt16(clamping: place.name.utf8.count))
            bytes.append(contentsOf: place.name.utf8.prefix(0xFFFF))
        }
        return bytes
    }

    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes.span)
        guard let count = reader.uint32(), let zero = reader.uint64(), let pauseCount = reader.uint16() else {
            return nil
        }
        self.count = Int(count)
        self.zero = Int64(bitPattern: zero) == .min ? nil : Int64(bitPattern: zero)
        for _ in 0..<pauseCount {
            guard let time = reader.uint64(), let length = reader.uint64() else { return nil }
            pauses.append(Pause(time: Int64(bitPattern: time), length: Int64(bitPattern: length)))
        }
        guard let waitingCount = reader.uint16() else { return nil }
        for _ in 0..<waitingCount {
            guard let number = reader.uint32(), let time = reader.uint64(),
                let name = reader.uint16().flatMap({ reader.array(Int($0)) })
            else { return nil }
            let place = Chapter(time: Int64(bitPattern: time), name: String(decoding: name, as: UTF8.self))
            waiting.append((Int(number), place))
        }
    }
}
