// modules: Bytes Codecs
// covers: Sources/Protocols/Codecs/AVCDecoderConfigurationRecord.swift Sources/Protocols/Codecs/SequenceParameterSet.swift Sources/Protocols/Codecs/AccessUnitFilter.swift Sources/Protocols/Codecs/NALUnit.swift Sources/Protocols/Codecs/BitReader.swift
// max-length: 1024

import Codecs

/// What units are filtered with when the input's own record does not parse: Baseline, 64x48.
private let fallback: [UInt8] = [
    0x01, 0x42, 0xC0, 0x0A, 0xFF, 0xE1, 0x00, 0x17, 0x67, 0x42, 0xC0, 0x0A, 0xD9, 0x04, 0x7B, 0x01, 0x10, 0x00, 0x00,
    0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xC0, 0xF1, 0x22, 0x64, 0x80, 0x01, 0x00, 0x05, 0x68, 0xCB, 0x83, 0xCB,
    0x20,
]

/// An input is the length of a record in one byte, the record, and an access unit.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let length = input.first else { return 0 }
    let bytes = Array(input.dropFirst().prefix(Int(length)))
    let unit = input.dropFirst(1 + bytes.count)

    var record = try? AVCDecoderConfigurationRecord(parsing: bytes.span)
    if let record { check(record) }
    if record == nil { record = try? AVCDecoderConfigurationRecord(parsing: fallback.span) }
    guard let record else { preconditionFailure("the known record does not parse") }
    check(unit, with: record)
    return 0
}

private func check(_ record: AVCDecoderConfigurationRecord) {
    let written = record.serialized()
    let again = try? AVCDecoderConfigurationRecord(parsing: written.span)
    precondition(again == record, "a record does not read as it was written")
    guard let sps = try? record.sequenceParameterSet() else { return }
    precondition((1...16384).contains(sps.width) && (1...32768).contains(sps.height), "a size out of range")
    precondition((0...16).contains(sps.maxReorderedFrames ?? 0), "more reordering than is let")
    #if FUZZ_CANARY
        // The planted bug: a rate from a field that may be anything.
        if let timing = sps.timing { _ = timing.timeScale / (timing.unitsInTick &* 2) }
    #endif
    let made = try? AVCDecoderConfigurationRecord(
        sequenceParameterSets: record.sequenceParameterSets, pictureParameterSets: record.pictureParameterSets,
        nalLengthSize: record.nalLengthSize)
    precondition(made?.sequenceParameterSets == record.sequenceParameterSets, "sets do not make a record")
}

private func check(_ unit: ArraySlice<UInt8>, with record: AVCDecoderConfigurationRecord) {
    guard let filtered = try? AccessUnitFilter(record).filter(unit) else { return }
    precondition(filtered.bytes.count + filtered.removedBytes == unit.count, "bytes lost or won")
    guard let again = try? AccessUnitFilter(record).filter(filtered.bytes) else {
        preconditionFailure("a filtered unit does not parse")
    }
    precondition(again.bytes == filtered.bytes && again.removedBytes == 0, "filtering again changes the unit")
    precondition(again.hasIDRSlice == filtered.hasIDRSlice, "filtering loses a slice")
    guard let changed = filtered.changedConfiguration else { return }
    precondition((try? AccessUnitFilter(changed).filter(unit)) != nil, "its own configuration does not fit")
}
