import Bytes

/// What a tape's end holds, found without reading all of it: for a writer that goes on, and for a look at its summary.
public struct TapeTail: Equatable, Sendable {
    /// Up to here the tape is good; what follows is a torn tail, or the index that a writer replaces.
    public internal(set) var byteCount: UInt64
    /// The index stands at the end: it was finished.
    public internal(set) var isFinished = false
    public internal(set) var identity: TapeIdentity
    public internal(set) var summary: TapeSummary
    /// As ``TapeWriter/nextPosition``.
    public internal(set) var nextPosition: UInt64?
    /// The snapshots, in their order.
    public internal(set) var entries: [TapeIndex.Entry] = []
    var mark: UInt32
    var state: RoomState
    var roomTime: Int64

    fileprivate init(_ snapshot: TapeSnapshot, mark: UInt32, end: UInt64) {
        self.mark = mark
        byteCount = end
        identity = snapshot.identity
        summary = snapshot.summary
        nextPosition = snapshot.position == 0 && snapshot.summary.events == 0 ? nil : snapshot.position
        state = snapshot.state
        roomTime = snapshot.roomTime
    }

    fileprivate init(_ identity: TapeIdentity, mark: UInt32, end: UInt64) {
        self.mark = mark
        byteCount = end
        self.identity = identity
        summary = TapeSummary()
        state = RoomState()
        roomTime = .min
    }

    fileprivate mutating func apply(_ item: TapeReader.Item) {
        switch item {
        case .identity(let identity):
            if identity.run != self.identity.run {
                nextPosition = nil
                state = RoomState()
                summary.beginRun(identity.run)
            }
            self.identity = identity
        case .record(let record):
            summary.add(record)
            roomTime = max(roomTime, record.time)
            if case .event(let event) = record.body {
                state.apply(event)
                nextPosition = max(nextPosition ?? 0, record.position)
            } else {
                nextPosition = record.position == .max ? .max : record.position + 1
            }
        case .note(let note): summary.add(note)
        case .snapshot, .index, .damage, .unknown: break
        }
    }
}

/// Finds the ``TapeTail`` of a file. Drain ``pollOutput()``; give what was read to ``receive(_:)``.
public struct TapeTailScanner: Sendable {
    public enum Output: Equatable, Sendable {
        case read(offset: UInt64, count: Int)
        /// `nil`: no frame of a tape is there.
        case finished(TapeTail?)
    }

    private enum Phase: Equatable {
        /// Reading from the start for the first good frame: its mark is the tape's, as for a reader of the whole.
        case beginning(offset: UInt64)
        case trailer
        case index(offset: UInt64)
        /// Looking backward for a snapshot, or for the identity at the start; `end` is where the window ends.
        case search(end: UInt64)
        /// A head was found that may be of the place to begin from; the index may have named it.
        case candidate(offset: UInt64, length: Int)
        case forward(offset: UInt64)
        /// Walking the snapshots back, for the index.
        case chain(offset: UInt64)
        case done
    }

    private static let window = 1 << 20
    /// The identity, with which a tape begins, is within it.
    private static let firstWindow: UInt64 = 4096
    /// Bytes that a search may read beside twice the file: a hostile tape has heads without end, each of a long body.
    private static let spareReads: UInt64 = 64 << 20

    private let fileSize: UInt64
    private var phase: Phase
    private var tail: TapeTail?
    private var reader = TapeReader()
    private var mark: UInt32 = 0
    private var firstFrame: Range<UInt64> = 0..<0
    /// What is known by the index alone.
    private var index: (offset: UInt64, entries: [TapeIndex.Entry])?
    /// Of the chain, newest first; and where it goes on.
    private var chain: [TapeIndex.Entry] = []
    private var chainStart: UInt64 = 0
    /// Bytes that may still be read to find where the tape can be read from.
    private var searchBudget: UInt64

    public init(fileSize: UInt64) {
        self.fileSize = fileSize
        searchBudget = min(fileSize, .max / 4) * 2 + Self.spareReads
        phase = fileSize >= UInt64(TapeFormat.trailerBytes) ? .beginning(offset: 0) : .done
    }

    public func pollOutput() -> Output {
        switch phase {
        case .beginning(let offset): read(from: offset, atMost: offset == 0 ? Self.firstWindow : UInt64(Self.window))
        case .trailer: .read(offset: fileSize - UInt64(TapeFormat.trailerBytes), count: TapeFormat.trailerBytes)
        case .index(let offset): .read(offset: offset, count: Int(clamping: fileSize - offset))
        case .search(let end): read(before: end)
        case .candidate(let offset, let length): .read(offset: offset, count: length)
        case .forward(let offset): read(from: offset, atMost: UInt64(Self.window))
        case .chain(let offset):
            .read(offset: offset, count: TapeFormat.headBytes + TapeFormat.snapshotHeadBytes)
        case .done: .finished(tail)
        }
    }

    /// Takes what the last `read` gave; fewer bytes than asked for are taken for the end of the file.
    public mutating func receive(_ bytes: [UInt8]) {
        switch phase {
        case .beginning(let offset): readBeginning(bytes, from: offset)
        case .trailer: readTrailer(bytes)
        case .index(let offset): readIndex(bytes, at: offset)
        case .search(let end): if spend(bytes.count) { search(bytes, before: end) }
        case .candidate(let offset, _): if spend(bytes.count) { readCandidate(bytes, at: offset) }
        case .forward(let offset): readForward(bytes, from: offset)
        case .chain(let offset): readChain(bytes, at: offset)
        case .done: break
        }
    }

    private func read(from offset: UInt64, atMost limit: UInt64) -> Output {
        .read(offset: offset, count: Int(clamping: min(limit, fileSize - offset)))
    }

    /// - Returns: false, and the search is over, when too much was read for what a writer leaves.
    private mutating func spend(_ count: Int) -> Bool {
        guard searchBudget >= UInt64(clamping: count) else {
            phase = .done
            return false
        }
        searchBudget -= UInt64(clamping: count)
        return true
    }

    private func read(before end: UInt64) -> Output {
        let count = min(UInt64(Self.window), end)
        return .read(offset: end - count, count: Int(count))
    }

    // MARK: The mark

    private mutating func readBeginning(_ bytes: [UInt8], from offset: UInt64) {
        reader.append(bytes.span)
        let end = offset + UInt64(bytes.count)
        let isLast = bytes.isEmpty || end >= fileSize
        if isLast { reader.finish() }
        phase = isLast ? .done : .beginning(offset: end)
        do throws(TapeError) {
            while reader.first == nil, try reader.next() != nil {}
        } catch {  // no tape of ours
            phase = .done
        }
        guard let first = reader.first else { return }
        (mark, firstFrame) = (first.mark, first.bytes)
        phase = .trailer
    }

    /// A frame of this tape, and not bytes within its first one.
    private func isOurs(_ head: TapeFrameHead, at offset: UInt64) -> Bool {
        head.mark == mark && (offset == firstFrame.lowerBound || offset >= firstFrame.upperBound)
    }

    // MARK: A finished tape

    private mutating func readTrailer(_ bytes: [UInt8]) {
        phase = .search(end: fileSize)
        guard bytes.count == TapeFormat.trailerBytes, Array(bytes.suffix(8)) == TapeFormat.trailer else { return }
        let offset = bytes.span.uint64(at: 0)
        let limit = UInt64(TapeFormat.bodyLimit + TapeFormat.headBytes)
        guard offset < fileSize, fileSize - offset <= limit else { return }
        phase = .index(offset: offset)
    }

    private mutating func readIndex(_ bytes: [UInt8], at offset: UInt64) {
        phase = .search(end: fileSize)
        guard let head = TapeFrameHead(at: 0, in: bytes.span), head.kind == TapeFormat.Kind.index.rawValue,
            head.hasBody(at: 0, in: bytes.span), head.length + TapeFormat.headBytes == bytes.count,
            let index = try? TapeIndex.decode(bytes[TapeFormat.headBytes...]), let last = index.entries.last,
            last.offset < offset, offset - last.offset <= UInt64(TapeFormat.bodyLimit)
        else { return }
        self.index = (offset, index.entries)
        phase = .candidate(offset: last.offset, length: Int(offset - last.offset))
    }

    // MARK: One that was not

    /// Takes the last head of a snapshot or an identity in a window.
    private mutating func search(_ bytes: [UInt8], before end: UInt64) {
        let start = end - min(UInt64(Self.window), end)
        var offset = bytes.count - TapeFormat.headBytes
        while offset >= 0 {
            if bytes[offset] == TapeFormat.sync[0], let head = TapeFrameHead(at: offset, in: bytes.span),
                head.kind == TapeFormat.Kind.snapshot.rawValue || head.kind == TapeFormat.Kind.identity.rawValue,
                isOurs(head, at: start + UInt64(offset))
            {
                let place = start + UInt64(offset)
                return phase = .candidate(offset: place, length: TapeFormat.headBytes + head.length)
            }
            offset -= 1
        }
        phase = start == 0 ? .done : Self.search(before: start)
    }

    /// Looks for heads that begin before `offset`.
    private static func search(before offset: UInt64) -> Phase {
        .search(end: offset + UInt64(TapeFormat.headBytes - 1))
    }

    private mutating func readCandidate(_ bytes: [UInt8], at offset: UInt64) {
        let index = index
        self.index = nil
        phase = index != nil ? .search(end: fileSize) : offset == 0 ? .done : Self.search(before: offset)
        guard let head = TapeFrameHead(at: 0, in: bytes.span), isOurs(head, at: offset),
            head.hasBody(at: 0, in: bytes.span)
        else { return }
        let body = bytes[TapeFormat.headBytes..<(TapeFormat.headBytes + head.length)]
        let after = offset + UInt64(TapeFormat.headBytes + head.length)
        if head.kind == TapeFormat.Kind.snapshot.rawValue, let snapshot = try? TapeSnapshot.decode(body) {
            var tail = TapeTail(snapshot, mark: head.mark, end: after)
            chain = [TapeIndex.Entry(offset: offset, time: snapshot.time, position: snapshot.position)]
            guard let index, index.offset == after else { return goForward(tail, previous: snapshot.previous) }
            (tail.entries, tail.isFinished) = (index.entries, true)
            self.tail = tail
            phase = .done
        } else if offset == firstFrame.lowerBound, let fields = try? Fields(parsing: body),
            let identity = try? TapeIdentity(fields)
        {  // no snapshot yet: all of it is behind the identity
            goForward(TapeTail(identity, mark: head.mark, end: after), previous: 0)
        }
    }

    private mutating func goForward(_ tail: TapeTail, previous: UInt64) {
        self.tail = tail
        chainStart = previous
        reader = TapeReader(from: tail.byteCount, mark: tail.mark)
        phase = .forward(offset: tail.byteCount)
    }

    private mutating func readForward(_ bytes: [UInt8], from offset: UInt64) {
        reader.append(bytes.span)
        let end = offset + UInt64(bytes.count)
        if bytes.isEmpty || end >= fileSize { reader.finish() }
        do throws(TapeError) {
            while let item = try reader.next() { tail?.apply(item) }
        } catch {  // nothing good behind the snapshot: it ends there
        }
        if let known = tail?.byteCount { tail?.byteCount = max(known, reader.goodEnd) }
        guard bytes.isEmpty || end >= fileSize else { return phase = .forward(offset: end) }
        nextInChain(chainStart)
    }

    // MARK: The chain of snapshots

    private mutating func readChain(_ bytes: [UInt8], at offset: UInt64) {
        let start = TapeFormat.headBytes
        guard bytes.count == start + TapeFormat.snapshotHeadBytes,
            let head = TapeFrameHead(at: 0, in: bytes.span), head.kind == TapeFormat.Kind.snapshot.rawValue,
            head.mark == mark
        else { return endChain() }
        chain.append(
            TapeIndex.Entry(
                offset: offset, time: Int64(bitPattern: bytes.span.uint64(at: start + 8)),
                position: bytes.span.uint64(at: start + 16)))
        nextInChain(bytes.span.uint64(at: start))
    }

    private mutating func nextInChain(_ previous: UInt64) {
        guard previous > 0, let last = chain.last, previous < last.offset else { return endChain() }
        phase = .chain(offset: previous)
    }

    private mutating func endChain() {
        tail?.entries = chain.reversed()
        phase = .done
    }
}
