import Bytes

/// Reads a tape from its bytes, in order: what is readable is given, what is not is named, and the next good frame is found.
///
/// Holds at most one frame beside what the last ``append(_:)`` gave. Payloads share the storage of what was appended: who
/// keeps one for long copies it.
public struct TapeReader: Sendable {
    public enum Item: Equatable, Sendable {
        /// An attempt to write the tape begins.
        case identity(TapeIdentity)
        case record(Record)
        case snapshot(TapeSnapshot)
        case index(TapeIndex)
        case note(TapeNote)
        case damage(TapeDamage)
        /// A frame or a record of a kind that a later writer added; skipped.
        case unknown
    }

    /// Bytes without a good frame after which a file is taken for no tape at all.
    static let searchLimit: UInt64 = 64 << 20

    /// The offset in the file behind the last item.
    public private(set) var offset: UInt64
    /// The offset behind the last good frame.
    public private(set) var goodEnd: UInt64 = 0
    private var buffer: [UInt8] = []
    private var start = 0
    private var isFinished = false
    private var mustReadPreamble: Bool
    private var mark: UInt32?
    /// The first good frame, whose mark all others must have; `nil` before it, and when the mark was known.
    private(set) var first: (mark: UInt32, bytes: Range<UInt64>)?
    private var identity: TapeIdentity?
    private var order = TapeOrder()
    /// Damage that may go on with the bytes that follow.
    private var damage: TapeDamage?
    private var items: [Item] = []
    /// Bytes of bodies with wrong checksums that may still be searched for frames. Beyond it their lengths are believed, so
    /// that a hostile tape costs no more than its length.
    private var searchBudget = 64 << 20

    public init() {
        offset = 0
        mustReadPreamble = true
    }

    /// Reads from a frame at `offset` on; `mark` is the tape's, if it is known.
    init(from offset: UInt64, mark: UInt32?) {
        self.offset = offset
        self.mark = mark
        mustReadPreamble = false
    }

    /// Bytes that wait.
    public var bufferedBytes: Int { buffer.count - start }

    /// Takes the next bytes of the file. Read with ``next()`` until it gives `nil` before the next call.
    public mutating func append(_ bytes: Span<UInt8>) {
        var fresh: [UInt8] = []
        fresh.reserveCapacity(bufferedBytes + bytes.count)
        fresh.append(contentsOf: buffer[start...])
        fresh.append(copying: bytes)
        buffer = fresh
        start = 0
    }

    /// The file has no more bytes.
    public mutating func finish() { isFinished = true }

    /// The next item, or `nil` until more bytes come, and at the end.
    /// - Throws: ``TapeError``: the file is no tape for this reader; give it up.
    public mutating func next() throws(TapeError) -> Item? {
        while items.isEmpty {
            if mustReadPreamble {
                guard try readPreamble() else { return nil }
            } else if try !readFrame() {
                return isFinished ? try end() : nil
            }
        }
        return items.removeFirst()
    }

    // MARK: Frames

    private mutating func readPreamble() throws(TapeError) -> Bool {
        guard bufferedBytes >= TapeFormat.preambleBytes || isFinished else { return false }
        mustReadPreamble = false
        let bytes = buffer[start...].prefix(TapeFormat.preambleBytes)
        guard bytes.count == TapeFormat.preambleBytes, bytes.starts(with: TapeFormat.magic),
            bytes.span.uint32(at: 12) == CRC32C.checksum(of: bytes.span.extracting(0..<12))
        else {
            items.append(.damage(TapeDamage(cause: .noPreamble, bytes: 0..<UInt64(bytes.count))))
            return true
        }
        let major = bytes.span.uint16(at: 8)
        guard major <= TapeVersion.major else { throw .newerVersion(major: major) }
        consume(TapeFormat.preambleBytes)
        goodEnd = offset
        return true
    }

    /// - Returns: false when more bytes are needed.
    private mutating func readFrame() throws(TapeError) -> Bool {
        guard bufferedBytes >= TapeFormat.headBytes else {
            guard isFinished, bufferedBytes > 0 else { return false }
            lose(bufferedBytes, .cutOff)
            return true
        }
        guard let head = TapeFrameHead(at: start, in: buffer.span) else {
            lose(bytesToSync(), .noFrame)
            if goodEnd == 0, mark == nil, offset > Self.searchLimit { throw .notATape }
            return true
        }
        let length = TapeFormat.headBytes + head.length
        guard bufferedBytes >= length else {
            guard isFinished else { return false }
            lose(TapeFormat.headBytes, .cutOff)
            return true
        }
        guard head.hasBody(at: start, in: buffer.span) else {
            searchBudget -= length
            lose(searchBudget >= 0 ? TapeFormat.headBytes : length, .checksum)
            return true
        }
        searchBudget = min(searchBudget + length, 64 << 20)
        take(head, length)
        return true
    }

    private mutating func take(_ head: TapeFrameHead, _ length: Int) {
        guard mark == nil || head.mark == mark else { return lose(length, .foreign) }
        endDamage()
        let from = offset
        let body = buffer[(start + TapeFormat.headBytes)..<(start + length)]
        consume(length)
        goodEnd = offset
        if mark == nil { first = (head.mark, from..<offset) }
        mark = head.mark
        do throws(FeedError) {
            try decode(head.kind, body, at: from..<offset)
        } catch {
            items.append(.damage(TapeDamage(cause: .content(error), bytes: from..<offset)))
        }
    }

    private mutating func decode(_ kind: UInt8, _ body: ArraySlice<UInt8>, at bytes: Range<UInt64>) throws(FeedError) {
        switch TapeFormat.Kind(rawValue: kind) {
        case .identity: begin(try TapeIdentity(Fields(parsing: body)))
        case .record: try record(body, at: bytes)
        case .snapshot:
            let snapshot = try TapeSnapshot.decode(body)
            if identity == nil { begin(snapshot.identity) }
            items.append(.snapshot(snapshot))
        case .index: items.append(.index(try TapeIndex.decode(body)))
        case .note:
            let note = try TapeNote.decode(Fields(parsing: body))
            if case .pause(_, let to) = note?.kind { order.leaveOut(to: to) }
            items.append(note.map { .note($0) } ?? .unknown)
        case nil: items.append(.unknown)
        }
    }

    private mutating func begin(_ identity: TapeIdentity) {
        if let known = self.identity, known.run != identity.run { order.beginRun() }
        self.identity = identity
        items.append(.identity(identity))
    }

    private mutating func record(_ body: ArraySlice<UInt8>, at bytes: Range<UInt64>) throws(FeedError) {
        guard let record = try Record.decode(body) else { return items.append(.unknown) }
        var isMisplaced = false
        for cause in order.check(record, isWhole: identity?.isWholeRoom ?? false) {
            var place = bytes.lowerBound..<bytes.lowerBound
            if case .misplaced = cause {
                isMisplaced = true
                place = bytes
            }
            items.append(.damage(TapeDamage(cause: cause, bytes: place)))
        }
        if !isMisplaced { items.append(.record(record)) }
    }

    // MARK: Damage

    /// How many bytes to leave behind for the next place that looks like a frame.
    private func bytesToSync() -> Int {
        let span = buffer.span
        var index = start + 1
        let last = buffer.count - TapeFormat.sync.count
        while index <= last {
            if span[index] == TapeFormat.sync[0], span[index + 1] == TapeFormat.sync[1],
                span[index + 2] == TapeFormat.sync[2], span[index + 3] == TapeFormat.sync[3]
            {
                return index - start
            }
            index += 1
        }
        return isFinished ? bufferedBytes : max(1, buffer.count - TapeFormat.headBytes - start)
    }

    private mutating func lose(_ count: Int, _ cause: TapeDamage.Cause) {
        let from = offset
        consume(count)
        guard let known = damage, known.bytes.upperBound == from else {
            endDamage()
            return damage = TapeDamage(cause: cause, bytes: from..<offset)
        }
        damage = TapeDamage(cause: known.cause, bytes: known.bytes.lowerBound..<offset)
    }

    private mutating func endDamage() {
        if let damage { items.append(.damage(damage)) }
        damage = nil
    }

    private mutating func consume(_ count: Int) {
        start += count
        offset &+= UInt64(count)
    }

    private mutating func end() throws(TapeError) -> Item? {
        endDamage()
        guard goodEnd > 0 else { throw .notATape }
        return items.isEmpty ? nil : items.removeFirst()
    }
}
