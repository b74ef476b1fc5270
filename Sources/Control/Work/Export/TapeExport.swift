import Assignments
import Feed
import Packaging
import Storage
import Timing

/// Turns a tape into files that play, without transcoding: what is readable of it is fed to the engines of live recording, on a
/// clock that runs as fast as the machine can.
struct TapeExport {
    /// Bytes of the tape between two lines of progress.
    private static let progressStep: UInt64 = 4 << 20

    let request: ExportRequest
    let say: (ExportLine) -> Void

    func run() throws(ExportError) {
        let summary = try summary()
        let files = try files(of: summary)
        let root = try ExportError.wrapping { () throws(StorageError) in try StorageRoot(request.folder) }
        let pool = SyncPool(threads: 1)
        let suffix = "." + request.format.rawValue
        let places = files.map {
            ExportPlace(root: root, pool: pool, name: $0.name + suffix, zero: summary.firstAt ?? 0)
        }
        for place in places { try place.requireFree() }
        let options = files.map { RoomTimeline.Options(selection: $0.selection, maximumTracks: 16) }
        switch request.format {
        case .mp4:
            var sinks = zip(places, options).map { MP4Sink($0, selection: $1.selection, say) }
            try feed(&sinks, pass: 1, of: 1)
        case .mkv:
            var surveys = options.map { TrackSurvey(options: $0) }
            try feed(&surveys, pass: 1, of: 2)
            var sinks = zip(zip(places, options), surveys).map { MKVSink($0.0, options: $0.1, parts: $1.parts, say) }
            try feed(&sinks, pass: 2, of: 2)
        }
    }

    // MARK: What is made

    private func summary() throws(ExportError) -> TapeSummary {
        let tape = try open()
        let tail = try ExportError.wrapping { () throws(TapeFileError) in try tape.tail() }
        if let tail { return tail.summary }
        var summary = TapeSummary()
        try read { item, _ throws(ExportError) in
            if case .record(let record) = item { summary.add(record) }
        }
        return summary
    }

    private func files(of summary: TapeSummary) throws(ExportError) -> [(name: String, selection: Subscribe.Selection)]
    {
        let known = summary.tracks.filter { $0.units + $0.packets > 0 }
        for id in request.tracks where !known.contains(where: { $0.info.id == id }) {
            throw ExportError("the tape has no track \(id)", "`sluice tape info` lists its tracks.")
        }
        let ids = request.tracks.isEmpty ? known.map(\.info.id) : request.tracks
        guard request.perTrack else { return [(request.name, request.tracks.isEmpty ? .all : .tracks(ids))] }
        var seen: Set<String> = []
        return known.filter { ids.contains($0.info.id) && seen.insert($0.info.id).inserted }.map { track in
            let kind = track.info.kind == .video ? "video" : "audio"
            let who = String(track.identity.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }.prefix(48))
            return ("\(request.name)-\(who)-\(kind)-\(track.info.id)", .tracks([track.info.id]))
        }
    }

    // MARK: Reading

    /// Gives every sink each readable record, and the time between them.
    private func feed<Sink: ExportSink>(_ sinks: inout [Sink], pass: Int, of passes: Int) throws(ExportError) {
        var told: UInt64 = 0
        var clock = BatchClock()
        try read { item, tape throws(ExportError) in
            if tape.offset >= told {
                told = tape.offset + Self.progressStep
                say(.progress(pass: pass, of: passes, done: Int64(clamping: tape.offset), total: tape.byteCount))
            }
            switch item {
            case .record(let record):
                let due = clock.advance(to: record)
                for index in sinks.indices {
                    if let due { try sinks[index].advance(to: due) }
                    try sinks[index].pass(to: record.time)
                    try sinks[index].receive(record)
                }
            case .damage(let damage) where pass == passes: say(.damage(damage.description))
            case .damage, .identity, .snapshot, .index, .note, .unknown: break
            }
        }
        for index in sinks.indices { try sinks[index].finish() }
    }

    private func open() throws(ExportError) -> TapeFile {
        try ExportError.wrapping { () throws(TapeFileError) in try TapeFile(path: request.tape) }
    }

    private func read(
        _ body: (TapeReader.Item, borrowing TapeFile) throws(ExportError) -> Void
    ) throws(ExportError) {
        var tape = try open()
        while true {
            let item: TapeReader.Item?
            do throws(TapeFileError) {
                item = try tape.next()
            } catch {
                throw ExportError(error.message, error.remedy)
            }
            guard let item else { return }
            try body(item, tape)
        }
    }
}

/// When a live recording would have been told the time: at the end of each batch of records.
private struct BatchClock {
    /// Room time of one batch, in nanoseconds.
    private static let step: Int64 = 40_000_000

    private var batch: (start: Int64, newest: Int64)?

    /// Takes the next record.
    /// - Returns: the room time to advance to before it, if it begins a batch.
    mutating func advance(to record: Record) -> Int64? {
        if case .event(.clock) = record.body { batch = nil }  // another zero
        guard let known = batch, record.time &- known.start < Self.step else {
            defer { batch = (record.time, record.time) }
            return batch?.newest
        }
        batch = (known.start, max(known.newest, record.time))
        return nil
    }
}

/// What becomes of a tape's records: one file, or what is learned before one.
protocol ExportSink {
    mutating func receive(_ record: Record) throws(ExportError)
    mutating func advance(to roomTime: Int64) throws(ExportError)
    /// When it wants to be advanced if nothing comes before, in room time.
    var due: Int64? { get }
    mutating func finish() throws(ExportError)
}

extension ExportSink {
    /// Lets the time up to `roomTime` go by, in which nothing came.
    mutating func pass(to roomTime: Int64) throws(ExportError) {
        var last = Int64.min
        while let due, due < roomTime, due > last {
            last = due
            try advance(to: due)
        }
    }
}

/// Where an export's files are made.
struct ExportPlace {
    let root: StorageRoot
    let pool: SyncPool
    let name: String
    /// Wall time of the tape's first media, in nanoseconds.
    let zero: Int64

    /// An export never writes over a file.
    func requireFree() throws(ExportError) {
        let path = "\(root.path)/\(name)"
        guard FileFacts(path: path) == nil else {
            throw ExportError("\(path) exists already", "Name another place with -o, or move it away.")
        }
    }

    func create() throws(ExportError) -> LocalFile {
        try ExportError.wrapping { () throws(StorageError) in try root.create(name, pool: pool) }
    }

    /// From the tape's first media.
    func seconds(to wallTime: Int64) -> Double { Double(wallTime &- zero) / 1e9 }
}

/// Why an export ended early, in words for who asked for it.
struct ExportError: Error {
    let message: String
    let remedy: String?

    init(_ message: String, _ remedy: String? = nil) {
        self.message = message
        self.remedy = remedy
    }

    static func wrapping<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(ExportError) -> Result {
        do {
            return try body()
        } catch let error as StorageError {
            throw ExportError(error.message)
        } catch let error as TapeFileError {
            throw ExportError(error.message, error.remedy)
        } catch {
            throw ExportError("\(error)")
        }
    }
}
