import Assignments
import Feed
import MediaLoop
import Storage
import Timing

/// Where a tape lies: its storage root, the path beneath it, and its id.
struct TapePlace {
    var root: String
    var path: String
    /// `TP_…`
    var id: String
}

/// Where an attempt to write a tape begins: in what file, behind what, from where in the feed.
struct TapeBeginning {
    var writer: TapeWriter
    var file: LocalFile
    var start: Subscribe.Start

    /// Looks at what an earlier attempt left at the place, if it made it; else begins a new file.
    init(
        _ place: TapePlace, in root: StorageRoot, of output: OutputAssignment, job: JobContext
    ) throws(StorageError) {
        var generator = SystemRandomNumberGenerator()
        let identity = TapeIdentity(
            tape: place.id, roomID: job.assignment.roomID, room: job.assignment.room, egress: job.assignment.egress,
            output: output.id, attempt: UInt32(clamping: job.assignment.attempt),
            isWholeRoom: output.selection == .all, openedAt: Clocks.wall().nanoseconds)
        writer = TapeWriter(identity, mark: UInt32.random(in: 1...UInt32.max, using: &generator))
        start = Self.start(without: output, job)
        guard output.adopts, let left = try Self.open(place.path, in: root, job) else {
            file = try root.create(place.path, pool: job.worker.pool)
            return
        }
        if let tail = try Self.tail(of: left), tail.identity.tape == place.id {
            try left.truncate(to: min(left.byteCount, Int64(clamping: tail.byteCount)))
            writer = TapeWriter(adopting: tail, identity)
            if let next = writer.nextPosition { start = .position(next) }
            file = left
        } else if left.byteCount < 1024 {  // killed before the first bytes were there
            try left.truncate(to: 0)
            file = left
        } else {
            file = try root.create(place.path, pool: job.worker.pool)
        }
    }

    private static func start(without output: OutputAssignment, _ job: JobContext) -> Subscribe.Start {
        guard job.assignment.attempt > 1 else { return job.start }
        return output.resumeFrom.map { .position($0) } ?? .gop
    }

    private static func open(
        _ path: String, in root: StorageRoot, _ job: JobContext
    ) throws(StorageError) -> LocalFile? {
        do {
            return try root.open(path, pool: job.worker.pool)
        } catch .notFound {
            return nil
        }
    }

    private static func tail(of file: LocalFile) throws(StorageError) -> TapeTail? {
        var scanner = TapeTailScanner(fileSize: UInt64(clamping: file.byteCount))
        while true {
            switch scanner.pollOutput() {
            case .read(let offset, let count):
                scanner.receive(try file.read(at: Int64(clamping: offset), count: count))
            case .finished(let tail): return tail
            }
        }
    }
}
