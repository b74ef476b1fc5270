import Bytes

/// The 96 bits that tie a response to its request (RFC 8489 section 5).
public struct TransactionID: Hashable, Sendable {
    public var high: UInt32
    public var low: UInt64

    public init(high: UInt32, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// The first 20 bytes of a STUN message (RFC 8489 section 5), and what of a message can be told without copying a byte.
public struct STUNHeader: Hashable, Sendable {
    public enum Class: UInt8, Sendable {
        case request, indication, successResponse, errorResponse
    }

    public static let byteCount = 20
    public static let magicCookie: UInt32 = 0x2112_A442
    /// The method Binding, the only one that ICE uses.
    public static let binding: UInt16 = 1

    public var messageClass: Class
    /// 12 bits.
    public var method: UInt16
    public var transaction: TransactionID

    public init(_ messageClass: Class, method: UInt16 = binding, transaction: TransactionID) {
        self.messageClass = messageClass
        self.method = method & 0xFFF
        self.transaction = transaction
    }

    /// Whether a datagram that begins so is STUN where STUN, DTLS and RTP share a port (RFC 7983 section 7).
    public static func isSTUN(firstByte: UInt8) -> Bool { firstByte < 4 }

    /// Reads the header of `packet`, one whole datagram, without allocating.
    /// - Throws: ``STUNError``. Drop the packet and count it.
    public init(parsing packet: Span<UInt8>) throws(STUNError) {
        guard packet.count >= Self.byteCount else { throw .truncated(needed: Self.byteCount, had: packet.count) }
        let type = packet.uint16(at: 0)
        guard type >> 14 == 0, packet.uint32(at: 4) == Self.magicCookie else { throw .notSTUN }
        let length = Int(packet.uint16(at: 2))
        guard length % 4 == 0, length == packet.count - Self.byteCount else {
            throw .wrongLength(said: length, had: packet.count - Self.byteCount)
        }
        switch type >> 4 & 1 | type >> 7 & 2 {
        case 0: messageClass = .request
        case 1: messageClass = .indication
        case 2: messageClass = .successResponse
        default: messageClass = .errorResponse
        }
        method = type & 0xF | type >> 1 & 0x70 | type >> 2 & 0xF80
        transaction = TransactionID(high: packet.uint32(at: 8), low: packet.uint64(at: 12))
    }

    /// Where the receiver's own username fragment stands in a check: USERNAME up to its colon (RFC 8445 section 7.3).
    ///
    /// Finds the agent, or drops what a stranger sent, without allocating. `nil` if `packet` is no STUN message or has no
    /// such USERNAME. Nothing is authenticated yet.
    public static func localFragment(in packet: Span<UInt8>) -> Range<Int>? {
        guard (try? STUNHeader(parsing: packet)) != nil else { return nil }
        var offset = byteCount
        while offset + 4 <= packet.count {
            let length = Int(packet.uint16(at: offset + 2))
            let start = offset + 4
            guard start + length <= packet.count else { return nil }
            if packet.uint16(at: offset) == STUNAttribute.Kind.username {
                for index in start..<start + length where packet[index] == UInt8(ascii: ":") { return start..<index }
                return nil
            }
            offset = start + (length + 3) & ~3
        }
        return nil
    }

    /// The 16 bits of class and method.
    var type: UInt16 {
        let bits = UInt16(messageClass.rawValue)
        return method & 0xF | (method & 0x70) << 1 | (method & 0xF80) << 2 | (bits & 1) << 4 | (bits & 2) << 7
    }
}

/// Why a packet is no STUN message. *Drop it and count it.*
public enum STUNError: Error, Equatable, Sendable {
    /// In bytes.
    case truncated(needed: Int, had: Int)
    /// The first two bits are not zero, or the magic cookie is missing.
    case notSTUN
    /// The length in the header, against the bytes behind it.
    case wrongLength(said: Int, had: Int)
    /// An attribute's value does not fit the attribute, or reaches past the message.
    case badAttribute(type: UInt16)
    case tooManyAttributes
    case wrongFingerprint
    /// Something follows FINGERPRINT, which is the last attribute (RFC 8489 section 14.7).
    case afterFingerprint
}
