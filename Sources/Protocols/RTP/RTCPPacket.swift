import Bytes

/// One packet of RTCP: RFC 3550 section 6, and the feedback of RFC 4585, RFC 5104, REMB and transport-wide congestion control.
public enum RTCPPacket: Equatable, Sendable {
    case senderReport(SenderReport)
    case receiverReport(ReceiverReport)
    /// Section 6.5: one chunk a source.
    case sourceDescription([SourceDescription])
    case goodbye(Goodbye)
    /// RFC 4585 section 6.2.1.
    case nack(GenericNACK)
    /// RFC 4585 section 6.3.1.
    case pictureLossIndication(sender: UInt32, media: UInt32)
    /// RFC 5104 section 4.3.1.
    case fullIntraRequest(FullIntraRequest)
    /// draft-alvestrand-rmcat-remb-03.
    case receiverEstimatedMaximumBitrate(ReceiverEstimatedMaximumBitrate)
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.
    case transportFeedback(TransportFeedback)
    /// APP, extended reports and feedback of other kinds: passed over, and never written.
    case other(type: UInt8, format: UInt8)

    /// The types of RFC 3550 section 12.1 and RFC 4585 section 6.1.
    enum PacketType {
        static let senderReport: UInt8 = 200
        static let receiverReport: UInt8 = 201
        static let sourceDescription: UInt8 = 202
        static let goodbye: UInt8 = 203
        static let transportFeedback: UInt8 = 205
        static let payloadFeedback: UInt8 = 206
    }

    /// `FMT` of the two feedback types.
    enum Format {
        static let nack: UInt8 = 1
        static let transportWide: UInt8 = 15
        static let pictureLoss: UInt8 = 1
        static let fullIntra: UInt8 = 4
        static let applicationLayer: UInt8 = 15
    }

    /// Appends the packet; several make a compound (RFC 3550 section 6.1), which begins with a report, or stand alone where
    /// reduced size was agreed (RFC 5506). Counts over what the format holds are cut: 31 blocks, chunks or sources.
    public func write(into bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.append(uint32: 0)
        let (type, count) = writeBody(into: &bytes)
        guard let type else {
            bytes.removeLast(bytes.count - start)
            return
        }
        while (bytes.count - start) % 4 != 0 { bytes.append(0) }
        let words = (bytes.count - start) / 4 - 1
        bytes[start] = 0x80 | count & 0x1F
        bytes[start + 1] = type
        bytes[start + 2] = UInt8(truncatingIfNeeded: words >> 8)
        bytes[start + 3] = UInt8(truncatingIfNeeded: words)
    }

    private func writeBody(into bytes: inout [UInt8]) -> (type: UInt8?, count: UInt8) {
        switch self {
        case .senderReport(let report):
            return (PacketType.senderReport, report.writeBody(into: &bytes))
        case .receiverReport(let report):
            return (PacketType.receiverReport, report.writeBody(into: &bytes))
        case .sourceDescription(let chunks):
            for chunk in chunks.prefix(31) { chunk.write(into: &bytes) }
            return (PacketType.sourceDescription, UInt8(min(31, chunks.count)))
        case .goodbye(let goodbye):
            return (PacketType.goodbye, goodbye.writeBody(into: &bytes))
        case .nack(let nack):
            nack.writeBody(into: &bytes)
            return (PacketType.transportFeedback, Format.nack)
        case .pictureLossIndication(let sender, let media):
            bytes.append(uint32: sender)
            bytes.append(uint32: media)
            return (PacketType.payloadFeedback, Format.pictureLoss)
        case .fullIntraRequest(let request):
            request.writeBody(into: &bytes)
            return (PacketType.payloadFeedback, Format.fullIntra)
        case .receiverEstimatedMaximumBitrate(let estimate):
            estimate.writeBody(into: &bytes)
            return (PacketType.payloadFeedback, Format.applicationLayer)
        case .transportFeedback(let feedback):
            feedback.writeBody(into: &bytes)
            return (PacketType.transportFeedback, Format.transportWide)
        case .other:
            return (nil, 0)
        }
    }
}
