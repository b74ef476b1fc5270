import Bytes

/// Walks the elements of a header extension in either form (RFC 8285 sections 4.2 and 4.3), without allocating.
///
/// An element that reaches past the extension ends the walk, as does id 15 of the one-byte form; what came before stands.
public struct HeaderExtensionReader: ~Escapable {
    public struct Element: Equatable, Sendable {
        public var id: UInt8
        /// Where the element's own head begins, in the packet: one or two bytes before its data.
        public var start: Int
        /// The data, in the packet.
        public var range: Range<Int>
    }

    private let packet: Span<UInt8>
    private let end: Int
    private let isTwoByte: Bool
    private var offset: Int

    /// - Parameter header: that of `packet`. Another profile than the two of RFC 8285 has no elements.
    @_lifetime(copy packet)
    public init(_ packet: Span<UInt8>, _ header: RTPHeader) {
        self.init(packet, header, from: header.extensionRange.lowerBound)
    }

    /// - Parameter start: where an element begins.
    @_lifetime(copy packet)
    init(_ packet: Span<UInt8>, _ header: RTPHeader, from start: Int) {
        self.packet = packet
        let isOneByte = header.extensionProfile == HeaderExtensionBlock.Form.oneByte.profile
        isTwoByte = (header.extensionProfile ?? 0) & 0xFFF0 == HeaderExtensionBlock.Form.twoByte.profile
        offset = start
        end = isOneByte || isTwoByte ? min(header.extensionRange.upperBound, packet.count) : 0
    }

    public mutating func next() -> Element? {
        while offset < end, packet[offset] == 0 { offset += 1 }  // padding
        guard offset < end else { return nil }
        let start = offset
        let head = packet[start]
        let id: UInt8
        let data: Range<Int>
        if isTwoByte {
            guard start + 2 <= end else { return finish() }
            id = head
            data = start + 2..<start + 2 + Int(packet[start + 1])
        } else {
            id = head >> 4
            data = start + 1..<start + 2 + Int(head & 0x0F)
            // A zero id with a length is not to be read; 15 ends all (section 4.2).
            guard id != 0, id != 15 else { return finish() }
        }
        guard data.upperBound <= end else { return finish() }
        offset = data.upperBound
        return Element(id: id, start: start, range: data)
    }

    private mutating func finish() -> Element? {
        offset = end
        return nil
    }
}

/// What the header extensions of one packet say, as far as it is read here.
public struct HeaderExtensionValues: Equatable, Sendable {
    /// RFC 6464 section 3.
    public struct AudioLevel: Equatable, Sendable {
        /// 0 is the loudest, 127 silence: −dBov.
        public var level: UInt8
        public var isVoice: Bool

        public init(level: UInt8, isVoice: Bool) { (self.level, self.isVoice) = (level, isVoice) }
    }

    /// Both in units of 10 ms.
    public struct PlayoutDelay: Equatable, Sendable {
        public var minimum: UInt16
        public var maximum: UInt16

        public init(minimum: UInt16, maximum: UInt16) { (self.minimum, self.maximum) = (minimum, maximum) }
    }

    /// Where the text stands in the packet.
    public var mid: Range<Int>?
    public var rid: Range<Int>?
    public var repairedRID: Range<Int>?
    /// 24 bits: seconds in 6.18 fixed point.
    public var absSendTime: UInt32?
    public var transportSequenceNumber: UInt16?
    public var audioLevel: AudioLevel?
    /// Clockwise degrees that the receiver turns the picture by: 0, 90, 180 or 270.
    public var rotation: UInt16?
    public var playoutDelay: PlayoutDelay?

    /// Of each extension the last counts; one with a length that is not its own is passed over.
    public init(_ packet: Span<UInt8>, _ header: RTPHeader, _ map: HeaderExtensionMap) {
        var reader = HeaderExtensionReader(packet, header)
        while let element = reader.next() {
            guard let known = map.known(element.id) else { continue }
            take(known, element.range, packet)
        }
    }

    private mutating func take(_ known: HeaderExtension, _ range: Range<Int>, _ packet: Span<UInt8>) {
        let start = range.lowerBound
        switch (known, range.count) {
        case (.mid, 1...): mid = range
        case (.rid, 1...): rid = range
        case (.repairedRID, 1...): repairedRID = range
        case (.absSendTime, 3): absSendTime = packet.uint24(at: start)
        case (.transportWideCC, 2): transportSequenceNumber = packet.uint16(at: start)
        case (.audioLevel, 1...):
            audioLevel = AudioLevel(level: packet[start] & 0x7F, isVoice: packet[start] & 0x80 != 0)
        case (.videoOrientation, 1): rotation = UInt16(packet[start] & 0x03) * 90
        case (.playoutDelay, 3):
            let value = packet.uint24(at: start)
            playoutDelay = PlayoutDelay(minimum: UInt16(value >> 12), maximum: UInt16(value & 0xFFF))
        default: break
        }
    }
}
