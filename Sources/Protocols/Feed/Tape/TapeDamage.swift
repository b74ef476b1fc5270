/// Bytes of a tape that cannot be read, or records that are not where they belong.
public struct TapeDamage: Equatable, Sendable {
    public enum Cause: Equatable, Sendable {
        /// The file does not begin as a tape does; frames were found all the same.
        case noPreamble
        /// Bytes that are no frame.
        case noFrame
        /// The checksum of a frame's body is wrong.
        case checksum
        /// The file ends inside of a frame.
        case cutOff
        /// A frame whose checksum is right and whose content cannot be read.
        case content(FeedError)
        /// A frame of another tape.
        case foreign
        /// A record that belongs before one that was read already.
        case misplaced(position: UInt64)
        /// Records from `from` up to, not including, `to` belong here.
        case missing(from: UInt64, to: UInt64)
    }

    public var cause: Cause
    /// Offsets in the file; empty where nothing stands that should.
    public var bytes: Range<UInt64>

    public init(cause: Cause, bytes: Range<UInt64>) {
        self.cause = cause
        self.bytes = bytes
    }
}

extension TapeDamage: CustomStringConvertible {
    /// As `bytes 120 to 310: the checksum of a frame is wrong`.
    public var description: String {
        bytes.isEmpty
            ? "at byte \(bytes.lowerBound): \(cause)" : "bytes \(bytes.lowerBound) to \(bytes.upperBound): \(cause)"
    }
}

extension TapeDamage.Cause: CustomStringConvertible {
    /// In words for a person.
    public var description: String {
        switch self {
        case .noPreamble: "the file does not begin as a tape does"
        case .noFrame: "these bytes are no frame"
        case .checksum: "the checksum of a frame is wrong"
        case .cutOff: "the file ends inside of a frame"
        case .content(let error): "a frame cannot be read: \(error)"
        case .foreign: "a frame of another tape"
        case .misplaced(let position): "record \(position) stands after later ones"
        case .missing(let from, let to): "\(to &- from) records are missing, \(from) to \(to &- 1)"
        }
    }
}

/// The order that the records of one run keep: positions rise by one; the events of a snapshot share that of the record which
/// follows them.
struct TapeOrder: Sendable {
    private static let waitingLimit = 4096

    /// No media may stand before this one any more; `nil` at the start of a run.
    private var next: UInt64?
    /// All before this one is accounted for.
    private var covered: UInt64 = 0
    /// Events behind ``covered``: a `missed` event may follow them that accounts for what is between.
    private var waiting: [UInt64] = []

    /// What is wrong with a record at its place; one that is misplaced is to be left out.
    mutating func check(_ record: Record, isWhole: Bool) -> [TapeDamage.Cause] {
        guard let next else {
            (self.next, covered) = (record.position, record.position)
            return check(record, isWhole: isWhole)
        }
        guard record.position >= next else { return [.misplaced(position: record.position)] }
        self.next = record.position
        guard case .event(let event) = record.body else {
            self.next = record.position.next
            return account(for: waiting + [record.position], isWhole: isWhole)
        }
        if case .missed(let from, let to) = event, from <= covered { covered = max(covered, min(to, record.position)) }
        waiting.append(record.position)
        return waiting.count > Self.waitingLimit ? account(for: waiting, isWhole: isWhole) : []
    }

    /// What is left out up to, not including, `to`, was left out on purpose.
    mutating func leaveOut(to: UInt64) {
        covered = max(covered, to)
        waiting = []
    }

    /// A run begins: its positions are another feed's.
    mutating func beginRun() { self = TapeOrder() }

    private mutating func account(for positions: [UInt64], isWhole: Bool) -> [TapeDamage.Cause] {
        var causes: [TapeDamage.Cause] = []
        for position in positions {
            if position > covered, isWhole { causes.append(.missing(from: covered, to: position)) }
            covered = max(covered, position.next)
        }
        waiting = []
        return causes
    }
}

extension UInt64 {
    fileprivate var next: UInt64 { self == .max ? .max : self + 1 }
}
