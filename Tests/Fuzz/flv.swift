// modules: Bytes Timing Codecs RTMP
// covers: Sources/Protocols/RTMP/FLV/FLVTag.swift
// max-length: 64

import RTMP

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    if let tag = try? FLVVideoTag(parsing: input.span) {
        precondition(tag.dataOffset <= input.count && !tag.codec.name.isEmpty, "an offset past the end")
        precondition((-0x80_0000..<0x80_0000).contains(tag.compositionTime), "a composition time of over 24 bits")
        if let packet = tag.packet {
            let header = FLVVideoTag.header(packet, isKey: tag.isKey, compositionTime: tag.compositionTime)
            let again = try? FLVVideoTag(parsing: header.span)
            precondition(again?.packet == packet && again?.isKey == tag.isKey, "a header reads otherwise")
            precondition(again?.compositionTime == tag.compositionTime && again?.codec == tag.codec)
        }
        #if FUZZ_CANARY
            // The planted bug: a time that may be negative taken for one that is not.
            if tag.packet == .units { _ = UInt32(tag.compositionTime) }
        #endif
    }
    if let tag = try? FLVAudioTag(parsing: input.span) {
        precondition(tag.dataOffset <= input.count && !tag.codec.name.isEmpty, "an offset past the end")
        if let packet = tag.packet {
            let header = FLVAudioTag.header(packet)
            precondition((try? FLVAudioTag(parsing: header.span))?.packet == packet, "a header reads otherwise")
        }
    }
    return 0
}
