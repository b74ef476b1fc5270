import Bytes

/// Why an AudioSpecificConfig was refused. Drop the message and count it; the session goes on.
public enum AACError: Error, Equatable, Sendable {
    case truncated
    /// The audio object type is not of the AAC family that files and pushes can carry.
    case unsupportedObjectType(Int)
    case reservedSampleRate(Int)
    case reservedChannels(Int)
}

/// The decoder configuration of AAC (ISO/IEC 14496-3 section 1.6.2.1).
public struct AudioSpecificConfig: Equatable, Sendable {
    /// Of the core: 2 is AAC-LC, also under SBR and PS.
    public private(set) var objectType: Int
    /// Samples a second of the core coder.
    public private(set) var coreSampleRate: UInt32
    /// Samples a second as heard: twice the core's under SBR.
    public private(set) var sampleRate: UInt32
    /// 0 if a program config element names the channels.
    public private(set) var channelConfiguration: Int
    /// As heard: parametric stereo makes two of one.
    public private(set) var channels: Int
    /// 1024, or 960.
    public private(set) var coreSamplesPerFrame: Int
    public private(set) var hasSpectralBandReplication = false
    public private(set) var hasParametricStereo = false

    /// Samples of each channel that one frame gives at ``sampleRate``.
    public var samplesPerFrame: Int { sampleRate == coreSampleRate ? coreSamplesPerFrame : 2 * coreSamplesPerFrame }

    private static let rates: [UInt32] = [
        96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
    ]
    private static let channelCounts = [0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8]

    /// Reads a configuration: LC, Main, SSR, LTP and their error-resilient LC; SBR and PS in explicit and in
    /// backward-compatible signalling. Bytes after it are allowed, as encoders send them.
    public init(parsing bytes: Span<UInt8>) throws(AACError) {
        var reader = BitReader(bytes)
        objectType = Self.objectType(&reader)
        coreSampleRate = try Self.sampleRate(&reader)
        sampleRate = coreSampleRate
        channelConfiguration = Int(reader.bits(4))
        if objectType == 5 || objectType == 29 {
            hasSpectralBandReplication = true
            hasParametricStereo = objectType == 29
            sampleRate = try Self.sampleRate(&reader)
            objectType = Self.objectType(&reader)
        }
        guard !reader.overran else { throw .truncated }
        guard [1, 2, 3, 4, 17].contains(objectType) else { throw .unsupportedObjectType(objectType) }

        coreSamplesPerFrame = reader.flag() ? 960 : 1024
        if reader.flag() { reader.skip(14) }  // dependsOnCoreCoder, coreCoderDelay
        let hasExtension = reader.flag()
        guard let count = Self.channelCounts[channelConfiguration] else {
            throw .reservedChannels(channelConfiguration)
        }
        channels = channelConfiguration == 0 ? Self.channelsOfProgram(&reader) : count
        if hasExtension { reader.skip(objectType == 17 ? 4 : 1) }
        guard !reader.overran else { throw .truncated }
        guard channels > 0 else { throw .reservedChannels(0) }

        if !hasSpectralBandReplication { readSyncExtension(&reader) }
        // SBR doubles the rate or, downsampled, keeps it; anything else is no configuration.
        guard sampleRate == coreSampleRate || sampleRate == 2 * coreSampleRate else {
            throw .reservedSampleRate(Int(sampleRate))
        }
        if hasParametricStereo, channels == 1 { channels = 2 }
    }

    /// The bytes of an AAC-LC configuration, 2 for the rates of the table, else 5.
    /// - Returns: `nil` for a rate of 2^24 or more, or a number of channels without a configuration of its own.
    public static func lowComplexity(sampleRate: UInt32, channels: Int) -> [UInt8]? {
        let configurations = [1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 8: 7]
        guard sampleRate > 0, sampleRate < 1 << 24, let configuration = configurations[channels] else { return nil }
        guard let index = rates.firstIndex(of: sampleRate) else {
            let bits = UInt64(2) << 35 | 15 << 31 | UInt64(sampleRate) << 7 | UInt64(configuration) << 3
            return (0..<5).map { UInt8(truncatingIfNeeded: bits >> (32 - 8 * UInt64($0))) }
        }
        let bits = 2 << 11 | index << 7 | configuration << 3
        return [UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)]
    }

    /// Backward-compatible signalling: behind the core's configuration, where old decoders do not look.
    private mutating func readSyncExtension(_ reader: inout BitReader) {
        guard reader.remaining >= 16, reader.bits(11) == 0x2B7, Self.objectType(&reader) == 5, reader.flag(),
            let rate = try? Self.sampleRate(&reader), !reader.overran
        else { return }
        hasSpectralBandReplication = true
        sampleRate = rate
        guard reader.remaining >= 12, reader.bits(11) == 0x548 else { return }
        hasParametricStereo = reader.flag()
    }

    private static func objectType(_ reader: inout BitReader) -> Int {
        let type = Int(reader.bits(5))
        return type == 31 ? 32 + Int(reader.bits(6)) : type
    }

    private static func sampleRate(_ reader: inout BitReader) throws(AACError) -> UInt32 {
        let index = Int(reader.bits(4))
        guard index == 15 else {
            guard rates.indices.contains(index) else { throw .reservedSampleRate(index) }
            return rates[index]
        }
        let rate = reader.bits(24)
        guard !reader.overran else { throw .truncated }
        guard (1000...384_000).contains(rate) else { throw .reservedSampleRate(Int(rate)) }
        return rate
    }

    /// Counts the channels of a program config element (section 4.4.1.1).
    private static func channelsOfProgram(_ reader: inout BitReader) -> Int {
        reader.skip(10)  // element_instance_tag, object_type, sampling_frequency_index
        let front = Int(reader.bits(4))
        let side = Int(reader.bits(4))
        let back = Int(reader.bits(4))
        let lowFrequency = Int(reader.bits(2))
        let associated = Int(reader.bits(3))
        let coupling = Int(reader.bits(4))
        if reader.flag() { reader.skip(4) }  // mono_mixdown
        if reader.flag() { reader.skip(4) }  // stereo_mixdown
        if reader.flag() { reader.skip(3) }  // matrix_mixdown
        var count = lowFrequency
        for _ in 0..<front + side + back {
            count += reader.flag() ? 2 : 1
            reader.skip(4)
        }
        reader.skip(4 * lowFrequency + 4 * associated + 5 * coupling)
        reader.alignToByte()
        reader.skip(8 * Int(reader.bits(8)))  // comment
        return count
    }
}
