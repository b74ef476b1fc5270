import Bytes

/// When the packets of one transport came (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1). A packet that
/// did not come takes no memory here, so that a value is never larger than the datagram it was read from.
public struct TransportFeedback: Equatable, Sendable {
    public struct Arrival: Equatable, Sendable {
        /// From ``TransportFeedback/baseSequenceNumber``.
        public var offset: UInt16
        /// Since the arrival before, the first since the reference time; in 250 µs.
        public var delta: Int16

        public init(offset: UInt16, delta: Int16) { (self.offset, self.delta) = (offset, delta) }
    }

    /// Of who reports.
    public var sender: UInt32
    public var media: UInt32
    /// Transport-wide, of the first packet.
    public var baseSequenceNumber: UInt16
    /// Packets told of, received or not; at least 1.
    public var packetStatusCount: UInt16
    /// 24 bits with a sign, in 64 ms of the reporter's clock.
    public var referenceTime: Int32
    /// Of this feedback among all.
    public var feedbackPacketCount: UInt8
    /// In rising order of offsets.
    public var arrivals: [Arrival]

    public init(
        sender: UInt32, media: UInt32, baseSequenceNumber: UInt16, packetStatusCount: UInt16, referenceTime: Int32,
        feedbackPacketCount: UInt8, arrivals: [Arrival]
    ) {
        (self.sender, self.media, self.baseSequenceNumber) = (sender, media, baseSequenceNumber)
        (self.packetStatusCount, self.referenceTime) = (packetStatusCount, referenceTime)
        (self.feedbackPacketCount, self.arrivals) = (feedbackPacketCount, arrivals)
    }

    // MARK: Reading

    init?(_ body: inout ByteReader) {
        guard let sender = body.uint32(), let media = body.uint32(), let base = body.uint16(),
            let count = body.uint16(), count > 0, let reference = body.uint24(), let number = body.uint8()
        else { return nil }
        self.init(
            sender: sender, media: media, baseSequenceNumber: base, packetStatusCount: count,
            referenceTime: Int32(bitPattern: reference << 8) >> 8, feedbackPacketCount: number, arrivals: [])
        guard let symbols = readChunks(&body) else { return nil }
        for index in arrivals.indices {
            if symbols[index] == Symbol.small {
                guard let delta = body.uint8() else { return nil }
                arrivals[index].delta = Int16(delta)
            } else {
                guard let delta = body.uint16() else { return nil }
                arrivals[index].delta = Int16(bitPattern: delta)
            }
        }
    }

    private enum Symbol {
        static let missing: UInt8 = 0
        static let small: UInt8 = 1
        static let large: UInt8 = 2
    }

    /// Fills in the offsets.
    /// - Returns: the symbol of each arrival; `nil` for one that is reserved, or when the deltas cannot be there.
    private mutating func readChunks(_ body: inout ByteReader) -> [UInt8]? {
        var symbols: [UInt8] = []
        var deltaBytes = 0
        var offset = 0
        while offset < Int(packetStatusCount) {
            guard let chunk = body.uint16() else { return nil }
            let isRun = chunk & 0x8000 == 0
            let isOneBit = chunk & 0x4000 == 0
            let told = isRun ? Int(chunk & 0x1FFF) : isOneBit ? 14 : 7
            guard told > 0 else { return nil }
            let end = min(offset + told, Int(packetStatusCount))
            if isRun, chunk >> 13 & 3 == 0 {
                offset = end
                continue
            }
            for place in 0..<UInt16(end - offset) {
                let symbol: UInt16 =
                    isRun ? chunk >> 13 & 3 : isOneBit ? chunk >> (13 - place) & 1 : chunk >> (12 - 2 * place) & 3
                guard symbol != 3 else { return nil }
                guard symbol != Symbol.missing else { continue }
                deltaBytes += Int(symbol)
                guard deltaBytes <= body.remaining else { return nil }
                symbols.append(UInt8(symbol))
                arrivals.append(Arrival(offset: UInt16(offset) &+ place, delta: 0))
            }
            offset = end
        }
        return symbols
    }

    // MARK: Writing

    func writeBody(into bytes: inout [UInt8]) {
        bytes.append(uint32: sender)
        bytes.append(uint32: media)
        bytes.append(uint16: baseSequenceNumber)
        bytes.append(uint16: packetStatusCount)
        bytes.append(uint24: UInt32(bitPattern: referenceTime) & 0xFF_FFFF)
        bytes.append(feedbackPacketCount)
        let told = arrivals.filter { $0.offset < packetStatusCount }
        var symbols = [UInt8](repeating: Symbol.missing, count: Int(packetStatusCount))
        for arrival in told { symbols[Int(arrival.offset)] = Self.symbol(of: arrival) }
        Self.writeChunks(symbols[...], into: &bytes)
        for arrival in told {
            if Self.symbol(of: arrival) == Symbol.small {
                bytes.append(UInt8(truncatingIfNeeded: arrival.delta))
            } else {
                bytes.append(uint16: UInt16(bitPattern: arrival.delta))
            }
        }
    }

    private static func symbol(of arrival: Arrival) -> UInt8 {
        0...255 ~= arrival.delta ? Symbol.small : Symbol.large
    }

    /// A run where it says more than a vector would, else a vector of as many as fit.
    private static func writeChunks(_ symbols: ArraySlice<UInt8>, into bytes: inout [UInt8]) {
        var rest = symbols
        while let first = rest.first {
            let run = rest.prefix(0x1FFF).prefix { $0 == first }.count
            let isOneBit = rest.prefix(14).allSatisfy { $0 != Symbol.large }
            if run >= (isOneBit ? 14 : 7) || run == rest.count {
                bytes.append(uint16: UInt16(first) << 13 | UInt16(run))
                rest = rest.dropFirst(run)
                continue
            }
            let (capacity, bits) = isOneBit ? (14, 1) : (7, 2)
            var chunk: UInt16 = isOneBit ? 0x8000 : 0xC000
            for (place, symbol) in rest.prefix(capacity).enumerated() {
                chunk |= UInt16(symbol) << UInt16(14 - bits * (place + 1))
            }
            bytes.append(uint16: chunk)
            rest = rest.dropFirst(capacity)
        }
    }
}
