/// Extends a counter that wraps (RTP sequence numbers and timestamps, seconds of NTP, RTMP's milliseconds) to Int64, each
/// value to the place that is nearest to the furthest so far (serial number arithmetic, RFC 1982 section 3.2).
public struct ExtendedCounter<Wire: FixedWidthInteger & UnsignedInteger & Sendable>: Equatable, Sendable {
    @usableFromInline var last: Int64?

    @inlinable public init() {}

    /// The furthest value so far.
    @inlinable public var furthest: Int64? { last }

    /// Where `value` stands, without taking it.
    @inlinable public func place(_ value: Wire) -> Int64 {
        guard let last else { return Int64(value) }
        let ahead = value &- Wire(truncatingIfNeeded: last)
        let half = Wire.max / 2 + 1
        return ahead < half ? last &+ Int64(ahead) : last &- Int64(Wire.max &- ahead) &- 1
    }

    @inlinable public mutating func extend(_ value: Wire) -> Int64 {
        let wide = place(value)
        last = max(last ?? wide, wide)
        return wide
    }
}
