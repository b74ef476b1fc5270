/// Something that its writer put on a tape beside the feed.
public struct TapeNote: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// The records `from` up to, not including, `to` were left out, as asked.
        case pause(from: UInt64, to: UInt64)
        /// A named place.
        case marker(String)
    }

    public var kind: Kind
    /// Wall time in nanoseconds since 1970: of a pause, where it ends.
    public var time: Int64

    public init(_ kind: Kind, time: Int64) {
        self.kind = kind
        self.time = time
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(field: 1, time)
        switch kind {
        case .pause(let from, let to):
            bytes.append(field: 2, from)
            bytes.append(field: 3, to)
        case .marker(let name): bytes.append(field: 4, name)
        }
    }

    /// `nil`: a kind that a later writer added.
    static func decode(_ fields: Fields) throws(FeedError) -> TapeNote? {
        let time = try fields.int64(1)
        if try fields.has(2) {
            return TapeNote(.pause(from: try fields.uint64(2), to: try fields.uint64(3)), time: time)
        }
        return try fields.has(4) ? TapeNote(.marker(try fields.string(4)), time: time) : nil
    }
}
