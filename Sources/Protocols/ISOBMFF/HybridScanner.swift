import Bytes

/// Reads what a recording left on disk, without reading its media: asks for ranges of the file, one after another.
///
/// Poll; answer each `read` with ``receive(_:)``; stop at `finished`.
public struct HybridScanner: Sendable {
    public enum Output: Equatable, Sendable {
        /// Read `count` bytes at `offset`, fewer at the end of the file, and give them to ``receive(_:)``.
        case read(offset: UInt64, count: Int)
        case finished(HybridScan)
    }

    /// Bytes that hold the headers of nearly every fragment.
    static let firstRead = 4096
    /// The headers of one fragment are never longer.
    static let longestRead = 4 << 20

    private enum State {
        case head
        case fragment(at: UInt64, reading: Int)
        case finished(HybridScan)
    }

    private let fileSize: UInt64
    private let reopens: Bool
    private var state = State.head
    private var file = HybridFile()
    private var tables: [UInt32: SampleTable] = [:]

    /// - Parameters:
    ///   - fileSize: the file's length in bytes as it stands.
    ///   - reopens: look behind the seal of a finished file: it is `open`, once ``HybridHead/unseal`` was written to it.
    public init(fileSize: UInt64, reopens: Bool = false) {
        self.fileSize = min(fileSize, 1 << 62)
        self.reopens = reopens
    }

    /// Takes the bytes that the last `read` asked for.
    public mutating func receive(_ bytes: [UInt8]) {
        switch state {
        case .head: state = readHead(bytes.span)
        case .fragment(let offset, let count): state = readFragment(bytes.span, at: offset, asked: count)
        case .finished: break
        }
    }

    public func pollOutput() -> Output {
        switch state {
        case .head: .read(offset: 0, count: HybridHead.byteCount)
        case .fragment(let offset, let count): .read(offset: offset, count: count)
        case .finished(let scan): .finished(scan)
        }
    }

    private mutating func readHead(_ bytes: Span<UInt8>) -> State {
        guard bytes.count == HybridHead.byteCount, let type = BoxHeader.type(in: bytes, at: 0), type == "ftyp",
            let mark = BoxHeader.type(in: bytes, at: HybridHead.sealOffset)
        else { return .finished(.unusable) }
        if mark == "mdat", !reopens { return .finished(.sealed) }
        guard mark == "free" || mark == "mdat", let movie = Self.movie(in: bytes) else { return .finished(.unusable) }
        file.movie = movie
        return .fragment(at: UInt64(HybridHead.byteCount), reading: Self.firstRead)
    }

    private static func movie(in head: Span<UInt8>) -> Movie? {
        try? Movie(parsing: head.extracting(HybridHead.movieOffset..<head.count).child("moov"))
    }

    private mutating func readFragment(_ bytes: Span<UInt8>, at offset: UInt64, asked: Int) -> State {
        do throws(ISOBMFFError) {
            let end = try take(bytes, at: offset)
            return end < fileSize ? .fragment(at: end, reading: Self.firstRead) : conclusion
        } catch {
            // Cut by our own reading, or by the end of the file?
            let isWhole = bytes.count < asked || asked >= Self.longestRead
            return isWhole ? conclusion : .fragment(at: offset, reading: asked * 8)
        }
    }

    /// Takes the headers of the fragment at `offset`.
    /// - Returns: the fragment's end.
    private mutating func take(_ bytes: Span<UInt8>, at offset: UInt64) throws(ISOBMFFError) -> UInt64 {
        var boxes = BoxIterator(bytes)
        guard let moof = try boxes.next(), moof.type == "moof" else { throw .missing("moof") }
        let fragment = try ParsedFragment(parsing: bytes.extracting(moof.payload))
        let uuid = try bytes.extracting(moof.payload).child("uuid")
        guard uuid.count <= ResumeBox.limit, let resume = ResumeBox.parse(uuid) else { throw .malformed("uuid") }
        let data = try BoxHeader(parsing: bytes, at: moof.end)
        guard data.type == "mdat", let size = data.size else { throw .missing("mdat") }
        let (end, isOver) = (offset &+ UInt64(moof.end)).addingReportingOverflow(size)
        guard !isOver, end <= fileSize else { throw .truncated("mdat") }
        try check(fragment, moofAt: moof.start, mediaAt: moof.end + data.byteCount, mediaEnd: moof.end + Int(size))
        for run in fragment.runs {
            try tables[run.trackID, default: SampleTable()].append(run, moofAt: offset &+ UInt64(moof.start))
        }
        file.byteCount = end
        file.resumeState = resume
        file.nextSequenceNumber = fragment.sequenceNumber &+ 1
        return end
    }

    /// Every run must belong to a known track and stand within the fragment's own `mdat`.
    private func check(
        _ fragment: ParsedFragment, moofAt: Int, mediaAt: Int, mediaEnd: Int
    ) throws(ISOBMFFError) {
        for run in fragment.runs {
            guard let track = file.movie.tracks.first(where: { $0.id == run.trackID }),
                run.description > 0, Int(run.description) <= track.entries.count
            else { throw .malformed("tfhd") }
            let start = moofAt + run.dataOffset
            guard start >= mediaAt, start + run.byteCount <= mediaEnd else { throw .malformed("trun") }
            guard run.time >= tables[run.trackID]?.lastTime ?? 0 else { throw .malformed("tfdt") }
        }
    }

    private var conclusion: State {
        guard file.byteCount > 0 else { return .finished(.unusable) }
        var whole = file
        whole.tables = file.movie.tracks.map { tables[$0.id] ?? SampleTable() }
        return .finished(.open(whole))
    }
}

extension BoxHeader {
    fileprivate static func type(in bytes: Span<UInt8>, at offset: Int) -> FourCC? {
        try? BoxHeader(parsing: bytes, at: offset).type
    }
}

/// What a hybrid file is, as it was found.
public enum HybridScan: Equatable, Sendable {
    /// No whole fragment, or not a file of ours: truncate it to nothing and begin anew.
    case unusable
    /// Finished: an ordinary MP4. Nothing is to be done.
    case sealed
    /// Left in the middle: cut it to ``HybridFile/byteCount`` and go on.
    case open(HybridFile)
}

/// A hybrid file that was left in the middle: all that is needed to go on in it.
public struct HybridFile: Equatable, Sendable {
    /// The end of the last whole fragment. The file is to be truncated to this length before anything is appended.
    public internal(set) var byteCount: UInt64 = 0
    public internal(set) var movie = Movie()
    /// Beside the movie's tracks.
    public internal(set) var tables: [SampleTable] = []
    public internal(set) var nextSequenceNumber: UInt32 = 1
    /// The state that the recorder wrote with the last whole fragment.
    public internal(set) var resumeState: [UInt8] = []
}
