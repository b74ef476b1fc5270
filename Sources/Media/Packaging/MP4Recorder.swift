public import Feed
public import ISOBMFF

/// Writes a feed into one hybrid MP4 file (DESIGN section 4), without doing any I/O.
///
/// After **every** input the owner drains ``pollOutput()`` until it says `wait`. The file must be empty at the start, or,
/// for an adopted one, be cut to ``HybridFile/byteCount``.
public struct MP4Recorder: Sendable {
    private let options: Options

    /// Begins an empty file.
    public init(options: Options = Options()) {
        self.options = options
    }

    /// Goes on in a file that an earlier attempt left. Subscribe from ``nextPosition``.
    /// - Returns: `nil` if the file holds no state of ours: begin anew.
    public init?(adopting file: HybridFile, options: Options = Options()) {
        self.options = options
    }

    /// The feed's position from which an adopted file goes on: all before it is in the file.
    public var nextPosition: UInt64? { nil }

    /// What was counted so far.
    public var statistics: RecorderStatistics { RecorderStatistics() }

    /// Takes the next record of the feed. Records are given in order.
    public mutating func receive(_ record: Record) {}

    /// Moves room time (nanoseconds) forward. Call it after each batch of records, and when `wait(until:)` is over:
    /// a first frame is not held back once this was called.
    public mutating func advance(to roomTime: Int64) {}

    /// Ends the recording: writes what is held and turns the file into an ordinary MP4.
    public mutating func finish() {}

    /// The recorder that goes on in the next file after `full`. It has taken what did not fit here.
    public func nextPart() -> MP4Recorder { MP4Recorder(options: options) }

    /// The next thing to do, oldest first. Call until it returns `wait`.
    public mutating func pollOutput() -> Output { .wait(until: nil) }
}
