import Bytes

/// The content of `esds` (ISO/IEC 14496-14 section 5.6): descriptors of ISO/IEC 14496-1 around the configuration of an
/// MPEG-4 audio decoder.
enum ElementaryStream {
    private static let streamTag: UInt8 = 3
    private static let decoderTag: UInt8 = 4
    private static let specificTag: UInt8 = 5
    private static let syncLayerTag: UInt8 = 6

    /// Appends an ES_Descriptor of MPEG-4 audio with `configuration` as its DecoderSpecificInfo.
    static func write(_ configuration: [UInt8], into bytes: inout [UInt8]) {
        descriptor(streamTag, in: &bytes) {
            $0.append(uint16: 0)  // ES_ID: 0 in a file
            $0.append(0)
            descriptor(decoderTag, in: &$0) {
                $0.append(0x40)  // ISO/IEC 14496-3
                $0.append(0x15)  // audio stream, upStream 0, reserved 1
                $0.append(uint24: 0)  // bufferSizeDB, maxBitrate, avgBitrate: not known
                $0.append(uint32: 0)
                $0.append(uint32: 0)
                descriptor(specificTag, in: &$0) { $0.append(contentsOf: configuration) }
            }
            descriptor(syncLayerTag, in: &$0) { $0.append(2) }  // predefined for MP4
        }
    }

    /// A descriptor with a size field of four bytes, as most writers have it.
    private static func descriptor(_ tag: UInt8, in bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
        bytes.append(tag)
        let start = bytes.count
        bytes.append(zeros: 4)
        body(&bytes)
        let size = bytes.count - start - 4
        for index in 0..<4 {
            let seven = UInt8(truncatingIfNeeded: size >> (21 - 7 * index)) & 0x7F
            bytes[start + index] = index < 3 ? seven | 0x80 : seven
        }
    }

    /// The DecoderSpecificInfo within the payload of `esds`.
    static func parse(_ payload: Span<UInt8>) throws(ISOBMFFError) -> [UInt8] {
        var reader = ByteReader(payload)
        guard reader.skip(4) else { throw .truncated("esds") }
        _ = try open(streamTag, in: &reader)
        guard reader.skip(2), let flags = reader.uint8() else { throw .truncated("esds") }
        if flags & 0x80 != 0, !reader.skip(2) { throw .truncated("esds") }
        if flags & 0x40 != 0 {
            guard let length = reader.uint8(), reader.skip(Int(length)) else { throw .truncated("esds") }
        }
        if flags & 0x20 != 0, !reader.skip(2) { throw .truncated("esds") }
        _ = try open(decoderTag, in: &reader)
        guard reader.skip(13) else { throw .truncated("esds") }
        let size = try open(specificTag, in: &reader)
        guard let configuration = reader.array(size) else { throw .truncated("esds") }
        return configuration
    }

    /// Reads tag and size of the descriptor `tag`; its size is of one to four bytes.
    private static func open(_ tag: UInt8, in reader: inout ByteReader) throws(ISOBMFFError) -> Int {
        guard reader.uint8() == tag else { throw .malformed("esds") }
        var size = 0
        for _ in 0..<4 {
            guard let byte = reader.uint8() else { throw .truncated("esds") }
            size = size << 7 | Int(byte & 0x7F)
            if byte & 0x80 == 0 { return size }
        }
        throw .malformed("esds")
    }
}
