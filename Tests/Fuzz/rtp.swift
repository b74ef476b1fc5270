// modules: Bytes Timing RTP
// covers: Sources/Protocols/RTP/RTPHeader.swift Sources/Protocols/RTP/HeaderExtension*.swift Sources/Protocols/RTP/HeaderRewrite.swift Sources/Protocols/RTP/RTXPacket.swift
// max-length: 2048

import RTP

/// One id for each extension, those of the first session and those of the second.
private let maps: [HeaderExtensionMap] = [1, 3].map { step in
    var map = HeaderExtensionMap()
    for (index, known) in HeaderExtension.allCases.enumerated() { map[known] = UInt8(1 + index * step) }
    return map
}

/// The input is a packet.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let packet = Array(UnsafeBufferPointer(start: data, count: count))
    guard let header = try? RTPHeader(parsing: packet.span) else { return 0 }
    precondition(header.payloadRange.upperBound <= packet.count, "a payload outside the packet")
    checkElements(packet, header)
    checkTranslation(packet, header)
    checkRewrite(packet, header)
    checkRetransmission(packet, header)
    checkPadding(packet, header)
    #if FUZZ_CANARY
        // The planted bug: the length of a two-byte element is believed.
        if header.extensionProfile == 0x1000, header.extensionRange.count > 2 {
            let start = header.extensionRange.lowerBound
            if packet[start] != 0 { _ = packet[start + 2 + Int(packet[start + 1])] }
        }
    #endif
    return 0
}

private func elements(_ packet: [UInt8], _ header: RTPHeader) -> [HeaderExtensionReader.Element] {
    var reader = HeaderExtensionReader(packet.span, header)
    var elements: [HeaderExtensionReader.Element] = []
    while let element = reader.next() { elements.append(element) }
    return elements
}

/// Elements lie within the extension, one behind the other; written again they read the same.
private func checkElements(_ packet: [UInt8], _ header: RTPHeader) {
    let found = elements(packet, header)
    var end = header.extensionRange.lowerBound
    let isOneByte = header.extensionProfile == 0xBEDE
    var block = HeaderExtensionBlock(isOneByte ? .oneByte : .twoByte)
    var isWhole = true
    for element in found {
        precondition(element.start >= end && element.range.upperBound <= header.extensionRange.upperBound, "outside")
        end = element.range.upperBound
        let data = packet.span.extracting(element.range)
        if (try? block.append(id: element.id, data)) == nil { isWhole = false }
    }
    let values = HeaderExtensionValues(packet.span, header, maps[0])
    for range in [values.mid, values.rid, values.repairedRID] {
        precondition(range.map { $0.upperBound <= packet.count && !$0.isEmpty } ?? true, "a name outside")
    }
    guard isWhole else { return }
    var plain = RTPHeader(
        marker: header.marker, payloadType: header.payloadType, sequenceNumber: header.sequenceNumber,
        timestamp: header.timestamp, ssrc: header.ssrc)
    plain.marker = header.marker
    guard let written = write(plain, block) else { preconditionFailure("what was read does not fit") }
    guard let again = try? RTPHeader(parsing: written.span) else {
        preconditionFailure("a written header does not read")
    }
    precondition(again.ssrc == header.ssrc && again.sequenceNumber == header.sequenceNumber)
    precondition(again.timestamp == header.timestamp && again.payloadType == header.payloadType)
    precondition(again.marker == header.marker && again.byteCount == written.count)
    let reread = elements(written, again)
    precondition(reread.map(\.id) == found.map(\.id), "other elements")
    for (left, right) in zip(reread, found) {
        precondition(written[left.range] == packet[right.range], "another value")
    }
    precondition(write(plain, block, capacity: written.count - 1) == nil, "written beyond the buffer")
}

private func write(_ header: RTPHeader, _ block: HeaderExtensionBlock, capacity: Int = 200) -> [UInt8]? {
    try? [UInt8](capacity: capacity) { output in try header.write(block, into: &output) }
}

/// Other ids change no length and no value.
private func checkTranslation(_ packet: [UInt8], _ header: RTPHeader) {
    var other = packet
    var span = other.mutableSpan
    maps[0].translate(to: maps[1], in: &span, header)
    precondition((try? RTPHeader(parsing: other.span)) == header, "another header")
    let expected = elements(packet, header).filter { element in
        guard let id = maps[0].known(element.id).flatMap({ maps[1][$0] }) else { return false }
        return header.extensionProfile != 0xBEDE || id <= 14
    }
    let translated = elements(other, header)
    precondition(translated.map(\.range) == expected.map(\.range), "other elements than are known")
    for element in translated { precondition(packet[element.range] == other[element.range], "another value") }
}

private func checkRewrite(_ packet: [UInt8], _ header: RTPHeader) {
    var copy = packet
    var span = copy.mutableSpan
    let rewrite = HeaderRewrite(payloadType: 255, sequenceNumber: 1, timestamp: 2, ssrc: 3)
    guard (try? rewrite.apply(to: &span)) != nil, let again = try? RTPHeader(parsing: copy.span) else {
        preconditionFailure("a rewritten packet does not read")
    }
    precondition(again.payloadType == 127 && again.sequenceNumber == 1 && again.timestamp == 2 && again.ssrc == 3)
    precondition(again.payloadRange == header.payloadRange && again.marker == header.marker)
    precondition(copy[12...] == packet[12...])
}

/// A packet sent again and restored is the packet without its padding.
private func checkRetransmission(_ packet: [UInt8], _ header: RTPHeader) {
    let sent = try? [UInt8](capacity: packet.count + 2) { output in
        try RTXPacket.write(
            retransmitting: packet.span, ssrc: 7, payloadType: 97, sequenceNumber: 9, into: &output)
    }
    guard var sent, let outer = try? RTPHeader(parsing: sent.span) else { preconditionFailure("it is not written") }
    var span = sent.mutableSpan
    guard let start = try? RTXPacket.restore(&span, outer, ssrc: header.ssrc, payloadType: header.payloadType) else {
        preconditionFailure("it is not restored")
    }
    precondition([sent[start] | packet[0] & 0x20] + sent[(start + 1)...] == packet[..<header.payloadRange.upperBound])
    var copy = packet
    var view = copy.mutableSpan
    if let begin = try? RTXPacket.restore(&view, header, ssrc: 1, payloadType: 2) {
        precondition((try? RTPHeader(parsing: copy.span.extracting(begin..<copy.count)))?.ssrc == 1)
    }
}

private func checkPadding(_ packet: [UInt8], _ header: RTPHeader) {
    var buffer = packet + [UInt8](repeating: 0xAA, count: 300)
    var span = buffer.mutableSpan
    guard let count = try? RTPPadding.append(Int(packet[1]), to: &span, count: packet.count) else { return }
    precondition(count == packet.count + Int(packet[1]))
    precondition((try? RTPHeader(parsing: buffer.span.extracting(0..<count)))?.payloadRange == header.payloadRange)
}
