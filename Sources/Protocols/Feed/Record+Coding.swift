import Bytes

// One record's bytes, the same on the link and on a tape:
//
//     position 8, time 8, kind 1, then
//     event:  kind 1, fields
//     unit:   track 4, rendition 2, configuration 4, pts 8, dts 8, flags 1, payload to the end
//     packet: track 4, rendition 2, kind 1, flags 1, payload to the end
//
// The envelope around it says where it ends. Flag bit 0 is `isKey`; readers ignore the others.
extension Record {
    private enum Kind: UInt8 {
        case event = 1
        case unit = 2
        case packet = 3
    }

    private static let headerBytes = 17
    private static let unitHeaderBytes = 27
    private static let packetHeaderBytes = 8

    /// Appends the record without an envelope.
    public func encode(into bytes: inout [UInt8]) {
        bytes.append(uint64: position)
        bytes.append(uint64: UInt64(bitPattern: time))
        switch body {
        case .event(let event):
            bytes.append(Kind.event.rawValue)
            event.encode(into: &bytes)
        case .unit(let unit):
            bytes.append(Kind.unit.rawValue)
            unit.encode(into: &bytes)
        case .packet(let packet):
            bytes.append(Kind.packet.rawValue)
            packet.encode(into: &bytes)
        }
    }

    /// Reads the one record that fills `bytes`. A payload shares their storage. `nil`: a kind that a newer writer added;
    /// skip it.
    public static func decode(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> Record? {
        guard bytes.count >= headerBytes else { throw .truncated }
        let position = bytes.span.uint64(at: 0)
        let time = Int64(bitPattern: bytes.span.uint64(at: 8))
        let rest = bytes.dropFirst(headerBytes)
        switch Kind(rawValue: bytes.span[16]) {
        case .event:
            guard let event = try RoomEvent.decode(rest) else { return nil }
            return Record(position: position, time: time, body: .event(event))
        case .unit:
            return Record(position: position, time: time, body: .unit(try unit(rest)))
        case .packet:
            guard let packet = try packet(rest) else { return nil }
            return Record(position: position, time: time, body: .packet(packet))
        case nil:
            return nil
        }
    }

    private static func unit(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> Unit {
        guard bytes.count >= unitHeaderBytes else { throw .truncated }
        let span = bytes.span
        return Unit(
            track: TrackNumber(rawValue: span.uint32(at: 0)), rendition: span.uint16(at: 4),
            configuration: span.uint32(at: 6), pts: Int64(bitPattern: span.uint64(at: 10)),
            dts: Int64(bitPattern: span.uint64(at: 18)), isKey: span[26] & 1 != 0,
            bytes: bytes.dropFirst(unitHeaderBytes))
    }

    private static func packet(_ bytes: ArraySlice<UInt8>) throws(FeedError) -> Packet? {
        guard bytes.count >= packetHeaderBytes else { throw .truncated }
        let span = bytes.span
        guard let kind = Packet.Kind(rawValue: span[6]) else { return nil }
        return Packet(
            track: TrackNumber(rawValue: span.uint32(at: 0)), rendition: span.uint16(at: 4), kind: kind,
            isKey: span[7] & 1 != 0, bytes: bytes.dropFirst(packetHeaderBytes))
    }
}

extension Unit {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(uint32: track.rawValue)
        bytes.append(uint16: rendition)
        bytes.append(uint32: configuration)
        bytes.append(uint64: UInt64(bitPattern: pts))
        bytes.append(uint64: UInt64(bitPattern: dts))
        bytes.append(isKey ? 1 : 0)
        bytes.append(contentsOf: self.bytes)
    }
}

extension Packet {
    fileprivate func encode(into bytes: inout [UInt8]) {
        bytes.append(uint32: track.rawValue)
        bytes.append(uint16: rendition)
        bytes.append(kind.rawValue)
        bytes.append(isKey ? 1 : 0)
        bytes.append(contentsOf: self.bytes)
    }
}
