/// Reads bits, most significant first, and the Exp-Golomb codes of H.264 (ITU-T H.264 section 9.1).
///
/// Past the end every read gives 0 and ``overran`` stays true: a parser of a short header reads on and asks once, at its
/// end. Loops must therefore be bounded by a checked count, never by a value alone.
struct BitReader: ~Escapable {
    private let bytes: Span<UInt8>
    /// Bits consumed so far; never more than there are.
    private(set) var position = 0
    /// True once a read wanted more than was left.
    private(set) var overran = false

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    var remaining: Int { bytes.count * 8 - position }

    /// The next `count` bits, at most 32, as an unsigned number.
    mutating func bits(_ count: Int) -> UInt32 {
        guard !overran, count <= remaining, (0...32).contains(count) else {
            overran = true
            return 0
        }
        var value: UInt64 = 0
        var wanted = count
        while wanted > 0 {
            let free = 8 - position & 7
            let taken = min(free, wanted)
            let byte = UInt64(bytes[position >> 3]) >> UInt64(free - taken) & (1 << UInt64(taken) - 1)
            value = value << UInt64(taken) | byte
            position += taken
            wanted -= taken
        }
        return UInt32(truncatingIfNeeded: value)
    }

    mutating func flag() -> Bool { bits(1) == 1 }

    mutating func skip(_ count: Int) {
        guard !overran, count >= 0, count <= remaining else {
            overran = true
            return
        }
        position += count
    }

    mutating func alignToByte() { position = (position + 7) & ~7 }

    /// `ue(v)`. A prefix of more than 31 zeros has no value in any header that we read, and counts as an overrun.
    mutating func unsignedExpGolomb() -> UInt32 {
        var zeros = 0
        while !flag() {
            zeros += 1
            guard zeros < 32, !overran else {
                overran = true
                return 0
            }
        }
        return (UInt32(1) << UInt32(zeros)) - 1 &+ bits(zeros)
    }

    /// `se(v)`: 0, 1, −1, 2, −2 …
    mutating func signedExpGolomb() -> Int32 {
        let code = Int64(unsignedExpGolomb())
        return Int32(truncatingIfNeeded: code & 1 == 1 ? (code + 1) / 2 : -(code / 2))
    }
}
