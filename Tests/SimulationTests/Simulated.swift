/// Numbers that are the same each time a seed is (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// True `percent` times in a hundred.
    mutating func chance(_ percent: Double) -> Bool { Double(next() >> 11) / Double(1 << 53) < percent / 100 }

    mutating func below(_ limit: Int64) -> Int64 { Int64(next() % UInt64(limit)) }
}

/// A number that stands for all that was taken, in order (FNV-1a over words).
struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func take(_ number: Int64) {
        value = (value ^ UInt64(bitPattern: number)) &* 0x0000_0100_0000_01B3
    }
}

let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000
