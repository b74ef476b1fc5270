import Bytes

/// Takes frames out of a TCP connection (RFC 4571 section 2): two bytes of length, then one datagram.
public struct FrameReader: Sendable {
    /// Why a connection cannot go on. *Close it.*
    public enum Failure: Error, Equatable, Sendable {
        case tooLong(bytes: Int, limit: Int)
    }

    /// The longest frame. Keep it at the size of a check until one has succeeded, then raise it.
    public var limit: Int
    /// The rest of a frame whose end has not come: never more than `limit` and the length.
    private var held: [UInt8] = []

    /// - Parameter limit: in bytes; what STUN, DTLS and RTP send fits into 1500.
    public init(limit: Int) {
        self.limit = limit
        held.reserveCapacity(limit + 2)
    }

    /// Takes `bytes` and lends each frame that is whole to `body`, in order. An empty frame (a keepalive) is skipped.
    /// - Throws: ``Failure``, after the frames that came before.
    public mutating func receive(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Void) throws(Failure) {
        var offset = 0
        while offset < bytes.count {
            if held.isEmpty, bytes.count - offset >= 2 {
                // The usual case: the frame lies whole in what came, and nothing is copied.
                let length = try checked(Int(bytes.uint16(at: offset)))
                if bytes.count - offset - 2 >= length {
                    if length > 0 { body(bytes.extracting(offset + 2..<offset + 2 + length)) }
                    offset += 2 + length
                    continue
                }
            }
            try hold(bytes, &offset, body)
        }
    }

    private mutating func hold(
        _ bytes: Span<UInt8>, _ offset: inout Int, _ body: (Span<UInt8>) -> Void
    ) throws(Failure) {
        let wanted = held.count < 2 ? 2 : 2 + Int(held.span.uint16(at: 0))
        let taken = min(wanted - held.count, bytes.count - offset)
        held.append(copying: bytes.extracting(offset..<offset + taken))
        offset += taken
        guard held.count >= 2 else { return }
        let length = try checked(Int(held.span.uint16(at: 0)))
        guard held.count == 2 + length else { return }
        if length > 0 { body(held.span.extracting(2..<2 + length)) }
        held.removeAll(keepingCapacity: true)
    }

    private func checked(_ length: Int) throws(Failure) -> Int {
        guard length <= limit else { throw .tooLong(bytes: length, limit: limit) }
        return length
    }

    /// Appends `datagram` to `output` as one frame. A datagram over 65535 bytes has no frame, and none is written.
    public static func append(_ datagram: Span<UInt8>, to output: inout [UInt8]) {
        guard let length = UInt16(exactly: datagram.count) else { return }
        output.append(uint16: length)
        output.append(copying: datagram)
    }
}
