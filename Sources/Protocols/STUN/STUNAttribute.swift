import Bytes

/// An attribute of a STUN message (RFC 8489 section 14, RFC 8445 section 16.1), without MESSAGE-INTEGRITY and FINGERPRINT,
/// which protect the others.
public enum STUNAttribute: Equatable, Sendable {
    /// The types, as on the wire.
    enum Kind {
        static let mappedAddress: UInt16 = 0x0001
        static let username: UInt16 = 0x0006
        static let messageIntegrity: UInt16 = 0x0008
        static let errorCode: UInt16 = 0x0009
        static let unknownAttributes: UInt16 = 0x000A
        static let realm: UInt16 = 0x0014
        static let nonce: UInt16 = 0x0015
        static let messageIntegritySHA256: UInt16 = 0x001C
        static let xorMappedAddress: UInt16 = 0x0020
        static let priority: UInt16 = 0x0024
        static let useCandidate: UInt16 = 0x0025
        static let fingerprint: UInt16 = 0x8028
        static let iceControlled: UInt16 = 0x8029
        static let iceControlling: UInt16 = 0x802A
    }

    /// The longest USERNAME: 508 bytes (RFC 8489 section 14.3), here up to the 513 of RFC 5389.
    static let maximumUsername = 513
    /// The longest reason phrase (RFC 8489 section 14.8).
    static let maximumReason = 763
    /// Types that one UNKNOWN-ATTRIBUTES may name here.
    static let maximumUnknown = 32

    case username([UInt8])
    case mappedAddress(TransportAddress)
    case xorMappedAddress(TransportAddress)
    /// 300 to 699, and a phrase for people in UTF-8.
    case errorCode(Int, reason: String)
    case unknownAttributes([UInt16])
    case priority(UInt32)
    case useCandidate
    /// The sender is controlled; its tie-breaker.
    case iceControlled(UInt64)
    /// The sender is controlling; its tie-breaker.
    case iceControlling(UInt64)
    /// Another, kept as it came.
    case other(type: UInt16, value: [UInt8])

    /// Whether whoever does not know this attribute may ignore it (RFC 8489 section 14).
    static func isOptional(_ type: UInt16) -> Bool { type >= 0x8000 }

    /// Reads the value of an attribute.
    init(type: UInt16, value: Span<UInt8>, transaction: TransactionID) throws(STUNError) {
        var reader = ByteReader(value)
        let parsed: STUNAttribute?
        switch type {
        case Kind.username:
            guard value.count <= Self.maximumUsername else { throw .badAttribute(type: type) }
            parsed = .username([UInt8](copying: value))
        case Kind.mappedAddress: parsed = TransportAddress(value, mask: nil).map { .mappedAddress($0) }
        case Kind.xorMappedAddress: parsed = TransportAddress(value, mask: transaction).map { .xorMappedAddress($0) }
        case Kind.errorCode: parsed = Self.errorCode(&reader)
        case Kind.unknownAttributes:
            guard value.count % 2 == 0, value.count <= 2 * Self.maximumUnknown else { throw .badAttribute(type: type) }
            var types: [UInt16] = []
            while let next = reader.uint16() { types.append(next) }
            parsed = .unknownAttributes(types)
        case Kind.priority: parsed = value.count == 4 ? reader.uint32().map { .priority($0) } : nil
        case Kind.useCandidate: parsed = value.isEmpty ? .useCandidate : nil
        case Kind.iceControlled: parsed = value.count == 8 ? reader.uint64().map { .iceControlled($0) } : nil
        case Kind.iceControlling: parsed = value.count == 8 ? reader.uint64().map { .iceControlling($0) } : nil
        default: parsed = .other(type: type, value: [UInt8](copying: value))
        }
        guard let parsed else { throw .badAttribute(type: type) }
        self = parsed
    }

    private static func errorCode(_ reader: inout ByteReader) -> STUNAttribute? {
        guard let word = reader.uint32(), reader.remaining <= maximumReason else { return nil }
        let (hundreds, number) = (Int(word >> 8 & 7), Int(word & 0xFF))
        guard 3...6 ~= hundreds, number < 100, let phrase = reader.array(reader.remaining) else { return nil }
        return .errorCode(hundreds * 100 + number, reason: String(validating: phrase, as: UTF8.self) ?? "")
    }

    var type: UInt16 {
        switch self {
        case .username: Kind.username
        case .mappedAddress: Kind.mappedAddress
        case .xorMappedAddress: Kind.xorMappedAddress
        case .errorCode: Kind.errorCode
        case .unknownAttributes: Kind.unknownAttributes
        case .priority: Kind.priority
        case .useCandidate: Kind.useCandidate
        case .iceControlled: Kind.iceControlled
        case .iceControlling: Kind.iceControlling
        case .other(let type, _): type
        }
    }

    /// The value without padding.
    func value(transaction: TransactionID) -> [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .username(let name): bytes = Array(name.prefix(Self.maximumUsername))
        case .mappedAddress(let address): bytes = address.value(mask: nil)
        case .xorMappedAddress(let address): bytes = address.value(mask: transaction)
        case .errorCode(let code, let reason):
            bytes = [0, 0, UInt8(clamping: code / 100), UInt8(clamping: code % 100)]
            bytes += reason.utf8.prefix(Self.maximumReason)
        case .unknownAttributes(let types): for type in types.prefix(Self.maximumUnknown) { bytes.append(uint16: type) }
        case .priority(let value): bytes.append(uint32: value)
        case .useCandidate: break
        case .iceControlled(let value), .iceControlling(let value): bytes.append(uint64: value)
        case .other(_, let value): bytes = Array(value.prefix(0xFFFF))
        }
        return bytes
    }
}

extension TransportAddress {
    /// Reads MAPPED-ADDRESS, or XOR-MAPPED-ADDRESS with the transaction it is masked by (RFC 8489 sections 14.1 and 14.2).
    fileprivate init?(_ value: Span<UInt8>, mask: TransactionID?) {
        var reader = ByteReader(value)
        guard let family = reader.uint16(), let port = reader.uint16() else { return nil }
        let cookie = STUNHeader.magicCookie
        self.port = mask == nil ? port : port ^ UInt16(truncatingIfNeeded: cookie >> 16)
        switch (family & 0xFF, value.count) {
        case (1, 8):
            guard let address = reader.uint32() else { return nil }
            ip = .v4(mask == nil ? address : address ^ cookie)
        case (2, 20):
            guard let high = reader.uint64(), let low = reader.uint64() else { return nil }
            ip = .v6(high: high ^ (mask?.highMask ?? 0), low: low ^ (mask?.low ?? 0))
        default: return nil
        }
    }

    fileprivate func value(mask: TransactionID?) -> [UInt8] {
        var bytes: [UInt8] = []
        let cookie = mask == nil ? 0 : STUNHeader.magicCookie
        bytes.append(uint16: ip.isV4 ? 1 : 2)
        bytes.append(uint16: port ^ UInt16(truncatingIfNeeded: cookie >> 16))
        switch ip {
        case .v4(let address): bytes.append(uint32: address ^ cookie)
        case .v6(let high, let low):
            bytes.append(uint64: high ^ (mask?.highMask ?? 0))
            bytes.append(uint64: low ^ (mask?.low ?? 0))
        }
        return bytes
    }
}

extension TransactionID {
    /// What masks the first half of an IPv6 address.
    fileprivate var highMask: UInt64 { UInt64(STUNHeader.magicCookie) << 32 | UInt64(high) }
}
