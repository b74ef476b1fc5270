// modules: Bytes Codecs
// covers: Sources/Protocols/Codecs/AudioSpecificConfig.swift
// max-length: 64

import Codecs

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let config = try? AudioSpecificConfig(parsing: input.span) else { return 0 }
    precondition((1000...384_000).contains(config.coreSampleRate), "a rate out of range")
    precondition(config.sampleRate == config.coreSampleRate || config.sampleRate == 2 * config.coreSampleRate)
    precondition((1...128).contains(config.channels), "channels out of range")
    precondition([960, 1024, 1920, 2048].contains(config.samplesPerFrame), "a frame of no known length")
    let written = AudioSpecificConfig.lowComplexity(sampleRate: config.coreSampleRate, channels: config.channels)
    if let written {
        let again = try? AudioSpecificConfig(parsing: written.span)
        precondition(again?.sampleRate == config.coreSampleRate && again?.channels == config.channels)
    }
    #if FUZZ_CANARY
        // The planted bug: a table indexed by what an escape or a program element makes larger than it.
        let layouts = ["", "mono", "stereo", "3.0", "4.0", "5.0", "5.1", "6.1", "7.1"]
        _ = layouts[config.channels]
    #endif
    return 0
}
