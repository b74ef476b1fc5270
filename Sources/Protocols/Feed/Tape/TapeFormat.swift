import Bytes

// A tape's bytes:
//
//     preamble: magic 8, major 2, minor 2, CRC-32C of those 4
//     frames:   sync 4, mark 4, kind 1, flags 1, length 4, CRC-32C of the body 4, CRC-32C of these 18 bytes 4, body
//
// The mark is a number that the tape drew when it was made: bytes of media that look like a frame, or a frame of another
// tape, do not have it. The head has a checksum of its own, so that a damaged body is told from a damaged length.
//
// Bodies: 1 identity: fields. 2 record: as on the link. 3 snapshot: previous 8, time 8, position 8, fields.
// 5 note: fields. 4 index, at the end of a tape that was finished: count 4, (offset 8, time 8, position 8) each, then the trailer: the offset of
// the index 8, magic 8. Readers skip kinds, flags and fields that they do not know; see ``TapeVersion``.

/// What a reader can make of a tape's version.
public enum TapeVersion {
    /// Raised by a change that older readers would misread; they refuse it.
    public static let major: UInt16 = 1
    /// Raised by new kinds of frames, events and fields; older readers skip and count them.
    public static let minor: UInt16 = 0
}

/// Why a file is no tape that can be read at all. Damage inside of a tape is no error: see ``TapeDamage``.
public enum TapeError: Error, Equatable, Sendable {
    case notATape
    /// A later version wrote it in a way that this one would misread.
    case newerVersion(major: UInt16)
}

enum TapeFormat {
    static let magic: [UInt8] = [0x89, 0x53, 0x4C, 0x54, 0x41, 0x50, 0x45, 0x0A]  // \x89SLTAPE\n
    static let sync: [UInt8] = [0xF5, 0x53, 0x4C, 0x54]
    static let trailer: [UInt8] = [0x54, 0x41, 0x50, 0x45, 0x2D, 0x45, 0x4E, 0x44]  // TAPE-END
    static let preambleBytes = 16
    static let headBytes = 22
    static let trailerBytes = 16
    /// What stands before the fields of a snapshot.
    static let snapshotHeadBytes = 24
    static let entryBytes = 24
    /// The longest body: that of the link, so that every record of a feed has its place.
    static let bodyLimit = LinkFrameReader.byteLimit

    enum Kind: UInt8 {
        case identity = 1
        case record = 2
        case snapshot = 3
        case index = 4
        case note = 5
    }

    static func appendPreamble(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += magic
        bytes.append(uint16: TapeVersion.major)
        bytes.append(uint16: TapeVersion.minor)
        bytes.append(uint32: CRC32C.checksum(of: bytes.span.extracting(start..<bytes.count)))
    }

    /// Appends a frame whose body `write` appends.
    static func appendFrame(_ kind: Kind, mark: UInt32, to bytes: inout [UInt8], _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: headBytes))
        write(&bytes)
        let body = start + headBytes
        var head: [UInt8] = sync
        head.append(uint32: mark)
        head.append(kind.rawValue)
        head.append(0)
        head.append(uint32: UInt32(clamping: bytes.count - body))
        head.append(uint32: CRC32C.checksum(of: bytes.span.extracting(body..<bytes.count)))
        head.append(uint32: CRC32C.checksum(of: head.span))
        bytes.replaceSubrange(start..<body, with: head)
    }
}

/// The head of one frame, whose own checksum was right.
struct TapeFrameHead: Equatable {
    var mark: UInt32
    var kind: UInt8
    var length: Int
    var checksum: UInt32

    /// - Returns: `nil` for bytes that are no head.
    init?(at offset: Int, in bytes: Span<UInt8>) {
        guard bytes.count - offset >= TapeFormat.headBytes else { return nil }
        for index in 0..<4 where bytes[offset + index] != TapeFormat.sync[index] { return nil }
        let sum = bytes.uint32(at: offset + 18)
        guard sum == CRC32C.checksum(of: bytes.extracting(offset..<offset + 18)) else { return nil }
        mark = bytes.uint32(at: offset + 4)
        kind = bytes[offset + 8]
        length = Int(bytes.uint32(at: offset + 10))
        checksum = bytes.uint32(at: offset + 14)
        guard length <= TapeFormat.bodyLimit else { return nil }
    }

    /// Whether the body that follows the head at `offset` is what was written.
    func hasBody(at offset: Int, in bytes: Span<UInt8>) -> Bool {
        let start = offset + TapeFormat.headBytes
        guard bytes.count - start >= length else { return false }
        return CRC32C.checksum(of: bytes.extracting(start..<start + length)) == checksum
    }
}
