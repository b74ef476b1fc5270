/// Extends a counter that wraps (RTP sequence numbers and timestamps, seconds of NTP, RTMP's milliseconds) to Int64, each
/// value to the place that is nearest to the furthest so far (serial number arithmetic, RFC 1982 section 3.2).
public struct ExtendedCounter<Wire: FixedWidthInteger & UnsignedInteger & Sendable>: Equatable, Sendable {
    /// The furthest value so far.
    public private(set) var furthest: Int64?

    public init() {}

    /// Where `value` stands, without taking it.
    public func place(_ value: Wire) -> Int64 {
        guard let furthest else { return Int64(value) }
        let ahead = value &- Wire(truncatingIfNeeded: furthest)
        let half = Wire.max / 2 + 1
        return ahead < half ? furthest &+ Int64(ahead) : furthest &- Int64(Wire.max &- ahead) &- 1
    }

    public mutating func extend(_ value: Wire) -> Int64 {
        let wide = place(value)
        furthest = max(furthest ?? wide, wide)
        return wide
    }
}
