/// The known name that somebody who wrote another one probably meant.
public enum Suggestion {
    /// `unknown key `prot`; did you mean `port`?`
    static func unknownKey(_ name: String, among known: [String]) -> String {
        if let near = self.name(to: name, among: known) { return "unknown key `\(name)`; did you mean `\(near)`?" }
        return "unknown key `\(name)`; known here: \(known.joined(separator: ", "))"
    }

    /// The nearest of `known` within a third of its length in edits, if any.
    public static func name(to name: String, among known: [String]) -> String? {
        let ranked = known.map { (name: $0, edits: edits(from: Array(name.utf8), to: Array($0.utf8))) }
        guard let best = ranked.min(by: { $0.edits < $1.edits }) else { return nil }
        return best.edits <= max(2, best.name.utf8.count / 3) ? best.name : nil
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
    static func edits(from source: [UInt8], to target: [UInt8]) -> Int {
        guard source.count <= 128, target.count <= 128 else { return .max }
        var before: [Int] = []
        var previous = Array(0...target.count)
        for i in source.indices {
            var row = [i + 1]
            for j in target.indices {
                let substituted = previous[j] + (source[i] == target[j] ? 0 : 1)
                var best = min(substituted, previous[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, source[i] == target[j - 1], source[i - 1] == target[j] {
                    best = min(best, before[j - 1] + 1)
                }
                row.append(best)
            }
            (before, previous) = (previous, row)
        }
        return previous[target.count]
    }
}
