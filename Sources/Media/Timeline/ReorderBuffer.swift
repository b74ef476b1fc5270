/// Puts numbered things in order and waits for what is missing, for a time: what has not come by then is lost. It holds
/// `capacity` things at most, and one.
public struct ReorderBuffer<Element: Sendable>: Sendable {
    public enum Verdict: Equatable, Sendable {
        case taken
        case duplicate
        /// Its turn is over: it was told to be lost, or given out.
        case late
    }

    public enum Output: Sendable {
        case element(sequence: Int64, Element)
        case lost(Range<Int64>)
        /// Nothing before then.
        case wait(until: Int64?)
    }

    private struct Slot: Sendable {
        var sequence: Int64
        var element: Element
        var arrival: Int64
    }

    /// How long what is missing is waited for, from the arrival of what follows it, in nanoseconds.
    private let patience: Int64
    private var slots: [Slot?]
    /// The number that is due.
    private var due: Int64?
    private var furthest: Int64 = .min
    /// Too far ahead for the slots: all before it goes out at once.
    private var ahead: Slot?
    private var isFlushing = false
    public private(set) var count = 0

    public init(capacity: Int, patience: Int64) {
        slots = Array(repeating: nil, count: capacity)
        self.patience = patience
    }

    /// Takes one thing. Drain ``next(at:)`` before the next one.
    public mutating func insert(_ element: Element, sequence: Int64, at now: Int64) -> Verdict {
        let first = due ?? sequence
        due = first
        guard sequence >= first else { return .late }
        let slot = Slot(sequence: sequence, element: element, arrival: now)
        guard sequence - first < slots.count else {
            if ahead == nil { ahead = slot }
            return .taken
        }
        let index = index(of: sequence)
        guard slots[index] == nil else { return .duplicate }
        slots[index] = slot
        count += 1
        furthest = max(furthest, sequence)
        return .taken
    }

    /// All that is held goes out now; what is missing is lost.
    public mutating func flush() { isFlushing = true }

    /// What comes next. Call until it says `wait`.
    public mutating func next(at now: Int64) -> Output {
        guard let first = due else { return .wait(until: nil) }
        let index = index(of: first)
        if let slot = slots[index] {
            slots[index] = nil
            count -= 1
            due = first + 1
            return .element(sequence: slot.sequence, slot.element)
        }
        guard count > 0 else { return leap(from: first) }
        var present = first + 1
        while present < furthest, slots[self.index(of: present)] == nil { present += 1 }
        let deadline = (slots[self.index(of: present)]?.arrival ?? now) &+ patience
        guard isFlushing || ahead != nil || now >= deadline else { return .wait(until: deadline) }
        due = present
        return .lost(first..<present)
    }

    private mutating func leap(from first: Int64) -> Output {
        guard let slot = ahead.take() else {
            isFlushing = false
            return .wait(until: nil)
        }
        slots[index(of: slot.sequence)] = slot
        count = 1
        due = slot.sequence
        furthest = slot.sequence
        return .lost(first..<slot.sequence)
    }

    private func index(of sequence: Int64) -> Int {
        let remainder = Int(sequence % Int64(slots.count))
        return remainder < 0 ? remainder + slots.count : remainder
    }
}
