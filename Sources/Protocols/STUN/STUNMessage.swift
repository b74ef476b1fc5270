import Bytes

/// A STUN message as a value (RFC 8489 section 5).
public struct STUNMessage: Equatable, Sendable {
    /// More attributes than any agent sends.
    public static let maximumAttributes = 32

    public var header: STUNHeader
    /// In their order; MESSAGE-INTEGRITY and FINGERPRINT are not among them, nor what follows MESSAGE-INTEGRITY, which
    /// section 14.5 says to ignore. Of several of one type the first counts (section 14).
    public var attributes: [STUNAttribute]
    /// Where MESSAGE-INTEGRITY stood in the packet this was read from.
    let integrityOffset: Int?
    /// Whether the packet this was read from had a FINGERPRINT, which was right.
    public let hadFingerprint: Bool

    public init(_ header: STUNHeader, _ attributes: [STUNAttribute] = []) {
        self.header = header
        self.attributes = attributes
        integrityOffset = nil
        hadFingerprint = false
    }

    /// Reads `packet`, one whole datagram. Its FINGERPRINT is checked if it has one; nothing is authenticated yet: ask
    /// ``MessageIntegrity/verifies(_:in:)`` before an attribute means anything.
    /// - Throws: ``STUNError``. Drop the packet and count it.
    public init(parsing packet: Span<UInt8>) throws(STUNError) {
        header = try STUNHeader(parsing: packet)
        var attributes: [STUNAttribute] = []
        var integrity: Int?
        var fingerprint: Int?
        var offset = STUNHeader.byteCount
        while offset < packet.count {
            guard fingerprint == nil else { throw .afterFingerprint }
            // The length is a multiple of four, and so is every offset: a header is always whole.
            let type = packet.uint16(at: offset)
            let length = Int(packet.uint16(at: offset + 2))
            let start = offset + 4
            guard start + length <= packet.count else { throw .badAttribute(type: type) }
            switch type {
            case STUNAttribute.Kind.fingerprint:
                guard length == 4 else { throw .badAttribute(type: type) }
                fingerprint = offset
            case STUNAttribute.Kind.messageIntegrity where integrity == nil:
                guard length == MessageIntegrity.byteCount else { throw .badAttribute(type: type) }
                integrity = offset
            case _ where integrity == nil && !attributes.contains { $0.type == type }:
                guard attributes.count < Self.maximumAttributes else { throw .tooManyAttributes }
                attributes.append(
                    try STUNAttribute(
                        type: type, value: packet.extracting(start..<start + length), transaction: header.transaction))
            default: break
            }
            offset = start + (length + 3) & ~3
        }
        if let fingerprint {
            let sum = Fingerprint.value(of: packet.extracting(0..<fingerprint))
            guard packet.uint32(at: fingerprint + 4) == sum else { throw .wrongFingerprint }
        }
        self.attributes = attributes
        integrityOffset = integrity
        hadFingerprint = fingerprint != nil
    }

    /// The message as one datagram, with MESSAGE-INTEGRITY if there is a key, and with FINGERPRINT.
    public func serialized(with integrity: MessageIntegrity?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(uint16: header.type)
        bytes.append(uint16: 0)
        bytes.append(uint32: STUNHeader.magicCookie)
        bytes.append(uint32: header.transaction.high)
        bytes.append(uint64: header.transaction.low)
        for attribute in attributes {
            bytes.append(attribute: attribute.type, attribute.value(transaction: header.transaction))
        }
        if let integrity {
            let code = integrity.code(of: bytes)
            bytes.append(attribute: STUNAttribute.Kind.messageIntegrity, code)
        }
        bytes.set(length: bytes.count + 8 - STUNHeader.byteCount)
        var sum: [UInt8] = []
        sum.append(uint32: Fingerprint.value(of: bytes.span))
        bytes.append(attribute: STUNAttribute.Kind.fingerprint, sum)
        return bytes
    }

    // MARK: What the attributes say

    public var username: [UInt8]? {
        for case .username(let name) in attributes { return name }
        return nil
    }

    public var priority: UInt32? {
        for case .priority(let value) in attributes { return value }
        return nil
    }

    /// The address the peer saw this message's receiver at; XOR-MAPPED-ADDRESS before MAPPED-ADDRESS.
    public var mappedAddress: TransportAddress? {
        for case .xorMappedAddress(let address) in attributes { return address }
        for case .mappedAddress(let address) in attributes { return address }
        return nil
    }

    public var errorCode: Int? {
        for case .errorCode(let code, _) in attributes { return code }
        return nil
    }

    public var usesCandidate: Bool { attributes.contains(.useCandidate) }

    /// Types that a receiver must know and that are not known here; a request with one is answered by 420 (section 6.3.1).
    public var unknownRequired: [UInt16] {
        attributes.compactMap {
            guard case .other(let type, _) = $0, !STUNAttribute.isOptional(type),
                ![
                    STUNAttribute.Kind.realm, STUNAttribute.Kind.nonce, STUNAttribute.Kind.messageIntegritySHA256,
                ].contains(type)
            else { return nil }
            return type
        }
    }
}

extension Array where Element == UInt8 {
    /// One attribute, padded with zeros to four bytes.
    fileprivate mutating func append(attribute type: UInt16, _ value: [UInt8]) {
        append(uint16: type)
        append(uint16: UInt16(truncatingIfNeeded: value.count))
        append(contentsOf: value)
        append(contentsOf: repeatElement(0, count: (4 - value.count % 4) % 4))
    }

    /// Bytes behind the header.
    fileprivate mutating func set(length: Int) {
        self[2] = UInt8(truncatingIfNeeded: length >> 8)
        self[3] = UInt8(truncatingIfNeeded: length)
    }
}
