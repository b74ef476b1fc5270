import Glibc
public import Timing

/// The clocks of the machine. Everything below the Shell is told the time.
public enum Clocks {
    /// CLOCK_MONOTONIC.
    public static func now() -> Instant { Instant(nanoseconds: read(CLOCK_MONOTONIC)) }

    /// CLOCK_REALTIME.
    public static func wall() -> WallTime { WallTime(nanoseconds: read(CLOCK_REALTIME)) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
