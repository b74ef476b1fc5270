// modules: Bytes Timing RTP
// covers: Sources/Protocols/RTP/RTCP*.swift Sources/Protocols/RTP/Reports.swift Sources/Protocols/RTP/SourceDescription.swift Sources/Protocols/RTP/Feedback.swift Sources/Protocols/RTP/TransportFeedback.swift
// max-length: 2048

import RTP

/// The input is a datagram.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let datagram = Array(UnsafeBufferPointer(start: data, count: count))
    let packets = read(datagram)
    precondition(packets.count <= datagram.count / 4, "more packets than words")
    for packet in packets {
        checkSize(packet, datagram.count)
        if case .other = packet { continue }
        let written = write([packet])
        precondition(written.count % 4 == 0, "no whole words")
        precondition(read(written) == [packet], "a packet reads not as it was written")
    }
    let known = packets.filter { if case .other = $0 { false } else { true } }
    precondition(read(write(known)) == known, "a compound reads not as it was written")
    return 0
}

private func read(_ datagram: [UInt8]) -> [RTCPPacket] {
    var reader = RTCPReader(datagram.span)
    var packets: [RTCPPacket] = []
    while let packet = try? reader.next() { packets.append(packet) }
    precondition((try? reader.next()) == nil, "it goes on behind its end")
    return packets
}

private func write(_ packets: [RTCPPacket]) -> [UInt8] {
    var bytes: [UInt8] = []
    for packet in packets { packet.write(into: &bytes) }
    return bytes
}

/// What is read is no larger than what was received, and no work is.
private func checkSize(_ packet: RTCPPacket, _ count: Int) {
    switch packet {
    case .nack(let nack):
        var lost = 0
        nack.forEachLost { _ in lost += 1 }
        precondition(lost <= 17 * count / 4)
    case .transportFeedback(let feedback):
        precondition(feedback.arrivals.count <= count, "more arrivals than bytes")
        precondition(zip(feedback.arrivals, feedback.arrivals.dropFirst()).allSatisfy { $0.offset < $1.offset })
        precondition(feedback.arrivals.allSatisfy { $0.offset < feedback.packetStatusCount })
    case .receiverEstimatedMaximumBitrate(let estimate):
        precondition(estimate.ssrcs.count <= count / 4)
    case .goodbye(let goodbye):
        precondition(goodbye.sources.count <= count / 4)
        #if FUZZ_CANARY
            // The planted bug: a reason has a first letter.
            if let reason = goodbye.reason { precondition(reason[0] <= 0xFF) }
        #endif
    case .sourceDescription(let chunks): precondition(chunks.reduce(0) { $0 + $1.items.count } <= count / 2)
    default: break
    }
}
