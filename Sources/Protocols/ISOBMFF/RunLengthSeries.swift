/// A long series of integers in which neighbours are often equal: runs of (value, count), each as two variable-length
/// integers. Frame durations of a stream in milliseconds (33, 33, 34) take two bytes a sample, constant ones none.
public struct RunLengthSeries: Equatable, Sendable {
    private var closed: [UInt8] = []
    private var closedRuns = 0
    private var value: Int64 = 0
    private var count = 0

    public init() {}

    /// Runs so far.
    public var runCount: Int { closedRuns + (count > 0 ? 1 : 0) }

    public var isEmpty: Bool { count == 0 }

    public mutating func append(_ value: Int64, times: Int = 1) {
        guard times > 0 else { return }
        guard value != self.value || count == 0 else { return count += times }
        closeRun()
        (self.value, count) = (value, times)
    }

    private mutating func closeRun() {
        guard count > 0 else { return }
        closed.append(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
        closed.append(varint: UInt64(count))
        closedRuns += 1
        count = 0
    }

    /// Calls `body` with each run, in order.
    public func forEachRun(_ body: (_ value: Int64, _ count: Int) -> Void) {
        var index = 0
        while index < closed.count {
            let coded = closed.varint(at: &index)
            let count = closed.varint(at: &index)
            body(Int64(bitPattern: coded >> 1) ^ -Int64(bitPattern: coded & 1), Int(truncatingIfNeeded: count))
        }
        if count > 0 { body(value, count) }
    }
}

extension [UInt8] {
    fileprivate mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Reads back what ``append(varint:)`` wrote.
    fileprivate func varint(at index: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < count {
            let byte = self[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { break }
            shift += 7
        }
        return value
    }
}
