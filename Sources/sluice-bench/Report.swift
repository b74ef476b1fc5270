/// What a bench found: a table, and each bar with its verdict.
struct Report {
    private let title: String
    private var rows: [[String]]
    private var bars: [(name: String, words: String, isMet: Bool)] = []
    private var notes: [String] = []

    init(_ title: String, columns: [String]) {
        self.title = title
        rows = [columns]
    }

    var missedCount: Int { bars.count { !$0.isMet } }

    mutating func row(_ cells: String...) { rows.append(cells) }

    mutating func note(_ words: String) { notes.append(words) }

    mutating func bar(_ name: String, _ value: Double, atMost limit: Double, unit: String = "") {
        let words = "\(Self.text(value))\(unit), at most \(Self.text(limit))\(unit)"
        bars.append((name, words, value <= limit))
    }

    mutating func bar(_ name: String, _ value: Double, atLeast limit: Double, unit: String = "") {
        let words = "\(Self.text(value))\(unit), at least \(Self.text(limit))\(unit)"
        bars.append((name, words, value >= limit))
    }

    var text: String {
        var text = "\n\(title)\n"
        let widths = (rows.first ?? []).indices.map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        for row in rows {
            let cells = row.enumerated().map { index, cell in
                let gap = String(repeating: " ", count: max(0, widths[index] - cell.count))
                return index == 0 ? cell + gap : gap + cell
            }
            text += "  " + cells.joined(separator: "  ") + "\n"
        }
        for note in notes { text += "  \(note)\n" }
        for bar in bars { text += "  \(bar.isMet ? "PASS" : "FAIL")  \(bar.name): \(bar.words)\n" }
        return text
    }

    /// Three significant digits or more: `0.0123`, `1.23`, `12.3`, `1234`.
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let size = abs(value)
        let digits = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((size * scale).rounded())
        let unit = Int64(scale)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(whole)" }
        let rest = String(whole % unit)
        return "\(sign)\(whole / unit).\(String(repeating: "0", count: digits - rest.count))\(rest)"
    }
}

/// The value in the middle; of an even count the mean of the two.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
