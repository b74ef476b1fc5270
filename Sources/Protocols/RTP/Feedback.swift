import Bytes

/// Packets that did not come (RFC 4585 section 6.2.1).
public struct GenericNACK: Equatable, Sendable {
    /// A lost packet, and which of the 16 behind it are lost too: the lowest bit is the next.
    public struct Entry: Equatable, Sendable {
        public var packetID: UInt16
        public var bitmask: UInt16

        public init(packetID: UInt16, bitmask: UInt16) { (self.packetID, self.bitmask) = (packetID, bitmask) }
    }

    /// Of who asks.
    public var sender: UInt32
    /// Of the stream.
    public var media: UInt32
    /// At least one on the wire.
    public var entries: [Entry]

    public init(sender: UInt32, media: UInt32, entries: [Entry]) {
        (self.sender, self.media, self.entries) = (sender, media, entries)
    }

    /// - Parameter lost: in rising order, as serial numbers go.
    public init(sender: UInt32, media: UInt32, lost: [UInt16]) {
        self.init(sender: sender, media: media, entries: [])
        for number in lost {
            let distance = number &- (entries.last?.packetID ?? number)
            if let last = entries.indices.last, 1...16 ~= distance {
                entries[last].bitmask |= 1 << (distance - 1)
            } else if entries.last?.packetID != number {
                entries.append(Entry(packetID: number, bitmask: 0))
            }
        }
    }

    /// Calls `body` with each sequence number that is asked for, at most 17 for each entry.
    public func forEachLost(_ body: (UInt16) -> Void) {
        for entry in entries {
            body(entry.packetID)
            for bit in 0..<UInt16(16) where entry.bitmask & 1 << bit != 0 { body(entry.packetID &+ bit &+ 1) }
        }
    }

    init?(_ body: inout ByteReader) {
        guard let sender = body.uint32(), let media = body.uint32(), body.remaining >= 4 else { return nil }
        self.init(sender: sender, media: media, entries: [])
        entries.reserveCapacity(body.remaining / 4)
        while let packetID = body.uint16(), let bitmask = body.uint16() {
            entries.append(Entry(packetID: packetID, bitmask: bitmask))
        }
    }

    func writeBody(into bytes: inout [UInt8]) {
        bytes.append(uint32: sender)
        bytes.append(uint32: media)
        for entry in entries {
            bytes.append(uint16: entry.packetID)
            bytes.append(uint16: entry.bitmask)
        }
    }
}

/// A decoder that needs a key frame (RFC 5104 section 4.3.1).
public struct FullIntraRequest: Equatable, Sendable {
    public struct Entry: Equatable, Sendable {
        /// Of the stream.
        public var ssrc: UInt32
        /// The same number again is the same request.
        public var sequenceNumber: UInt8

        public init(ssrc: UInt32, sequenceNumber: UInt8) { (self.ssrc, self.sequenceNumber) = (ssrc, sequenceNumber) }
    }

    /// Of who asks.
    public var sender: UInt32
    /// At least one on the wire.
    public var entries: [Entry]

    public init(sender: UInt32, entries: [Entry]) { (self.sender, self.entries) = (sender, entries) }

    init?(_ body: inout ByteReader) {
        guard let sender = body.uint32(), body.uint32() != nil, body.remaining >= 8 else { return nil }
        self.init(sender: sender, entries: [])
        entries.reserveCapacity(body.remaining / 8)
        while let ssrc = body.uint32(), let last = body.uint32() {
            entries.append(Entry(ssrc: ssrc, sequenceNumber: UInt8(last >> 24)))
        }
    }

    func writeBody(into bytes: inout [UInt8]) {
        bytes.append(uint32: sender)
        bytes.append(uint32: 0)  // section 4.3.1.1: the media source is not used
        for entry in entries {
            bytes.append(uint32: entry.ssrc)
            bytes.append(uint32: UInt32(entry.sequenceNumber) << 24)
        }
    }
}

/// What a receiver reckons the path can carry (draft-alvestrand-rmcat-remb-03 section 2.2).
public struct ReceiverEstimatedMaximumBitrate: Equatable, Sendable {
    /// Of who reckons.
    public var sender: UInt32
    /// Bits a second, of all the streams together. On the wire it keeps its 18 highest bits.
    public var bitrate: UInt64
    /// The streams; at most 255.
    public var ssrcs: [UInt32]

    private static let identifier: UInt32 = 0x5245_4D42  // "REMB"

    public init(sender: UInt32, bitrate: UInt64, ssrcs: [UInt32]) {
        (self.sender, self.bitrate, self.ssrcs) = (sender, bitrate, ssrcs)
    }

    /// Other feedback of the application layer is ``RTCPPacket/other(type:format:)``.
    static func packet(_ body: inout ByteReader) -> RTCPPacket? {
        guard let sender = body.uint32(), body.uint32() != nil else { return nil }
        guard body.remaining >= 8, body.uint32() == identifier else {
            return .other(type: RTCPPacket.PacketType.payloadFeedback, format: RTCPPacket.Format.applicationLayer)
        }
        guard let count = body.uint8(), let bits = body.uint24(), body.remaining >= 4 * Int(count) else { return nil }
        let mantissa = UInt64(bits & 0x3FFFF)
        let exponent = UInt64(bits >> 18)
        guard mantissa.leadingZeroBitCount >= exponent else { return nil }  // more than 64 bits
        let ssrcs = (0..<count).compactMap { _ in body.uint32() }
        return .receiverEstimatedMaximumBitrate(Self(sender: sender, bitrate: mantissa << exponent, ssrcs: ssrcs))
    }

    func writeBody(into bytes: inout [UInt8]) {
        let exponent = max(0, 46 - bitrate.leadingZeroBitCount)
        bytes.append(uint32: sender)
        bytes.append(uint32: 0)
        bytes.append(uint32: Self.identifier)
        bytes.append(UInt8(min(255, ssrcs.count)))
        bytes.append(uint24: UInt32(exponent) << 18 | UInt32(bitrate >> UInt64(exponent)))
        for ssrc in ssrcs.prefix(255) { bytes.append(uint32: ssrc) }
    }
}
