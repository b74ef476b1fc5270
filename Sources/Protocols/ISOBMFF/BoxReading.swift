import Bytes

/// Where one box stands within the bytes that are read.
struct BoxRange: Equatable {
    var type: FourCC
    /// Offset of the box's first byte, of the first behind its header, and of the first behind the box.
    var start: Int
    var body: Int
    var end: Int

    var payload: Range<Int> { body..<end }
}

/// The header of a box as far as its size is concerned (ISO/IEC 14496-12 section 4.2).
struct BoxHeader: Equatable {
    static let longest = 16

    var type: FourCC
    /// Bytes of the header: 8, or 16 with a 64-bit size.
    var byteCount: Int
    /// Bytes of the whole box; `nil` when it reaches to the end of the file (size 0).
    var size: UInt64?

    /// Reads the header at `offset`; needs 8 bytes, or 16 when the size is of 64 bits.
    /// - Throws: ``ISOBMFFError`` when the size is less than the header.
    init(parsing bytes: Span<UInt8>, at offset: Int = 0) throws(ISOBMFFError) {
        guard bytes.count - offset >= 8 else { throw .truncated("box ") }
        let small = bytes.uint32(at: offset)
        type = FourCC(rawValue: bytes.uint32(at: offset + 4))
        switch small {
        case 0:
            (byteCount, size) = (8, nil)
        case 1:
            guard bytes.count - offset >= 16 else { throw .truncated(type) }
            let large = bytes.uint64(at: offset + 8)
            guard large >= 16 else { throw .badSize(type, size: large) }
            (byteCount, size) = (16, large)
        default:
            guard small >= 8 else { throw .badSize(type, size: UInt64(small)) }
            (byteCount, size) = (8, UInt64(small))
        }
    }
}

/// Walks the boxes of one container, one after another. Every step is at least a header and stays within the container,
/// so that a walk ends; a size of 0 is refused, since only the last box of a file may have it.
struct BoxIterator: ~Escapable {
    private let bytes: Span<UInt8>
    private var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, from offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    /// - Returns: `nil` at the container's end. Fewer than 8 bytes there are padding.
    mutating func next() throws(ISOBMFFError) -> BoxRange? {
        guard bytes.count - offset >= 8 else { return nil }
        let header = try BoxHeader(parsing: bytes, at: offset)
        guard let size = header.size, size <= UInt64(bytes.count - offset) else {
            throw .badSize(header.type, size: header.size ?? 0)
        }
        let range = BoxRange(
            type: header.type, start: offset, body: offset + header.byteCount, end: offset + Int(size))
        offset = range.end
        return range
    }
}

extension Span<UInt8> {
    /// The payload of the first child of `type`.
    @_lifetime(copy self)
    func child(_ type: FourCC) throws(ISOBMFFError) -> Span<UInt8> {
        var boxes = BoxIterator(self)
        while let box = try boxes.next() { if box.type == type { return extracting(box.payload) } }
        throw .missing(type)
    }

    func hasChild(_ type: FourCC) -> Bool {
        var boxes = BoxIterator(self)
        while let box = try? boxes.next() { if box.type == type { return true } }
        return false
    }
}
