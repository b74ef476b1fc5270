import Bytes

/// HMAC-SHA1, lent by whoever has a cryptographic library: 20 bytes.
public typealias HMACSHA1 = @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]

/// MESSAGE-INTEGRITY under one key (RFC 8489 section 14.5): who knows the password made the message.
public struct MessageIntegrity: Sendable {
    /// Bytes of the code.
    static let byteCount = 20

    private let key: [UInt8]
    private let hmac: HMACSHA1

    /// - Parameter password: of a short-term credential (section 9.1), as ICE has them; its bytes are the key.
    public init(password: String, hmac: @escaping HMACSHA1) {
        key = Array(password.utf8)
        self.hmac = hmac
    }

    /// Whether `packet`, from which `message` was read, has a MESSAGE-INTEGRITY that this key made.
    public func verifies(_ message: STUNMessage, in packet: Span<UInt8>) -> Bool {
        guard let offset = message.integrityOffset, offset + 4 + Self.byteCount <= packet.count else { return false }
        let expected = code(of: [UInt8](copying: packet.extracting(0..<offset)))
        guard expected.count == Self.byteCount else { return false }
        var difference: UInt8 = 0  // no early end: the time tells nothing about where they differ
        for index in 0..<Self.byteCount { difference |= expected[index] ^ packet[offset + 4 + index] }
        return difference == 0
    }

    /// The code of a message up to MESSAGE-INTEGRITY, whose header is made to count that attribute as the last.
    func code(of head: [UInt8]) -> [UInt8] {
        var head = head
        let length = head.count + 4 + Self.byteCount - STUNHeader.byteCount
        head[2] = UInt8(truncatingIfNeeded: length >> 8)
        head[3] = UInt8(truncatingIfNeeded: length)
        return hmac(key, head)
    }

    /// Twelve bytes that nobody without the key can guess, for a message that this side begins.
    public func transaction(_ counter: UInt64) -> TransactionID {
        var message = Array("transaction".utf8)
        message.append(uint64: counter)
        let code = hmac(key, message)
        let bytes = code.span
        guard bytes.count >= 12 else { return TransactionID(high: 0, low: counter) }
        return TransactionID(high: bytes.uint32(at: 0), low: bytes.uint64(at: 4))
    }
}

/// FINGERPRINT (RFC 8489 section 14.7): a CRC-32 that tells STUN from what shares its port.
enum Fingerprint {
    /// Of all bytes before the attribute; the header counts it already.
    static func value(of bytes: Span<UInt8>) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for index in bytes.indices { sum = sum >> 8 ^ table[Int((sum ^ UInt32(bytes[index])) & 0xFF)] }
        return ~sum ^ 0x5354_554E
    }

    /// ISO/IEC 3309's polynomial, reflected.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
}
