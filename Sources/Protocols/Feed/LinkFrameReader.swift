import Bytes

/// Cuts a byte stream into the messages of a link. It grows by what has arrived, never by what a length announces.
///
/// The payloads of one read share one allocation; each ``append(_:)`` after a message begins a new one, so a payload may
/// be kept as long as its user likes.
public struct LinkFrameReader: Sendable {
    /// The longest frame: the largest RTMP message (16 MiB) and what stands before it.
    public static let byteLimit = (1 << 24) + (1 << 16)

    private var buffer: [UInt8] = []
    private var offset = 0

    public init() {}

    /// Bytes that wait for the rest of their frame, or to be read.
    public var bufferedBytes: Int { buffer.count - offset }

    /// Takes what the stream gave. Read with ``next()`` until it gives `nil` before the next append, so that no more
    /// than one unfinished frame waits.
    public mutating func append(_ bytes: Span<UInt8>) {
        if offset > 0 {  // messages were handed out and may share `buffer`: leave it to them
            var fresh: [UInt8] = []
            fresh.reserveCapacity(bufferedBytes + bytes.count)
            fresh.append(contentsOf: buffer[offset...])
            buffer = fresh
            offset = 0
        }
        buffer.append(copying: bytes)
    }

    /// The next message, or `nil` until more bytes come. Records of unknown kinds are skipped.
    /// - Throws: ``FeedError``. End the link: what follows cannot be found any more.
    public mutating func next() throws(FeedError) -> LinkMessage? {
        while bufferedBytes >= 4 {
            let length = Int(buffer.span.uint32(at: offset))
            guard length <= Self.byteLimit else { throw .tooLong(length: length, limit: Self.byteLimit) }
            guard bufferedBytes - 4 >= length else { return nil }
            let frame = buffer[(offset + 4)..<(offset + 4 + length)]
            offset += 4 + length
            if let message = try LinkMessage.decode(frame: frame) { return message }
        }
        if bufferedBytes == 0, offset > 0 {  // give the storage to the payloads that use it
            buffer = []
            offset = 0
        }
        return nil
    }
}
