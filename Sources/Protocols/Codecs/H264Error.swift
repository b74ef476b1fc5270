/// Why H.264 bytes were refused. Drop the message and count it; the session goes on.
public enum H264Error: Error, Equatable, Sendable {
    /// A field reaches past the end.
    case truncated
    /// `configurationVersion` is not 1.
    case unsupportedVersion(UInt8)
    /// The length prefix of NAL units is 1, 2 or 4 bytes.
    case nalLengthSize(Int)
    /// A NAL unit of length 0, or one that reaches past its access unit.
    case nalUnitLength(Int)
    /// A decoder configuration without at least one SPS and one PPS.
    case noParameterSets
    /// An access unit that changes more parameter sets than any encoder sends.
    case tooManyParameterSets(limit: Int)
    /// A parameter set whose NAL unit type is another's.
    case notAParameterSet
    /// A field of an SPS that is out of the standard's range.
    case invalidField(String)
}
