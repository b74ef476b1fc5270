import Bytes

/// What one source says of itself: a chunk of SDES (RFC 3550 section 6.5).
public struct SourceDescription: Equatable, Sendable {
    public struct Item: Equatable, Sendable {
        /// 1 is CNAME.
        public var type: UInt8
        /// UTF-8, at most 255 bytes; not checked.
        public var text: [UInt8]

        public init(type: UInt8, text: [UInt8]) { (self.type, self.text) = (type, text) }
    }

    public var ssrc: UInt32
    public var items: [Item]

    public init(ssrc: UInt32, items: [Item]) { (self.ssrc, self.items) = (ssrc, items) }

    /// A chunk with the one item that every source owes (section 6.5.1).
    public init(ssrc: UInt32, canonicalName: String) {
        self.init(ssrc: ssrc, items: [Item(type: 1, text: Array(canonicalName.utf8.prefix(255)))])
    }

    /// CNAME: the same for all streams that share a clock.
    public var canonicalName: [UInt8]? { items.first { $0.type == 1 }?.text }

    static func chunks(_ count: Int, _ body: inout ByteReader) -> [SourceDescription]? {
        var chunks: [SourceDescription] = []
        for _ in 0..<count {
            guard let ssrc = body.uint32(), let items = items(&body) else { return nil }
            chunks.append(SourceDescription(ssrc: ssrc, items: items))
        }
        return chunks
    }

    /// Items up to a zero, which is padded to a whole word.
    private static func items(_ body: inout ByteReader) -> [Item]? {
        var items: [Item] = []
        while let type = body.uint8() {
            guard type != 0 else {
                // Chunks begin at whole words of the packet, and so does its body.
                return body.skip((4 - body.offset % 4) % 4) ? items : nil
            }
            guard let length = body.uint8(), let text = body.array(Int(length)) else { return nil }
            items.append(Item(type: type, text: text))
        }
        return nil
    }

    func write(into bytes: inout [UInt8]) {
        bytes.append(uint32: ssrc)
        var count = 0
        for item in items where item.type != 0 {
            bytes.append(item.type)
            bytes.append(UInt8(min(255, item.text.count)))
            bytes.append(contentsOf: item.text.prefix(255))
            count += 2 + min(255, item.text.count)
        }
        for _ in 0..<4 - count % 4 { bytes.append(0) }
    }
}

/// Sources that leave (RFC 3550 section 6.6).
public struct Goodbye: Equatable, Sendable {
    /// At most 31.
    public var sources: [UInt32]
    /// At most 255 bytes of UTF-8; not checked.
    public var reason: [UInt8]?

    public init(sources: [UInt32], reason: [UInt8]? = nil) { (self.sources, self.reason) = (sources, reason) }

    init?(sources count: Int, _ body: inout ByteReader) {
        guard body.remaining >= 4 * count else { return nil }
        sources = (0..<count).compactMap { _ in body.uint32() }
        guard let length = body.uint8() else { return }
        guard let text = body.array(Int(length)) else { return nil }
        reason = text
    }

    func writeBody(into bytes: inout [UInt8]) -> UInt8 {
        for source in sources.prefix(31) { bytes.append(uint32: source) }
        if let reason {
            bytes.append(UInt8(min(255, reason.count)))
            bytes.append(contentsOf: reason.prefix(255))
        }
        return UInt8(min(31, sources.count))
    }
}
