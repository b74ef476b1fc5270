import Crypto
import STUN

/// Bytes from hexadecimal digits; spaces are for the reader.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap { $0.hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

let hmac: HMACSHA1 = { key, message in (try? SHA1.authenticationCode(of: message, key: key)) ?? [] }

/// The samples of RFC 5769, which share a password.
enum Sample {
    static let integrity = MessageIntegrity(password: "VOkJxbRl1RmTxUk/WvJxBt", hmac: hmac)
    static let transaction = TransactionID(high: 0xB7E7_A701, low: 0xBC34_D686_FA87_DFAE)

    /// Section 2.1.
    static let request = hex(
        """
        00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
        80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
        80280004 e57a3bcf
        """)
    /// Section 2.2.
    static let responseV4 = hex(
        """
        0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
        00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96
        """)
    /// Section 2.3.
    static let responseV6 = hex(
        """
        01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
        00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
        80280004 c8fb0b4c
        """)
}

func parse(_ packet: [UInt8]) throws(STUNError) -> STUNMessage {  // a span may not stand inside #expect
    try STUNMessage(parsing: packet.span)
}

func verifies(_ packet: [UInt8], _ integrity: MessageIntegrity = Sample.integrity) -> Bool {
    guard let message = try? STUNMessage(parsing: packet.span) else { return false }
    return integrity.verifies(message, in: packet.span)
}
