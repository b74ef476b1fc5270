/// Why SQLite refused, with its own words. What to do then is said by whoever owns the file.
public struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Reason: Equatable, Sendable {
        /// No room on the volume, or in the limit set for the file.
        case full
        /// Another connection holds the lock for longer than the busy timeout.
        case busy
        /// The file's content contradicts itself.
        case corrupt
        /// The file is something else.
        case notADatabase
        case readOnly
        /// The file or its folder cannot be opened.
        case cannotOpen
        /// A primary key or unique index already has this value.
        case unique
        /// Any other constraint: not null, check, foreign key, type.
        case constraint
        /// The volume failed a read, a write or a sync.
        case inputOutput
        case outOfMemory
        /// A statement that does not fit the schema, or a value too large.
        case other
    }

    public let reason: Reason
    /// SQLite's extended result code.
    public let code: Int32
    public let message: String

    public init(code: Int32, message: String) {
        self.code = code
        self.message = message
        reason = Reason(code: code)
    }

    public var description: String { "\(message) (SQLite code \(code))" }
}
