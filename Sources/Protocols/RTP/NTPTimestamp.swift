public import Timing

/// Wall time as RTCP writes it (RFC 3550 section 4): seconds since 1900 in 32.32 fixed point.
public struct NTPTimestamp: Hashable, Sendable {
    public var bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    /// The era of the year wraps in 2036, as the field does.
    public init(_ time: WallTime) {
        let (seconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let whole = rest < 0 ? seconds - 1 : seconds
        let nanoseconds = UInt64(rest < 0 ? rest + 1_000_000_000 : rest)
        let fraction = (nanoseconds << 32) / 1_000_000_000
        bits = UInt64(truncatingIfNeeded: whole &+ 2_208_988_800) << 32 | fraction
    }

    /// The middle 32 bits, as in LSR: seconds in 16.16 fixed point.
    public var compact: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) }

    /// A duration in the units of DLSR, 1/65 536 s; none is under 0 or over 18 hours.
    public static func compact(_ duration: Duration) -> UInt32 {
        let nanoseconds = max(0, min(duration.nanoseconds, 65_535_000_000_000))
        return UInt32(UInt64(nanoseconds) * 65_536 / 1_000_000_000)
    }
}
